package desktop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/app/paths"
)

// Names of the portal for global shortcuts (XDG Desktop Portal documentation,
// org.freedesktop.portal.GlobalShortcuts, version 1).
const (
	portalName      = "org.freedesktop.portal.Desktop"
	portalPath      = "/org/freedesktop/portal/desktop"
	shortcutsPortal = "org.freedesktop.portal.GlobalShortcuts"
	portalRequest   = "org.freedesktop.portal.Request"
	portalSession   = "org.freedesktop.portal.Session"
	portalRegistry  = "org.freedesktop.host.portal.Registry"
	openWindow      = "open-window" // the ID of the shortcut
	maxTokenBytes   = 1024          // bytes of a token
)

// ErrShortcutRefused means that the user or the desktop did not grant the shortcut.
var ErrShortcutRefused = errors.New("the desktop did not grant the shortcut")

// HasShortcuts reports whether programs can ask the desktop on the bus at address for
// shortcuts that work everywhere. It may start the portal.
func HasShortcuts(ctx context.Context, address string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return false, err
	}
	defer c.Close()
	var version dbus.Variant
	err = c.Object(portalName, portalPath).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, shortcutsPortal, "version").Store(&version)
	var refused dbus.Error
	if errors.As(err, &refused) { // no portal, or no such interface
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("query the portal for shortcuts: %w", err)
	}
	return true, nil
}

// Shortcut asks the desktop on the bus at address for a shortcut with this description, for
// which the user chooses the keys, and calls pressed whenever they are pressed. token permits
// raising a window; it may be "". It returns nil when ctx ends, and an error if the shortcut is
// not granted or is taken away.
func Shortcut(ctx context.Context, address, description string, pressed func(token string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	p := &shortcuts{conn: c, portal: c.Object(portalName, portalPath), signals: make(chan *dbus.Signal, 16)}
	for _, match := range [][2]string{{portalRequest, "Response"}, {portalSession, "Closed"}, {shortcutsPortal, "Activated"}} {
		if err := c.AddMatchSignal(dbus.WithMatchSender(portalName), dbus.WithMatchInterface(match[0]), dbus.WithMatchMember(match[1])); err != nil {
			return fmt.Errorf("subscribe to the portal: %w", err)
		}
	}
	c.Signal(p.signals)
	// Portals since 1.20 cannot know which program this is otherwise. Others have no registry.
	_ = p.portal.CallWithContext(ctx, portalRegistry+".Register", 0, paths.AppID, map[string]dbus.Variant{}).Err
	session, err := p.bind(ctx, description)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return p.listen(ctx, session, pressed)
}

// shortcuts is a connection to the portal.
type shortcuts struct {
	conn    *dbus.Conn
	portal  dbus.BusObject
	signals chan *dbus.Signal
}

// bind creates a session with the shortcut and returns its path.
func (p *shortcuts) bind(ctx context.Context, description string) (dbus.ObjectPath, error) {
	results, err := p.request(ctx, "CreateSession", func(token string) []any {
		return []any{map[string]dbus.Variant{"handle_token": dbus.MakeVariant(token), "session_handle_token": dbus.MakeVariant("porthole")}}
	})
	if err != nil {
		return "", err
	}
	handle, _ := results["session_handle"].Value().(string) // a string, by mistake of the portal's first version
	session := dbus.ObjectPath(handle)
	if !session.IsValid() {
		return "", fmt.Errorf("the portal returned the session %q", handle)
	}
	type shortcut struct {
		ID      string
		Details map[string]dbus.Variant
	}
	_, err = p.request(ctx, "BindShortcuts", func(token string) []any {
		return []any{session, []shortcut{{openWindow, map[string]dbus.Variant{"description": dbus.MakeVariant(description)}}}, "",
			map[string]dbus.Variant{"handle_token": dbus.MakeVariant(token)}}
	})
	return session, err
}

// request calls a method of the portal, whose answer is a signal of an object with the token
// in its path, after the user has decided.
func (p *shortcuts) request(ctx context.Context, method string, args func(token string) []any) (map[string]dbus.Variant, error) {
	token := "porthole_" + method
	sender := strings.ReplaceAll(strings.TrimPrefix(p.conn.Names()[0], ":"), ".", "_")
	path := dbus.ObjectPath(portalPath + "/request/" + sender + "/" + token)
	var handle dbus.ObjectPath
	if err := p.portal.CallWithContext(ctx, shortcutsPortal+"."+method, 0, args(token)...).Store(&handle); err != nil {
		return nil, fmt.Errorf("%s of the portal for shortcuts: %w", method, err)
	}
	for {
		s, err := p.next(ctx)
		if err != nil {
			return nil, err
		}
		if s.Name != portalRequest+".Response" || s.Path != path && s.Path != handle || len(s.Body) != 2 {
			continue
		}
		results, _ := s.Body[1].(map[string]dbus.Variant)
		if code, ok := s.Body[0].(uint32); !ok || code != 0 {
			return nil, ErrShortcutRefused
		}
		return results, nil
	}
}

// listen calls pressed for the shortcut until the session or ctx ends.
func (p *shortcuts) listen(ctx context.Context, session dbus.ObjectPath, pressed func(token string)) error {
	for {
		s, err := p.next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case s.Name == portalSession+".Closed" && s.Path == session:
			return ErrShortcutRefused
		case s.Name != shortcutsPortal+".Activated" || len(s.Body) < 4:
			continue
		}
		of, _ := s.Body[0].(dbus.ObjectPath)
		id, _ := s.Body[1].(string)
		options, _ := s.Body[3].(map[string]dbus.Variant)
		token, _ := options["activation_token"].Value().(string)
		if of == session && id == openWindow && len(token) <= maxTokenBytes {
			pressed(token)
		}
	}
}

// next returns the next signal.
func (p *shortcuts) next(ctx context.Context) (*dbus.Signal, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case s, ok := <-p.signals:
		if !ok {
			return nil, errors.New("the session bus has ended")
		}
		return s, nil
	}
}
