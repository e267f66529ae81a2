package desktop

import (
	"context"
	"errors"
	"slices"
	"testing"

	"porthole/internal/await"
	"porthole/internal/fakebus"
)

func TestShortcut(t *testing.T) {
	address := fakebus.Start(t)
	if has, err := HasShortcuts(t.Context(), address); has || err != nil {
		t.Errorf("without a portal: got %t, %v", has, err)
	}
	if err := Shortcut(t.Context(), address, "Open Porthole", func(string) {}); err == nil {
		t.Error("without a portal: got no error")
	}
	portal := fakebus.StartShortcuts(t, address, false)
	if has, err := HasShortcuts(t.Context(), address); !has || err != nil {
		t.Errorf("with a portal: got %t, %v", has, err)
	}
	run := func(ctx context.Context) (pressed chan string, ended chan error) {
		pressed, ended = make(chan string, 8), make(chan error, 1)
		go func() { ended <- Shortcut(ctx, address, "Open Porthole", func(token string) { pressed <- token }) }()
		return pressed, ended
	}
	ctx, cancel := context.WithCancel(t.Context())
	pressed, ended := run(ctx)
	await.Until(t, "the shortcut is bound", func() bool { return len(portal.Bound()) > 0 })
	if got := portal.Bound(); !slices.Equal(got, []string{"open-window: Open Porthole"}) {
		t.Errorf("got the shortcuts %q", got)
	}
	for _, id := range []string{"another", "open-window"} {
		if err := portal.Press(id, "token of "+id); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-pressed; got != "token of open-window" {
		t.Errorf("got the token %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("after the end of the context: got %v, want nil", err)
	}
	_, ended = run(t.Context())
	await.Until(t, "it is bound again", func() bool { return len(portal.Bound()) > 1 })
	if err := portal.CloseSession(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrShortcutRefused) {
		t.Errorf("after the end of the session: got %v, want %v", err, ErrShortcutRefused)
	}
}

func TestShortcutIsRefused(t *testing.T) {
	address := fakebus.Start(t)
	fakebus.StartShortcuts(t, address, true)
	if err := Shortcut(t.Context(), address, "Open Porthole", func(string) {}); !errors.Is(err, ErrShortcutRefused) {
		t.Errorf("got %v, want %v", err, ErrShortcutRefused)
	}
}
