package integration

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// timeout is how long a test waits for an expected event. A socket that was passed to an
// existing process is found within a minute.
const timeout = 90 * time.Second

// newMonitor returns a Monitor as the program uses it.
func newMonitor(udp bool, interval time.Duration) (*monitor.Monitor, func(), error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	table, err := socket.Open(log)
	if err != nil {
		return nil, nil, err
	}
	m := monitor.New(table, owner.New(), monitor.Options{UDP: udp, Interval: interval, Enrich: enrich.New(), Describe: service.Describe, Logger: log})
	return m, func() { _ = table.Close() }, nil
}

func needMonitor(t *testing.T, udp bool, interval time.Duration) *monitor.Monitor {
	t.Helper()
	m, end, err := newMonitor(udp, interval)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return m
}

// snapshot scans once.
func snapshot(t *testing.T, m *monitor.Monitor) monitor.Snapshot {
	t.Helper()
	s, err := m.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onPort(s monitor.Snapshot, port int) []*monitor.Listener {
	return slices.DeleteFunc(slices.Clone(s.Listeners), func(l *monitor.Listener) bool { return int(l.Port) != port })
}

// format formats listeners as "tcp [addresses] exposure, N sockets of pids", joined by
// "; ". The principal owner is first.
func format(rows []*monitor.Listener) string {
	var out []string
	for _, l := range rows {
		out = append(out, fmt.Sprintf("%s %v %s, %d sockets of %v", l.Protocol, l.Addresses, l.Exposure, len(l.Sockets), pids(l)))
	}
	return strings.Join(out, "; ")
}

func pids(l *monitor.Listener) []int {
	pids := []int{}
	for _, o := range l.Owners {
		pids = append(pids, o.PID)
	}
	return pids
}

// wantListener fails unless a scan shows port as want, and returns its first listener.
func wantListener(t *testing.T, port int, want string) *monitor.Listener {
	t.Helper()
	rows := onPort(snapshot(t, needMonitor(t, false, 0)), port)
	if got := format(rows); got != want || len(rows) == 0 {
		t.Fatalf("port %d:\n got %s\nwant %s", port, got, want)
	}
	return rows[0]
}

// watcher is a running Monitor, and its events about one port.
type watcher struct {
	*testing.T
	m       *monitor.Monitor
	updates *monitor.Subscription
	port    int
	events  []monitor.Event // about port; all ports if it is 0
	now     monitor.Snapshot
}

// watch starts a Monitor and waits for its first snapshot.
func watch(t *testing.T, port int, interval time.Duration) *watcher {
	t.Helper()
	w := &watcher{T: t, m: needMonitor(t, false, interval), port: port}
	w.updates = w.m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	ready := false
	w.wait("the first snapshot", func(u monitor.Update) bool { ready = ready || u.Ready; return ready })
	return w
}

// wait takes updates until done returns true.
func (w *watcher) wait(what string, done func(monitor.Update) bool) {
	w.Helper()
	late := time.After(timeout)
	for {
		if u, ok := w.updates.Take(); ok {
			w.now = u.Snapshot
			for _, c := range u.Events {
				if w.port == 0 || int(c.Listener.Port) == w.port {
					w.events = append(w.events, c)
				}
			}
			if done(u) {
				return
			}
			continue
		}
		select {
		case <-w.updates.C:
		case <-late:
			w.Fatalf("timeout waiting for %s; events: %s; now: %s", what, w.kinds(), format(onPort(w.now, w.port)))
		}
	}
}

// see waits until done returns true for the current snapshot or a later one.
func (w *watcher) see(what string, done func(monitor.Snapshot) bool) {
	w.Helper()
	if !done(w.now) {
		w.wait(what, func(u monitor.Update) bool { return done(u.Snapshot) })
	}
}

// rows waits until the listeners of port are as in want.
func (w *watcher) rows(want string) {
	w.Helper()
	w.see(want, func(s monitor.Snapshot) bool { return format(onPort(s, w.port)) == want })
}

// until waits for as many events as in want and fails if they are different. It ignores
// updates, which depend on the timing of searches.
func (w *watcher) until(want string) {
	w.Helper()
	if n := strings.Count(want, ",") + 1; len(w.notable()) < n {
		w.wait(want, func(monitor.Update) bool { return len(w.notable()) >= n })
	}
	if got := w.kinds(); got != want {
		w.Fatalf("got events %q, want %q", got, want)
	}
}

// notable returns the events about port except updates.
func (w *watcher) notable() []monitor.Event {
	return slices.DeleteFunc(slices.Clone(w.events), func(c monitor.Event) bool { return c.Kind == monitor.Updated })
}

func (w *watcher) kinds() string {
	var kinds []string
	for _, c := range w.notable() {
		kinds = append(kinds, string(c.Kind))
	}
	return strings.Join(kinds, ", ")
}

// refresh requests a poll and waits until it is done.
func (w *watcher) refresh() {
	w.Helper()
	// A listener that appears with this poll, or with an earlier one.
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	defer ln.Close()
	w.m.Refresh()
	w.see("a poll", func(s monitor.Snapshot) bool { return len(onPort(s, child.Port(ln))) > 0 })
}
