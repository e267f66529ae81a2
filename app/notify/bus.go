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
	"time"

	"github.com/esiqveland/notify"
	"github.com/godbus/dbus/v5"

	"fyne.io/fyne/v2/lang"

	"porthole/app/paths"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// Action is the user's choice in a notification.
type Action string

// Actions. A click on the notification itself is Show, too.
const (
	Show         Action = "default"
	StopWatching Action = "unwatch"
	Undo         Action = "undo"   // of StopWatching
	Accept       Action = "accept" // an exposed listener is fine
)

// showButton is the key of a button for Show. The specification lets servers draw no
// button for "default", which is the click on the notification.
const showButton = "show"

// drawDefault are the names of the servers (GetServerInformation) that draw a button for
// the action "default" as well. xfce4-notifyd 0.7.3 and lxqt-notificationd 1.2.0 do;
// Plasma 5.27, GNOME 43, Cinnamon 5.6, dunst, mako and notification-daemon do not.
var drawDefault = []string{"Xfce Notify Daemon", "lxqt-notificationd"}

func (a Action) label() string {
	switch a {
	case StopWatching:
		return lang.L("Stop watching")
	case Undo:
		return lang.L("Undo")
	case Accept:
		return lang.L("This is fine")
	}
	return lang.L("Show")
}

// maxStored is the number of notifications whose actions are handled.
const maxStored = 64

// iconSize is the width of a notification's icon in pixels.
const iconSize = 48

// D-Bus names.
const (
	serviceName = "org.freedesktop.Notifications"
	busName     = "org.freedesktop.DBus"
)

// urgencies are the values of the hint "urgency".
var urgencies = map[watch.Urgency]byte{watch.Low: 0, watch.Normal: 1, watch.Critical: 2}

// Bus shows notifications through the session bus (org.freedesktop.Notifications,
// Desktop Notifications Specification 1.2). It uses a private connection: signals
// of notifications on the tray's shared connection would end the tray's
// re-registration.
type Bus struct {
	address  string
	onAction func(Click)
	log      *slog.Logger
	icon     notify.Hint

	// Of the server, as asked by queryServer. They belong to the goroutine of Notify.
	caps         []string // capabilities
	drawsDefault bool     // it is one of drawDefault

	mu     sync.Mutex
	conn   *dbus.Conn
	cancel func()                  // closes conn or aborts connecting
	owner  string                  // unique name of the server that issued the ids below
	shown  map[uint32]Notification // by id
	hidden map[uint32]bool         // ids of those that are not visible any more
	order  []uint32                // ids, the oldest first
	token  activationToken         // the last one received

	queried bool // caps and drawsDefault are those of the current server
}

// activationToken is the content of the signal ActivationToken.
type activationToken struct {
	id    uint32
	token string
}

// Click is what the user chose in a notification.
type Click struct {
	Action       Action
	Notification Notification
	// Token permits raising a window in answer to the click (signal ActivationToken,
	// Desktop Notifications Specification 1.2); "" if the server gives none. It is an
	// xdg-activation token on Wayland and a startup id on X11.
	Token string
}

// NewBus returns a Notifier that uses the session bus at address. Without an
// address, every notification fails with ErrNoBus. onAction is called from a
// goroutine of the connection.
func NewBus(address string, onAction func(Click), log *slog.Logger) *Bus {
	return &Bus{address: address, onAction: onAction, log: log, icon: notify.HintImageDataRGBA(tray.AppIcon(iconSize)), shown: make(map[uint32]Notification), hidden: make(map[uint32]bool)}
}

// Notify shows n. If the server does not answer before ctx ends, the error is
// ErrNoResponse and the connection is closed; the next call reconnects.
func (b *Bus) Notify(ctx context.Context, n Notification) error {
	return b.call(ctx, func(connCtx context.Context) error { return b.send(connCtx, n) })
}

// Withdraw closes the most recent notification with that key. It is not an error
// if the notification is closed already.
func (b *Bus) Withdraw(ctx context.Context, key string) error {
	id := b.idForKey(key)
	if id == 0 {
		return nil
	}
	return b.call(ctx, func(connCtx context.Context) error {
		conn, err := b.connection(connCtx)
		if err != nil {
			return err
		}
		err = conn.Object(serviceName, "/org/freedesktop/Notifications").CallWithContext(connCtx, serviceName+".CloseNotification", 0, id).Err
		var refused dbus.Error
		if err != nil && !errors.As(err, &refused) {
			return wrapCallError(err)
		}
		return nil
	})
}

