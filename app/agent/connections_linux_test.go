package agent

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"porthole/app/ipc"
	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/sockevents"
	"porthole/monitor/watch"
)

// The agent counts the connections of watched ports, and of those that the window asks
// for, and answers a lookup with the counts.
func TestCountsWatchedAndShownPorts(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	a.tracker = sockevents.Open(slog.New(slog.DiscardHandler), sockevents.Callbacks{})
	if found, err := a.tracker.Availability(); err != nil {
		t.Skipf("the kernel's messages are %s: %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.tracker.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	listen := func(id string) (net.Listener, *monitor.Listener) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ln.Close() })
		at := netip.MustParseAddrPort(ln.Addr().String())
		return ln, &monitor.Listener{ID: id, Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}, Exposure: monitor.ExposureLoopback}
	}
	watched, lw := listen("watched")
	shown, ls := listen("shown")
	_, other := listen("other")
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: lw.Port, Last: lw.Port}}}}
	a.update.Snapshot.Listeners = []*monitor.Listener{lw, ls, other}
	a.countConnections()
	a.shownPorts = []uint16{ls.Port}
	a.countConnections()
	connect := func(ln net.Listener) {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		_ = s.Close()
	}
	for range 3 {
		connect(watched)
	}
	connect(shown)
	var got map[string]connection.Totals
	await.Until(t, "all connections are counted", func() bool {
		got = a.withTotals(ipc.Message{Listeners: a.update.Snapshot.Listeners}).Totals
		return got["watched"].Connections == 3 && got["shown"].Connections == 1
	}, func() any { return got })
	if _, ok := got["other"]; ok {
		t.Errorf("got a count for a port that is neither watched nor shown: %v", got)
	}
	a.forgetShownPorts()
	if got := a.withTotals(ipc.Message{Listeners: []*monitor.Listener{ls}}).Totals; len(got) != 0 {
		t.Errorf("after the window has closed: got %v, want no count", got)
	}
}
