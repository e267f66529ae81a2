package desktop

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"porthole/internal/fakebus"
)

// fakeLogind serves one session with the id 2 on a fake system bus.
func fakeLogind(t *testing.T) *prop.Properties {
	t.Helper()
	address := fakebus.Start(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	c := fakebus.Dial(t, address)
	const session = dbus.ObjectPath("/org/freedesktop/login1/session/_32")
	getSession := func(id string) (dbus.ObjectPath, *dbus.Error) {
		if id != "2" {
			return "", dbus.NewError(logindName+".NoSuchSession", nil)
		}
		return session, nil
	}
	if err := c.ExportMethodTable(map[string]any{"GetSession": getSession}, "/org/freedesktop/login1", logindName+".Manager"); err != nil {
		t.Fatal(err)
	}
	properties, err := prop.Export(c, session, prop.Map{logindName + ".Session": {
		"LockedHint": {Value: false, Writable: true},
		"IdleHint":   {Value: false, Writable: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	fakebus.Own(t, c, logindName)
	return properties
}

func TestSessionIdle(t *testing.T) {
	session := fakeLogind(t)
	idle, err := Session{"XDG_SESSION_ID": "2"}.sessionIdle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, hint := range []string{"LockedHint", "IdleHint"} {
		if idle() {
			t.Fatal("neither locked nor idle: got true, want false")
		}
		session.SetMust(logindName+".Session", hint, true)
		if !idle() {
			t.Errorf("%s: got false, want true", hint)
		}
		session.SetMust(logindName+".Session", hint, false)
	}
	for name, s := range map[string]Session{"no session": {}, "another session": {"XDG_SESSION_ID": "7"}} {
		if idle, _ := s.sessionIdle(t.Context()); idle() {
			t.Errorf("%s: got true, want false", name)
		}
	}
}

func TestWatchPowerSaveReportsAndEnds(t *testing.T) {
	fakeLogind(t).SetMust(logindName+".Session", "LockedHint", true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reports, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		Session{"XDG_SESSION_ID": "2"}.WatchPowerSave(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), func(save bool) { reports <- save })
	}()
	select {
	case save := <-reports:
		if !save {
			t.Error("locked session: got false, want true")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("locked session: got no report within 10 s")
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("WatchPowerSave did not return within 10 s of the end of its context")
	}
}