// call runs do with the context of the connection until ctx ends.
func (b *Bus) call(ctx context.Context, do func(connCtx context.Context) error) error {
	if b.address == "" {
		return ErrNoBus // connecting would start a bus that outlives the program
	}
	done := make(chan error, 1)
	connCtx := b.connectionContext()
	go func() { done <- do(connCtx) }() // ends with the connection at the latest
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

func (b *Bus) send(connCtx context.Context, n Notification) error {
	conn, err := b.connection(connCtx)
	if err != nil {
		return err
	}
	if err := b.queryServer(conn); err != nil {
		return err
	}
	request := notify.Notification{
		AppName: "Porthole", Summary: n.Title, Body: n.Body,
		ExpireTimeout: expireTimeout(n.Expiry), ReplacesID: b.visibleID(cmp.Or(n.ReplacesKey, n.Key)),
	}
	if n.Correction && request.ReplacesID == 0 {
		return nil // nobody sees what it corrects
	}
	if slices.Contains(b.caps, "body-markup") {
		request.Body = html.EscapeString(n.Body)
	}
	if slices.Contains(b.caps, "actions") {
		for _, a := range n.Actions {
			request.Actions = append(request.Actions, notify.Action{Key: string(a), Label: a.label()})
			if a == Show && !b.drawsDefault {
				request.Actions = append(request.Actions, notify.Action{Key: showButton, Label: a.label()})
			}
		}
	}
	if !n.Sound {
		request.AddHint(notify.Hint{ID: "suppress-sound", Variant: dbus.MakeVariant(true)})
	} else if n.SoundName != "" {
		request.AddHint(notify.Hint{ID: "sound-name", Variant: dbus.MakeVariant(n.SoundName)})
	}
	if level, ok := urgencies[n.Urgency]; ok {
		request.AddHint(notify.Hint{ID: "urgency", Variant: dbus.MakeVariant(level)})
	}
	request.AddHint(b.icon) // pixels: an icon name works only if the icon theme has it
	request.AddHint(notify.Hint{ID: "desktop-entry", Variant: dbus.MakeVariant(paths.AppID)})
	id, err := notify.SendNotification(conn, request)
	if err != nil {
		return wrapCallError(err)
	}
	b.store(id, n)
	return nil
}

// expireTimeout returns the argument of Notify for an expiry.
func expireTimeout(expiry time.Duration) time.Duration {
	switch {
	case expiry < 0:
		return notify.ExpireTimeoutNever
	case expiry == 0:
		return notify.ExpireTimeoutSetByNotificationServer
	}
	return expiry
}

// connection returns the connection, or a new one if there is none.
func (b *Bus) connection(connCtx context.Context) (*dbus.Conn, error) {
	if conn := b.connected(); conn != nil {
		return conn, nil
	}
	conn, err := dbus.Connect(b.address, dbus.WithContext(connCtx))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	b.mu.Lock()
	b.conn, b.queried = conn, false
	b.mu.Unlock()
	for _, signal := range []string{"ActionInvoked", "NotificationClosed", "ActivationToken"} {
		if err := conn.AddMatchSignal(dbus.WithMatchSender(serviceName), dbus.WithMatchInterface(serviceName), dbus.WithMatchMember(signal)); err != nil {
			return nil, fmt.Errorf("subscribe to %s of notifications: %w", signal, err)
		}
	}
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(busName), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serviceName)); err != nil {
		return nil, fmt.Errorf("subscribe to restarts of the notification daemon: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go b.handleSignals(conn, signals) // ends with the connection
	var owner string
	// A missing owner is not an error: the next call may activate one.
	_ = conn.BusObject().CallWithContext(connCtx, busName+".GetNameOwner", 0, serviceName).Store(&owner)
	b.setOwner(conn, owner) // it may have changed since the last connection
	b.hideAll()             // they may have expired since the last connection
	return conn, nil
}

// queryServer asks a server that has not been asked before what it can do.
func (b *Bus) queryServer(conn *dbus.Conn) (err error) {
	b.mu.Lock()
	known := b.queried
	b.queried = true // unless the owner changes meanwhile
	b.mu.Unlock()
	if known {
		return nil
	}
	if b.caps, err = notify.GetCapabilities(conn); err != nil {
		b.forgetServer()
		return wrapCallError(err)
	}
	info, err := notify.GetServerInformation(conn)
	if err != nil { // it can show notifications nevertheless
		b.log.Info("the notification daemon does not report its name", "error", err)
	}
	b.drawsDefault = slices.Contains(drawDefault, info.Name)
	return nil
}

func (b *Bus) forgetServer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queried = false
}

