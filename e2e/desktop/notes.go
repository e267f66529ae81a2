//go:build linux

package desktop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/internal/fakebus"
)

// Note is a notification as a program sent it over the bus.
type Note struct {
	At       time.Time
	App      string
	Summary  string
	Body     string
	Actions  []string // keys and labels, alternating
	Replaces uint32
	Hints    map[string]dbus.Variant
	ID       uint32 // as the daemon answered; 0 if it has not yet

	sender string // on the bus, with serial: what the answer refers to
	serial uint32
}

// Recorder records every notification that is sent over the bus, with or without
// a daemon that accepts it. It is safe for concurrent use.
type Recorder struct {
	conn *dbus.Conn

	mu    sync.Mutex
	notes []Note
	more  chan struct{} // closed when the next note arrives
}

// Record starts recording notifications.
func (d *Desktop) Record(ctx context.Context) (*Recorder, error) { return Record(ctx, d.address) }

// Record starts recording notifications on the session bus at address.
func Record(ctx context.Context, address string) (*Recorder, error) {
	ctx, cancel := limit(ctx, waitTimeout)
	defer cancel()
	conn, err := dbus.Connect(address)
	if err != nil {
		return nil, fmt.Errorf("record notifications: connect to the session bus: %w", err)
	}
	// The bus disconnects a monitor that sends anything. Eavesdropping therefore
	// starts before the connection becomes a monitor: otherwise the library would
	// answer a notification that arrives in between. The price is that the reply
	// to BecomeMonitor has to be picked out here.
	messages := make(chan *dbus.Message, 1024)
	conn.Eavesdrop(messages)
	conn.BusObject().Go("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, nil,
		[]string{"type='method_call',interface='" + notificationsName + "',member='Notify'", "type='method_return',sender='" + notificationsName + "'"}, uint32(0))
	for ready := false; !ready; {
		select {
		case m := <-messages:
			if m == nil || m.Type == dbus.TypeError {
				conn.Close()
				return nil, errors.New("record notifications: the bus refused")
			}
			ready = m.Type == dbus.TypeMethodReply
		case <-ctx.Done():
			conn.Close()
			return nil, fmt.Errorf("record notifications: %w", ctx.Err())
		}
	}
	r := &Recorder{conn: conn, more: make(chan struct{})}
	go r.listen(messages)
	return r, nil
}

func (r *Recorder) listen(messages <-chan *dbus.Message) {
	for {
		select {
		case m := <-messages:
			if m == nil {
				return
			}
			r.add(m)
		case <-r.conn.Context().Done():
			return
		}
	}
}

// add records m if it is a notification, or the answer to one.
func (r *Recorder) add(m *dbus.Message) {
	if m.Type == dbus.TypeMethodReply {
		r.answer(m)
		return
	}
	n := Note{At: time.Now(), serial: m.Serial()}
	n.sender, _ = m.Headers[dbus.FieldSender].Value().(string)
	var icon string
	var expires int32
	if m.Type != dbus.TypeMethodCall || dbus.Store(m.Body, &n.App, &n.Replaces, &icon, &n.Summary, &n.Body, &n.Actions, &n.Hints, &expires) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, n)
	close(r.more)
	r.more = make(chan struct{})
}

// answer records the id in the answer to a notification.
func (r *Recorder) answer(m *dbus.Message) {
	receiver, _ := m.Headers[dbus.FieldDestination].Value().(string)
	serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
	var id uint32
	if dbus.Store(m.Body, &id) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.notes {
		if r.notes[i].sender == receiver && r.notes[i].serial == serial {
			r.notes[i].ID = id
		}
	}
}

// Close stops recording. Notes still returns what was recorded.
func (r *Recorder) Close() error {
	r.conn.Eavesdrop(nil) // otherwise the library may send on the channel that its Close closes
	return r.conn.Close()
}

// Notes returns the notifications so far, oldest first.
func (r *Recorder) Notes() []Note {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// WaitNote returns the first notification that matches, and waits for it if
// necessary. The error lists the notifications that were sent instead.
func (r *Recorder) WaitNote(ctx context.Context, match func(Note) bool) (Note, error) {
	ctx, cancel := limit(ctx, waitTimeout)
	defer cancel()
	for {
		r.mu.Lock()
		notes, more := slices.Clone(r.notes), r.more
		r.mu.Unlock()
		if i := slices.IndexFunc(notes, match); i >= 0 {
			return notes[i], nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			var sent []string
			for _, n := range notes {
				sent = append(sent, fmt.Sprintf("%s: %q, %q", n.App, n.Summary, n.Body))
			}
			return Note{}, fmt.Errorf("wait for a notification: %w; %d others were sent: [%s]", ctx.Err(), len(notes), strings.Join(sent, "; "))
		}
	}
}

// StartFakeNotifications starts a fake notification daemon. The real one must not run:
// see Options.Notifications and StopNotifications.
func (d *Desktop) StartFakeNotifications() (*fakebus.Notifications, error) {
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	f, err := fakebus.ServeNotifications(conn)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("start the fake notification daemon: %w", err)
	}
	return f, nil
}
