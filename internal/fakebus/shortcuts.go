package fakebus

import (
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Names of the portal for global shortcuts (XDG Desktop Portal documentation).
const (
	portalName      = "org.freedesktop.portal.Desktop"
	portalPath      = "/org/freedesktop/portal/desktop"
	shortcutsPortal = "org.freedesktop.portal.GlobalShortcuts"
	sessionPath     = portalPath + "/session/fake/porthole"
)

// Shortcuts is a portal for global shortcuts. It is safe for concurrent use.
type Shortcuts struct {
	conn *dbus.Conn

	mu      sync.Mutex
	refuses bool
	bound   []string // descriptions
}

// StartShortcuts starts a portal on the bus at address until the test ends. refuses means that
// the user grants no shortcut.
func StartShortcuts(t testing.TB, address string, refuses bool) *Shortcuts {
	t.Helper()
	s := &Shortcuts{conn: Dial(t, address), refuses: refuses}
	for name, methods := range map[string]map[string]any{
		shortcutsPortal:                   {"CreateSession": s.createSession, "BindShortcuts": s.bindShortcuts},
		"org.freedesktop.DBus.Properties": {"Get": s.get},
	} {
		if err := s.conn.ExportMethodTable(methods, portalPath, name); err != nil {
			t.Fatal(err)
		}
	}
	Own(t, s.conn, portalName)
	return s
}

// get returns the version of the interface, its only property.
func (s *Shortcuts) get(of, _ string) (dbus.Variant, *dbus.Error) {
	if of != shortcutsPortal {
		return dbus.Variant{}, dbus.MakeFailedError(dbus.ErrMsgUnknownInterface)
	}
	return dbus.MakeVariant(uint32(1)), nil
}

func (s *Shortcuts) createSession(sender dbus.Sender, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	return s.respond(sender, options, 0, map[string]dbus.Variant{"session_handle": dbus.MakeVariant(sessionPath)})
}

type shortcut struct {
	ID      string
	Details map[string]dbus.Variant
}

func (s *Shortcuts) bindShortcuts(sender dbus.Sender, session dbus.ObjectPath, all []shortcut, _ string, options map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses || session != sessionPath {
		return s.respond(sender, options, 1, nil)
	}
	for _, one := range all {
		description, _ := one.Details["description"].Value().(string)
		s.bound = append(s.bound, one.ID+": "+description)
	}
	return s.respond(sender, options, 0, nil)
}

// respond answers a request with a signal, before the method returns, as a portal may.
func (s *Shortcuts) respond(sender dbus.Sender, options map[string]dbus.Variant, code uint32, results map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	token, _ := options["handle_token"].Value().(string)
	from := strings.ReplaceAll(strings.TrimPrefix(string(sender), ":"), ".", "_")
	path := dbus.ObjectPath(portalPath + "/request/" + from + "/" + token)
	if results == nil {
		results = map[string]dbus.Variant{}
	}
	if err := s.conn.Emit(path, "org.freedesktop.portal.Request.Response", code, results); err != nil {
		return "", dbus.MakeFailedError(err)
	}
	return path, nil
}

// Bound returns the IDs and descriptions of the shortcuts.
func (s *Shortcuts) Bound() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound
}

// Press presses the keys of a shortcut.
func (s *Shortcuts) Press(id, token string) error {
	return s.conn.Emit(portalPath, shortcutsPortal+".Activated", dbus.ObjectPath(sessionPath), id, uint64(1),
		map[string]dbus.Variant{"activation_token": dbus.MakeVariant(token)})
}

// CloseSession ends the session, as a portal does that restarts.
func (s *Shortcuts) CloseSession() error {
	return s.conn.Emit(sessionPath, "org.freedesktop.portal.Session.Closed", map[string]dbus.Variant{})
}
