package desktop

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// bus starts a bus of the test's own and returns its address.
func bus(t *testing.T) string {
	t.Helper()
	c := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:tmpdir="+t.TempDir(), "--print-address")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Skipf("needs dbus-daemon: %v", err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon said %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

// logind shows one session, called 2, on the bus at address.
func logind(t *testing.T, address string) *prop.Properties {
	t.Helper()
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
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
	if reply, err := c.RequestName(logindName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("take logind's name: %v, %v", reply, err)
	}
	return properties
}

func TestALockedOrIdleSessionIsQuiet(t *testing.T) {
	address := bus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	session := logind(t, address)
	away, err := Session{"XDG_SESSION_ID": "2"}.sessionIdle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, hint := range []string{"LockedHint", "IdleHint"} {
		if away() {
			t.Fatalf("neither locked nor idle: away, want not")
		}
		session.SetMust(logindName+".Session", hint, true)
		if !away() {
			t.Errorf("%s: not away, want away", hint)
		}
		session.SetMust(logindName+".Session", hint, false)
	}
	for name, s := range map[string]Session{"no session": {}, "another session": {"XDG_SESSION_ID": "7"}} {
		if away, _ := s.sessionIdle(t.Context()); away() {
			t.Errorf("%s: away, want not", name)
		}
	}
}

func TestWatchQuietTellsAndEnds(t *testing.T) {
	address := bus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	logind(t, address).SetMust(logindName+".Session", "LockedHint", true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		Session{"XDG_SESSION_ID": "2"}.WatchPowerSave(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), func(quiet bool) { told <- quiet })
	}()
	select {
	case quiet := <-told:
		if !quiet {
			t.Error("a locked session: not quiet, want quiet")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a locked session was not told")
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("WatchQuiet does not end with its context")
	}
}
