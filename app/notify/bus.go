package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"slices"
	"sync"

	"github.com/esiqveland/notify"
	"github.com/godbus/dbus/v5"

	"fyne.io/fyne/v2/lang"

	"porthole/ui/tray"
)

// Action is what a user does with a notification.
type Action string

// The actions. Show is a click on the notification itself, too.
const (
	Show         Action = "default"
	StopWatching Action = "unwatch"
)

// maxStored is for how many notifications a click is understood.
const maxStored = 64

// iconSize is the width of the picture beside a notification, in pixels.
const iconSize = 48

// Bus shows notifications through a private connection to the session bus
// (org.freedesktop.Notifications, Desktop Notifications Specification 1.2), so
// that a click opens the port. The tray's shared connection would not do: a
// notification's signals end its re-registration.
type Bus struct {
	address  string
	onAction func(Action, Notification)
	log      *slog.Logger
	icon     notify.Hint

	caps []string

	mu     sync.Mutex
	conn   *dbus.Conn
	cancel func()                  // ends conn, or the attempt to have one
	owner  string                  // of the service's name, when its ids were given
	shown  map[uint32]Notification // by the id of the notification
	order  []uint32
}

// NewBus returns a Notifier on the session bus at address. acted is called,
// from a goroutine of the connection, with what the user does with a note.
func NewBus(address string, acted func(Action, Notification), log *slog.Logger) *Bus {
	return &Bus{address: address, onAction: acted, log: log, icon: notify.HintImageDataRGBA(tray.AppIcon(iconSize)), shown: make(map[uint32]Notification)}
}

// Notify shows n. A server that does not answer before ctx ends costs the
// connection, which the next call opens anew.
func (b *Bus) Notify(ctx context.Context, n Notification) error {
	return b.call(ctx, func(life context.Context) error { return b.send(life, n) })
}

// Withdraw closes the last note with that key. That the user has closed it
// already is no error.
func (b *Bus) Withdraw(ctx context.Context, key string) error {
	id := b.idForKey(key)
	if id == 0 {
		return nil
	}
	return b.call(ctx, func(life context.Context) error {
		conn, err := b.connection(life)
		if err != nil {
			return err
		}
		err = conn.Object(serviceName, "/org/freedesktop/Notifications").CallWithContext(life, serviceName+".CloseNotification", 0, id).Err
		var refused dbus.Error
		if err != nil && !errors.As(err, &refused) {
			return wrapCallError(err)
		}
		return nil
	})
}

// call runs do with the life of the connection until ctx ends.
func (b *Bus) call(ctx context.Context, do func(life context.Context) error) error {
	done := make(chan error, 1)
	life := b.connectionContext()
	go func() { done <- do(life) }() // ends when the connection does, at the latest
	select {
	case err := <-done:
		if err != nil {
			b.disconnect()
		}
		return err
	case <-ctx.Done():
		b.disconnect()
		<-done
		return ErrNoResponse
	}
}

func (b *Bus) send(life context.Context, n Notification) error {
	conn, err := b.connection(life)
	if err != nil {
		return err
	}
	note := notify.Notification{
		AppName: "Porthole", Summary: n.Title, Body: n.Body,
		ExpireTimeout: notify.ExpireTimeoutSetByNotificationServer, ReplacesID: b.idForKey(cmp.Or(n.ReplacesKey, n.Key)),
	}
	if slices.Contains(b.caps, "body-markup") {
		note.Body = html.EscapeString(n.Body)
	}
	if n.Port != 0 && slices.Contains(b.caps, "actions") {
		note.Actions = []notify.Action{{Key: string(Show), Label: lang.L("Show")}}
		if n.Rule.Ports != nil || n.Rule.FollowsService() && !n.Rule.Match.IsZero() {
			note.Actions = append(note.Actions, notify.Action{Key: string(StopWatching), Label: lang.L("Stop watching")})
		}
	}
	if !n.Sound {
		note.AddHint(notify.Hint{ID: "suppress-sound", Variant: dbus.MakeVariant(true)})
	}
	note.AddHint(b.icon) // a name would need an icon theme that has it
	note.AddHint(notify.Hint{ID: "desktop-entry", Variant: dbus.MakeVariant("porthole")})
	id, err := notify.SendNotification(conn, note)
	if err != nil {
		return wrapCallError(err)
	}
	b.store(id, n)
	return nil
}

