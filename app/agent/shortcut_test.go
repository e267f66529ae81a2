package agent

import (
	"context"
	"path/filepath"
	"testing"

	"porthole/app/desktop"
	"porthole/internal/await"
	"porthole/internal/fakebus"
)

// withShortcut runs the part of an agent that holds the shortcut on the bus at address, until
// the test ends, and returns a function that runs f on the loop's goroutine.
func withShortcut(t *testing.T, address string) (a *Agent, on func(f func())) {
	t.Helper()
	a, _ = newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	a.shortcut.wanted = make(chan bool, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() {
		a.keepShortcut(ctx, desktop.Session{"DBUS_SESSION_BUS_ADDRESS": address, "XDG_CURRENT_DESKTOP": "XFCE"})
		ended <- struct{}{}
	}()
	go func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case f := <-a.inbox:
				f()
			}
		}
		ended <- struct{}{}
	}()
	t.Cleanup(func() { a.quit(); cancel(); <-ended; <-ended })
	return a, func(f func()) {
		done := make(chan struct{})
		a.do(func() { f(); close(done) })
		<-done
	}
}

func TestShortcutFollowsTheSetting(t *testing.T) {
	address := fakebus.Start(t)
	portal := fakebus.StartShortcuts(t, address, false)
	a, on := withShortcut(t, address)
	turn := func(to bool) { on(func() { a.settings.Shortcut = to; a.askShortcut() }) }
	problem := func() (has bool) { on(func() { has = a.problems.has("shortcut") }); return has }
	on(a.askShortcut) // a window was opened
	turn(true)
	await.Until(t, "the shortcut is bound", func() bool { return len(portal.Bound()) == 1 })
	on(a.askShortcut)
	if err := portal.CloseSession(); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "it is reported that the shortcut is gone", problem)
	turn(false)
	turn(true)
	await.Until(t, "the shortcut is bound again", func() bool { return len(portal.Bound()) == 2 })
	await.Until(t, "the problem is over", func() bool { return !problem() })
	advice := ""
	if on(func() { advice = a.shortcut.advice }); advice != "" {
		t.Errorf("got the advice %q, want none", advice)
	}
}

func TestAdviceWithoutShortcuts(t *testing.T) {
	a, on := withShortcut(t, fakebus.Start(t))
	on(a.askShortcut)
	advice := ""
	await.Until(t, "there is advice", func() bool { on(func() { advice = a.shortcut.advice }); return advice != "" })
	if want := "This desktop offers no shortcuts to programs. Add one for the command “porthole” yourself: Settings, Keyboard, Application Shortcuts"; advice != want {
		t.Errorf("got %q, want %q", advice, want)
	}
}
