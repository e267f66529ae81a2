//go:build cgo

package window

import (
	"testing"
	"time"

	"porthole/monitor/connection"
	"porthole/ui/probe"
)

// A window is probed less often after nothing has happened for a while, and as before once
// something happens.
func TestPace(t *testing.T) {
	quiet := probe.Result{Counts: map[string]int{"1": 2}, States: map[string]connection.State{"1": {}}}
	connected := probe.Result{Counts: quiet.Counts, States: map[string]connection.State{"1": {Conns: make([]connection.Conn, 1)}}}
	var p pace
	rest := func() {
		t.Helper()
		for range restAfter + 1 {
			p.next(probe.Request{}, quiet)
		}
		if got := p.next(probe.Request{}, quiet); got != restInterval {
			t.Fatalf("nothing has happened: got %v until the next probe, want %v", got, restInterval)
		}
	}
	want := func(what string, got time.Duration) {
		t.Helper()
		if got != probeInterval {
			t.Errorf("%s: got %v until the next probe, want %v", what, got, probeInterval)
		}
	}
	want("at first", p.next(probe.Request{}, quiet))
	rest()
	want("another count", p.next(probe.Request{}, probe.Result{Counts: map[string]int{"1": 3}}))
	rest()
	want("a connection is shown", p.next(probe.Request{}, connected))
	rest()
	want("a window with rates is open", p.next(probe.Request{Rates: true}, quiet))
	rest()
	p.disturb()
	want("the user did something", p.next(probe.Request{}, quiet))
	rest()
	if got := p.next(probe.Request{}, probe.Result{States: quiet.States}); got != restInterval {
		t.Errorf("nothing was counted: got %v until the next probe, want %v", got, restInterval)
	}
}
