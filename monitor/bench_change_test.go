//go:build bench && linux

package monitor_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// Names of what a change is measured with.
const (
	firstOwner = "a change and its first owner"
	fullWalk   = "the same owner by a walk over all processes"
)

// noted is a table that remembers what it showed.
type noted struct {
	socket.Table
	sockets []monitor.Socket
}

func (n *noted) Sockets(dst []monitor.Socket, udp bool) ([]monitor.Socket, error) {
	all, err := n.Table.Sockets(dst, udp)
	n.sockets = all[len(dst):]
	return all, err
}

// change returns two contestants: a process that listens already opens one more
// port, and whose it is is found out the monitor's way, or by asking everyone.
func change(t *testing.T, opener *worker) (all []*contestant, done func()) {
	t.Helper()
	opened, err := socket.Open(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	table := &noted{Table: opened}
	finder := owner.New()
	m := monitor.New(table, finder, monitor.Options{})
	if _, err := m.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	port := firstPort
	before := func() {
		port++
		opener.ask(t, order{Do: "open", N: port, Address: openAddress})
	}
	after := func() {
		opener.ask(t, order{Do: "close"})
		if err := m.LookOnly(); err != nil {
			t.Fatal(err)
		}
		finder.Calm(opener.cmd.Process.Pid) // this and the next the monitor does in the background
		finder.Find(t.Context(), monitor.Recent, nil, nil)
	}
	find := func(scope monitor.Scope) func() (int, error) {
		return func() (int, error) {
			if err := m.LookOnly(); err != nil {
				return 0, err
			}
			i := slices.IndexFunc(table.sockets, func(s monitor.Socket) bool { return int(s.Port) == port })
			if i < 0 {
				return 0, fmt.Errorf("port %d is not in the table", port)
			}
			pid := 0
			finder.Find(t.Context(), scope, table.sockets[i:i+1], func(h monitor.Holding) { pid = h.Owner.PID })
			if pid != opener.cmd.Process.Pid {
				return 0, fmt.Errorf("port %d is said to be %d's, not %d's", port, pid, opener.cmd.Process.Pid)
			}
			return len(table.sockets), nil
		}
	}
	return []*contestant{
		{name: firstOwner, run: find(monitor.Likely), before: before, after: after},
		{name: fullWalk, run: find(monitor.Everywhere), before: before, after: after},
	}, func() { _ = opened.Close() }
}