func (b *Bus) connected() *dbus.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.conn.Connected() {
		return b.conn
	}
	return nil
}

// connectionContext returns the context of the connection, which disconnect
// cancels. It is created before connecting, so that disconnect can abort that,
// and it outlives single notifications.
func (b *Bus) connectionContext() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancel != nil && b.conn != nil && b.conn.Connected() {
		return b.conn.Context()
	}
	if b.cancel != nil {
		b.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	return ctx
}

// handleSignals handles signals while conn is the current connection: a
// connection that was replaced still delivers signals for a moment, which must be
// ignored. Package notify is not used for this because it panics on signals with
// arguments of unexpected types.
func (b *Bus) handleSignals(conn *dbus.Conn, signals <-chan *dbus.Signal) {
	for s := range signals {
		if s.Name == busName+".NameOwnerChanged" {
			if len(s.Body) == 3 {
				owner, _ := s.Body[2].(string)
				b.setOwner(conn, owner)
			}
			continue
		}
		if len(s.Body) < 2 {
			continue
		}
		id, isID := s.Body[0].(uint32)
		value, isString := s.Body[1].(string)
		switch {
		case s.Name == serviceName+".NotificationClosed":
			b.hide(conn, id)
		case !isID || !isString:
		case s.Name == serviceName+".ActivationToken":
			b.setToken(conn, activationToken{id, value})
		case s.Name == serviceName+".ActionInvoked":
			b.invoke(conn, id, value)
		}
	}
}

// invoke reports the action with that key of notification id. The signal is broadcast: it
// may be for another program's notification.
func (b *Bus) invoke(conn *dbus.Conn, id uint32, key string) {
	b.mu.Lock()
	n, ours := b.shown[id]
	ours = ours && b.conn == conn
	click := Click{Action: Action(key), Notification: n}
	if b.token.id == id { // it comes immediately before the action
		click.Token = b.token.token
	}
	b.token = activationToken{}
	b.mu.Unlock()
	if key == showButton {
		click.Action = Show
	}
	if ours {
		b.onAction(click)
	}
}

// setToken keeps t, as received on conn, for the action that follows.
func (b *Bus) setToken(conn *dbus.Conn, t activationToken) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ours := b.shown[t.id]; ours && b.conn == conn && len(t.token) <= maxToken {
		b.token = t
	}
}

// maxToken is the maximum length of an activation token in bytes. Those of known desktops
// have less than 100.
const maxToken = 1024

func (b *Bus) store(id uint32, n Notification) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, replaced := b.shown[id]; !replaced {
		b.order = append(b.order, id)
	}
	b.shown[id] = n
	delete(b.hidden, id)
	if len(b.order) > maxStored {
		delete(b.shown, b.order[0])
		delete(b.hidden, b.order[0])
		b.order = b.order[1:]
	}
}

// hide records that the notification id expired or was closed, as reported on
// conn. The next one with its key gets an id of its own: Plasma does not show a
// popup for the replacement of an expired notification. Its actions are still
// handled, because some desktops list it in a history.
func (b *Bus) hide(conn *dbus.Conn, id uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ours := b.shown[id]; ours && b.conn == conn {
		b.hidden[id] = true
	}
}

// hideAll is hide for all notifications: the signals of a lost connection are not known.
func (b *Bus) hideAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.order {
		b.hidden[id] = true
	}
}

// setOwner records the unique name of the server, as reported on conn. A new
// server counts ids from 1 again, so the old ids are forgotten: they may belong
// to other programs' notifications now.
func (b *Bus) setOwner(conn *dbus.Conn, owner string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == conn && owner != b.owner {
		b.owner, b.queried = owner, false
		clear(b.shown)
		clear(b.hidden)
		b.order = nil
	}
}

// idForKey returns the id of the most recent notification with that key, or 0.
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

// visibleID is idForKey for notifications that are visible; 0 for others.
func (b *Bus) visibleID(key string) uint32 {
	id := b.idForKey(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hidden[id] {
		return 0
	}
	return id
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