// connection returns the connection, a new one where there is none.
func (b *Bus) connection(life context.Context) (*dbus.Conn, error) {
	if conn := b.connected(); conn != nil {
		return conn, nil
	}
	conn, err := dbus.Connect(b.address, dbus.WithContext(life))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	b.mu.Lock()
	b.conn = conn
	b.mu.Unlock()
	if err := conn.AddMatchSignal(dbus.WithMatchSender(serviceName), dbus.WithMatchInterface(serviceName), dbus.WithMatchMember("ActionInvoked")); err != nil {
		return nil, fmt.Errorf("listen to the notification service: %w", err)
	}
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(busName), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serviceName)); err != nil {
		return nil, fmt.Errorf("listen for the notification service's restarts: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go b.handleSignals(conn, signals) // ends with the connection
	var owner string
	// No owner is no error: the next call may start one.
	_ = conn.BusObject().CallWithContext(life, busName+".GetNameOwner", 0, serviceName).Store(&owner)
	b.setOwner(conn, owner) // it may be another one since the last connection
	if b.caps, err = notify.GetCapabilities(conn); err != nil {
		return nil, wrapCallError(err)
	}
	return conn, nil
}

func (b *Bus) connected() *dbus.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.conn.Connected() {
		return b.conn
	}
	return nil
}

// connectionContext returns the life of the connection, which disconnect ends. It is not
// that of one notification: the connection outlives it. It begins before the
// goroutine that connects, so that there is always something to end.
func (b *Bus) connectionContext() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancel != nil && b.conn != nil && b.conn.Connected() {
		return b.conn.Context()
	}
	if b.cancel != nil {
		b.cancel()
	}
	life, end := context.WithCancel(context.Background())
	b.cancel = end
	return life
}

// serviceName is the name of the notification service and of its interface, bus
// that of the bus's own.
const (
	serviceName = "org.freedesktop.Notifications"
	busName     = "org.freedesktop.DBus"
)

// handleSignals takes clicks, as long as conn is the connection: one that is given up hears
// of some for a moment yet, and what is said there late is no longer so. The signals are read here rather than by the library,
// which panics where their values are not of the types that it expects.
func (b *Bus) handleSignals(conn *dbus.Conn, signals <-chan *dbus.Signal) {
	for s := range signals {
		if s.Name == busName+".NameOwnerChanged" {
			if len(s.Body) == 3 {
				owner, _ := s.Body[2].(string)
				b.setOwner(conn, owner)
			}
			continue
		}
		if s.Name != serviceName+".ActionInvoked" || len(s.Body) < 2 {
			continue
		}
		id, isID := s.Body[0].(uint32)
		action, isAction := s.Body[1].(string)
		if !isID || !isAction {
			continue
		}
		b.mu.Lock()
		n, ours := b.shown[id] // everyone's clicks are signalled to everyone
		ours = ours && b.conn == conn
		b.mu.Unlock()
		if ours {
			b.onAction(Action(action), n)
		}
	}
}

func (b *Bus) store(id uint32, n Notification) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, again := b.shown[id]; !again { // one that took another's place has its id
		b.order = append(b.order, id)
	}
	b.shown[id] = n
	if len(b.order) > maxStored {
		delete(b.shown, b.order[0])
		b.order = b.order[1:]
	}
}

// setOwner notes who has the service's name, as conn tells. Another one counts from 1 again: an id
// of the one before may be someone else's notification there.
func (b *Bus) setOwner(conn *dbus.Conn, owner string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == conn && owner != b.owner {
		b.owner = owner
		clear(b.shown)
		b.order = nil
	}
}

// idForKey returns the id of the last note with that key, 0 where there is none.
func (b *Bus) idForKey(key string) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Backward(b.order) {
		if key != "" && b.shown[id].Key == key {
			return id
		}
	}
	return 0
}

func (b *Bus) disconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancel != nil {
		b.cancel()
	}
	b.conn, b.cancel = nil, nil
}

// Close closes the connection.
func (b *Bus) Close() { b.disconnect() }
