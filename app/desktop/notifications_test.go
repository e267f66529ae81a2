package desktop

import (
	"context"
	"errors"
	"testing"
	"time"

	"porthole/internal/fakebus"
)

func TestWatchNotifications(t *testing.T) {
	address := fakebus.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	present, ended := make(chan bool, 8), make(chan error, 1)
	go func() { ended <- WatchNotifications(ctx, address, func(is bool) { present <- is }) }()
	want := func(what string, want bool) {
		t.Helper()
		select {
		case got := <-present:
			if got != want {
				t.Errorf("%s: got %t, want %t", what, got, want)
			}
		case err := <-ended:
			t.Fatalf("%s: WatchNotifications returned %v", what, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: got nothing within 20 s, want %t", what, want)
		}
	}
	want("initially", false)
	s := fakebus.StartNotifications(t, address)
	want("daemon started", true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want("daemon ended", false)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("WatchNotifications: %v", err)
	}
}

func TestQueryNotifications(t *testing.T) {
	address := fakebus.Start(t)
	if _, err := QueryNotifications(t.Context(), address); !errors.Is(err, ErrNoNotifications) {
		t.Errorf("no daemon: got error %v, want %v", err, ErrNoNotifications)
	}
	s := fakebus.StartNotifications(t, address)
	want := NotificationServer{Name: "fake", Version: "1.5", Actions: true}
	if n, err := QueryNotifications(t.Context(), address); n != want || err != nil {
		t.Errorf("got %+v, error %v; want %+v", n, err, want)
	}
	s.Hang(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if n, err := QueryNotifications(ctx, address); err == nil {
		t.Errorf("hung daemon: got %+v, want an error", n)
	}
}
