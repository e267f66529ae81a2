package notify

import (
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

// remembered is for how many notifications a click is understood.
const remembered = 64

// iconSize is the width of the picture beside a notification, in pixels.
const iconSize = 48

// Bus shows notifications through a private connection to the session bus
// (org.freedesktop.Notifications, Desktop Notifications Specification 1.2), so
// that a click opens the port. The tray's shared connection would not do: a
// notification's signals end its re-registration.
type Bus struct {
	address string
	clicked func(port uint16)
	log     *slog.Logger
	icon    notify.Hint

	caps []string

	mu    sync.Mutex
	conn  *dbus.Conn
	end   func()            // ends conn, or the attempt to have one
	ports map[uint32]uint16 // by the id of the notification
	order []uint32
}

// NewBus returns a Notifier on the session bus at address. clicked is called,
// from a goroutine of the connection, with the port of a notification that the
// user clicks.
func NewBus(address string, clicked func(port uint16), log *slog.Logger) *Bus {
	return &Bus{address: address, clicked: clicked, log: log, icon: notify.HintImageDataRGBA(tray.AppIcon(iconSize)), ports: make(map[uint32]uint16)}
}

// Notify shows n. A server that does not answer before ctx ends costs the
// connection, which the next call opens anew.
func (b *Bus) Notify(ctx context.Context, n Note) error {
	done := make(chan error, 1)
	life := b.begin()
	go func() { done <- b.send(life, n) }() // ends when the connection does, at the latest
	select {
	case err := <-done:
		if err != nil {
			b.disconnect()
		}
		return err
	case <-ctx.Done():
		b.disconnect()
		<-done
		return errors.New("the notification service does not answer")
	}
}

func (b *Bus) send(life context.Context, n Note) error {
	conn, err := b.connection(life)
	if err != nil {
		return err
	}
	note := notify.Notification{
		AppName: "Porthole", Summary: n.Title, Body: n.Body,
		ExpireTimeout: notify.ExpireTimeoutSetByNotificationServer,
	}
	if slices.Contains(b.caps, "body-markup") {
		note.Body = html.EscapeString(n.Body)
	}
	if n.Port != 0 && slices.Contains(b.caps, "actions") {
		note.Actions = []notify.Action{{Key: "default", Label: lang.L("Show")}}
	}
	note.AddHint(b.icon) // a name would need an icon theme that has it
	note.AddHint(notify.Hint{ID: "desktop-entry", Variant: dbus.MakeVariant("porthole")})
	id, err := notify.SendNotification(conn, note)
	if err != nil {
		return fmt.Errorf("call the notification service: %w", err)
	}
	b.remember(id, n.Port)
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
	if err := conn.AddMatchSignal(dbus.WithMatchSender(service), dbus.WithMatchInterface(service), dbus.WithMatchMember("ActionInvoked")); err != nil {
		return nil, fmt.Errorf("listen to the notification service: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go b.listen(signals) // ends with the connection
	if b.caps, err = notify.GetCapabilities(conn); err != nil {
		return nil, fmt.Errorf("ask the notification service what it can: %w", err)
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

// begin returns the life of the connection, which disconnect ends. It is not
// that of one notification: the connection outlives it. It begins before the
// goroutine that connects, so that there is always something to end.
func (b *Bus) begin() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end != nil && b.conn != nil && b.conn.Connected() {
		return b.conn.Context()
	}
	if b.end != nil {
		b.end()
	}
	life, end := context.WithCancel(context.Background())
	b.end = end
	return life
}

// service is the name of the notification service and of its interface.
const service = "org.freedesktop.Notifications"

// listen takes clicks. The signals are read here rather than by the library,
// which panics where their values are not of the types that it expects.
func (b *Bus) listen(signals <-chan *dbus.Signal) {
	for s := range signals {
		if s.Name != service+".ActionInvoked" || len(s.Body) < 1 {
			continue
		}
		id, _ := s.Body[0].(uint32)
		b.mu.Lock()
		port, ours := b.ports[id] // everyone's clicks are signalled to everyone
		b.mu.Unlock()
		if ours {
			b.clicked(port)
		}
	}
}

func (b *Bus) remember(id uint32, port uint16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ports[id] = port
	b.order = append(b.order, id)
	if len(b.order) > remembered {
		delete(b.ports, b.order[0])
		b.order = b.order[1:]
	}
}

func (b *Bus) disconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end != nil {
		b.end()
	}
	b.conn, b.end = nil, nil
}

// Close closes the connection.
func (b *Bus) Close() { b.disconnect() }
