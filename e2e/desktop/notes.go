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
)

const dunstPath = "/org/freedesktop/Notifications"

// Note is a notification as a program sent it.
type Note struct {
	At       time.Time
	App      string
	Summary  string
	Body     string
	Actions  []string // keys and labels by turns
	Replaces uint32
	Hints    map[string]dbus.Variant
}

// Recorder records every notification that is sent over the bus, whether a
// daemon takes it or not.
type Recorder struct {
	conn *dbus.Conn

	mu    sync.Mutex
	notes []Note
	more  chan struct{} // closed at the next note
}

// Record starts to record notifications.
func (d *Desktop) Record(ctx context.Context) (*Recorder, error) {
	ctx, cancel := limit(ctx, waitLimit)
	defer cancel()
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	// The bus throws a monitor out that sends anything. So we listen in before
	// we become one, or the library would answer a notification that came
	// between the two; the price is to pick the reply out ourselves.
	messages := make(chan *dbus.Message, 1024)
	conn.Eavesdrop(messages)
	conn.BusObject().Go("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, nil,
		[]string{"type='method_call',interface='" + dunstName + "',member='Notify'"}, uint32(0))
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
			r.take(m)
		case <-r.conn.Context().Done():
			return
		}
	}
}

func (r *Recorder) take(m *dbus.Message) {
	n := Note{At: time.Now()}
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

// Close stops recording. What was recorded stays.
func (r *Recorder) Close() error {
	r.conn.Eavesdrop(nil) // or the library may send on the channel that its Close closes
	return r.conn.Close()
}

// Notes returns what was sent so far, the oldest first.
func (r *Recorder) Notes() []Note {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// WaitNote returns the first notification that matches, whether it was sent
// already or is yet to come. The error says what was sent instead.
func (r *Recorder) WaitNote(ctx context.Context, match func(Note) bool) (Note, error) {
	ctx, cancel := limit(ctx, waitLimit)
	defer cancel()
	for {
		r.mu.Lock()
		notes, more := r.notes, r.more
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
			return Note{}, fmt.Errorf("wait for a notification: %w; %d were sent: [%s]", ctx.Err(), len(notes), strings.Join(sent, "; "))
		}
	}
}

// FakeNotifications is a notification daemon that shows nothing and can be
// made to misbehave.
type FakeNotifications struct {
	conn *dbus.Conn

	mu      sync.Mutex
	shown   []shown   // the oldest first
	issued  uint32    // the highest number given to a notification
	newest  uint32    // the notification that came last, or was replaced last
	actions []string  // its actions
	taken   time.Time // when it came
	held    chan struct{}
}

// shown is a notification that nobody has closed.
type shown struct {
	id      uint32
	summary string
}

// StartFakeNotifications starts one. The real daemon must not run: see
// Options.Notifications and StopNotifications.
func (d *Desktop) StartFakeNotifications() (*FakeNotifications, error) {
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	f := &FakeNotifications{conn: conn}
	err = conn.ExportMethodTable(map[string]any{
		"Notify": f.notify,
		"CloseNotification": func(id uint32) *dbus.Error {
			f.hold()
			f.closed(id, 3) // by a call
			return nil
		},
		"GetCapabilities": func() ([]string, *dbus.Error) {
			f.hold()
			return []string{"actions", "body", "body-markup"}, nil
		},
		"GetServerInformation": func() (name, vendor, version, spec string, _ *dbus.Error) {
			f.hold()
			return "fake", "porthole", "1", "1.2", nil
		},
	}, dunstPath, dunstName)
	if err == nil {
		var reply dbus.RequestNameReply
		reply, err = conn.RequestName(dunstName, dbus.NameFlagDoNotQueue)
		if err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
			err = errors.New("another one runs")
		}
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("start the fake notification daemon: %w", err)
	}
	return f, nil
}

func (f *FakeNotifications) notify(_ string, replaces uint32, _, summary, _ string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	f.hold()
	f.mu.Lock()
	defer f.mu.Unlock()
	id := replaces
	if id == 0 {
		f.issued++
		id = f.issued
	}
	f.forget(replaces)
	f.shown = append(f.shown, shown{id, summary})
	f.newest, f.actions, f.taken = id, actions, time.Now()
	return id, nil
}

// hold returns at once, or when the daemon hangs no more.
func (f *FakeNotifications) hold() {
	f.mu.Lock()
	held := f.held
	f.mu.Unlock()
	if held != nil {
		<-held
	}
}

// Hang makes the daemon answer nothing from here on, as one does that was
// stopped with SIGSTOP; or, with false, answer everything that waits.
func (f *FakeNotifications) Hang(hang bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case hang && f.held == nil:
		f.held = make(chan struct{})
	case !hang && f.held != nil:
		close(f.held)
		f.held = nil
	}
}

// reaction is how long a person takes to click. At once, the click would be on
// the bus before the answer that tells the program its notification's number.
const reaction = 150 * time.Millisecond

// Invoke does what a click on the newest notification's action of that key
// does; the key of a click on the notification itself is "default".
func (f *FakeNotifications) Invoke(key string) error {
	f.mu.Lock()
	id, actions, taken := f.newest, f.actions, f.taken
	f.mu.Unlock()
	time.Sleep(reaction - time.Since(taken))
	for i := 0; i < len(actions); i += 2 {
		if actions[i] != key {
			continue
		}
		if err := f.conn.Emit(dunstPath, dunstName+".ActionInvoked", id, key); err != nil {
			return fmt.Errorf("invoke the action %q: %w", key, err)
		}
		f.closed(id, 2) // by the user
		return nil
	}
	return fmt.Errorf("the newest notification has no action %q; it has %q", key, actions)
}

// Shown returns the summaries of the notifications that neither the user nor a
// program has closed, the newest last. They do not expire.
func (f *FakeNotifications) Shown() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var summaries []string
	for _, s := range f.shown {
		summaries = append(summaries, s.summary)
	}
	return summaries
}

func (f *FakeNotifications) forget(id uint32) {
	f.shown = slices.DeleteFunc(f.shown, func(s shown) bool { return s.id == id })
}

func (f *FakeNotifications) closed(id, reason uint32) {
	f.mu.Lock()
	f.forget(id)
	f.mu.Unlock()
	f.conn.Emit(dunstPath, dunstName+".NotificationClosed", id, reason)
}

// Close ends the daemon. What waits for it gets no answer but an error.
func (f *FakeNotifications) Close() error {
	err := f.conn.Close()
	f.Hang(false)
	return err
}
