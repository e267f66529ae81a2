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
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// patience is how long a test waits for what must come: machines are slow.
const patience = 90 * time.Second // what was passed on to a process that is there is found within a minute

// newMonitor puts together what the program does.
func newMonitor(udp bool, interval time.Duration) (*monitor.Monitor, func(), error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	table, err := socket.Open(log)
	if err != nil {
		return nil, nil, err
	}
	m := monitor.New(table, owner.New(), monitor.Options{UDP: udp, Interval: interval, Describe: service.Describe, Logger: log})
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

// snapshot is one look.
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

// picture writes rows as "tcp [addresses] reach, N sockets of pids", joined by
// "; ". Owners stand in their order, the principal first.
func picture(rows []*monitor.Listener) string {
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

// row fails unless one look shows port as want, and returns its first row.
func row(t *testing.T, port int, want string) *monitor.Listener {
	t.Helper()
	rows := onPort(snapshot(t, needMonitor(t, false, 0)), port)
	if got := picture(rows); got != want || len(rows) == 0 {
		t.Fatalf("port %d:\n got %s\nwant %s", port, got, want)
	}
	return rows[0]
}

// watcher is a running Monitor, and what it told of one port.
type watcher struct {
	*testing.T
	m       *monitor.Monitor
	updates *monitor.Subscription
	port    int
	changes []monitor.Event // of port, all
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

// wait takes updates until done says so.
func (w *watcher) wait(what string, done func(monitor.Update) bool) {
	w.Helper()
	late := time.After(patience)
	for {
		if u, ok := w.updates.Take(); ok {
			w.now = u.Snapshot
			for _, c := range u.Events {
				if w.port == 0 || int(c.Listener.Port) == w.port {
					w.changes = append(w.changes, c)
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
			w.Fatalf("%s did not come; told: %s; now: %s", what, w.told(), picture(onPort(w.now, w.port)))
		}
	}
}

// see waits until the snapshot is as done says; it may be so already.
func (w *watcher) see(what string, done func(monitor.Snapshot) bool) {
	w.Helper()
	if !done(w.now) {
		w.wait(what, func(u monitor.Update) bool { return done(u.Snapshot) })
	}
}

// rows waits until port looks like want.
func (w *watcher) rows(want string) {
	w.Helper()
	w.see(want, func(s monitor.Snapshot) bool { return picture(onPort(s, w.port)) == want })
}

// until waits until as many changes were told that are not updates, which may
// come or not as searches go, and fails where they are others.
func (w *watcher) until(want string) {
	w.Helper()
	if n := strings.Count(want, ",") + 1; len(w.loud()) < n {
		w.wait(want, func(monitor.Update) bool { return len(w.loud()) >= n })
	}
	if got := w.told(); got != want {
		w.Fatalf("told %q, want %q", got, want)
	}
}

// loud returns the changes of port that are worth telling anyone.
func (w *watcher) loud() []monitor.Event {
	return slices.DeleteFunc(slices.Clone(w.changes), func(c monitor.Event) bool { return c.Kind == monitor.Updated })
}

func (w *watcher) told() string {
	var kinds []string
	for _, c := range w.loud() {
		kinds = append(kinds, string(c.Kind))
	}
	return strings.Join(kinds, ", ")
}

// look asks for a look and waits until it is over.
func (w *watcher) look() {
	w.Helper()
	// A listener of this test's own that a look shows, and the looks before it too.
	ln, err := listenOn("127.0.0.1:0", 0)
	if err != nil {
		w.Fatal(err)
	}
	defer ln.Close()
	w.m.Refresh()
	w.see("a look", func(s monitor.Snapshot) bool { return len(onPort(s, portOf(ln))) > 0 })
}
