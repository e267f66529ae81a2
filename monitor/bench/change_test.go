//go:build bench && linux

package bench

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// Names of the contestants that find the owner of a new port.
const (
	firstOwner = "poll and first owner of a new port"
	fullWalk   = "the same with a search through all processes"
)

// change returns two contestants: a process that listens already opens one more
// port, and its owner is found by a Likely search, as the monitor does it, or by a
// search through all processes.
func change(t *testing.T, opener *worker) (all []*contestant, done func()) {
	t.Helper()
	table, err := socket.Open(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	finder := owner.New()
	if _, err := monitor.New(table, finder, monitor.Options{}).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	poll := func() ([]monitor.Socket, error) {
		sockets, _, err := table.Poll(monitor.PollOptions{Fresh: true})
		return sockets, err
	}
	port := firstPort
	before := func() {
		port++
		opener.ask(t, order{Do: "open", N: port, Address: openAddress})
	}
	after := func() {
		opener.ask(t, order{Do: "close"})
		if _, err := poll(); err != nil {
			t.Fatal(err)
		}
		// The monitor does this in the background.
		finder.Verify([]monitor.Holding{{Owner: monitor.Owner{PID: opener.PID}}})
		finder.Find(t.Context(), monitor.Recent, nil, nil)
	}
	find := func(scope monitor.Scope) func() (int, error) {
		return func() (int, error) {
			sockets, err := poll()
			if err != nil {
				return 0, err
			}
			i := slices.IndexFunc(sockets, func(s monitor.Socket) bool { return int(s.Port) == port })
			if i < 0 {
				return 0, fmt.Errorf("port %d is not in the table", port)
			}
			pid := 0
			finder.Find(t.Context(), scope, sockets[i:i+1], func(h monitor.Holding) { pid = h.Owner.PID })
			if pid != opener.PID {
				return 0, fmt.Errorf("found owner %[2]d of port %[1]d, want %[3]d", port, pid, opener.PID)
			}
			return len(sockets), nil
		}
	}
	return []*contestant{
		{name: firstOwner, run: find(monitor.Likely), before: before, after: after},
		{name: fullWalk, run: find(monitor.Everywhere), before: before, after: after},
	}, func() { _ = table.Close() }
}
