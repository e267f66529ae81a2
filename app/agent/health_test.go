package agent

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// A watch with a health check notifies about and stores the failures of a real server and
// their end, and the tray shows the state.
func TestChecksHealth(t *testing.T) {
	folder := t.TempDir()
	a, notifier := newTestAgent(t, filepath.Join(folder, "pause.json"))
	defer a.quit()
	a.history = store.Open(filepath.Join(folder, "history.db"), store.Options{})
	defer a.history.Close()
	a.settings.Notifications = true
	var status atomic.Int64
	status.Store(503)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			t.Errorf("got a request for %s, want /health", r.URL.Path)
		}
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	at := server.Listener.Addr().(*net.TCPAddr).AddrPort()
	l := testListener()
	l.Port, l.Sockets = at.Port(), []monitor.HeldSocket{{Socket: monitor.Socket{Protocol: monitor.TCP, Address: at.Addr().Unmap(), Port: at.Port()}}}
	other := testListener() // of a watch without a health check
	other.ID, other.Port = "b", 1
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: at.Port(), Last: at.Port()}}, Health: "/health"}, {Ports: monitor.Ports{{First: 1, Last: 1}}}}
	a.watcher.SetRules(a.rules, 0)
	a.update.Snapshot.Listeners = []*monitor.Listener{other, l}
	if targets := a.healthTargets(); len(targets) != 1 || targets[0] != (health.Target{Listener: l, Path: "/health"}) {
		t.Fatalf("got targets %+v, want the one of the watch", targets)
	}
	running := make(chan struct{})
	go func() { defer close(running); a.checker.Run(a.ctx) }()
	defer func() { a.quit(); <-running }()
	a.checker.Watch(a.healthTargets(), 10*time.Millisecond)
	until := func(what string, ok func() bool) {
		t.Helper()
		limit := time.After(time.Minute)
		for !ok() {
			select {
			case f := <-a.inbox:
				f()
			case <-limit:
				t.Fatalf("waited a minute until %s; the checks are %+v", what, a.checks)
			}
		}
	}
	state := func() health.State { c, _ := health.Of(a.checks, "a"); return c.State }
	until("the server is unhealthy", func() bool { return state() == health.Unhealthy })
	if lines := tray.NewModel(a.trayState()).Watched; len(lines) == 0 || !strings.HasPrefix(lines[0].Text, "✖") || !strings.HasSuffix(lines[0].Text, "unhealthy: HTTP 503") {
		t.Errorf("got tray lines %+v, want the first one unhealthy", lines)
	}
	if s := a.status(); len(s.Checks) != 1 || !a.unread {
		t.Errorf("got checks %+v and unread %v, want one and true", s.Checks, a.unread)
	}
	status.Store(200)
	until("the server is healthy", func() bool { return state() == health.Healthy })
	await.Until(t, "both are notified", func() bool {
		notifier.mu.Lock()
		defer notifier.mu.Unlock()
		return slices.ContainsFunc(notifier.titles, func(s string) bool { return strings.Contains(s, "is healthy again") })
	}, func() any { return notifier.titles })
	if !slices.ContainsFunc(notifier.titles, func(s string) bool { return strings.HasSuffix(s, " is unhealthy: node, HTTP 503") }) {
		t.Errorf("got titles %q, want one about the failure", notifier.titles)
	}
	a.history.Flush()
	events, err := store.OpenReader(filepath.Join(folder, "history.db")).Events(t.Context(), history.Query{OldestFirst: true})
	if err != nil || len(events) != 2 || events[0].Kind != monitor.Unhealthy || events[0].Health.Status != 503 || events[1].Kind != monitor.Healthy {
		t.Errorf("history: got %+v, %v; want the failure and its end", events, err)
	}
	e := newHookEvent(watch.Alert{Kind: watch.Unhealthy, Listener: l, Health: events[0].Health})
	if e.Health == nil || e.Health.Text != "HTTP 503" || e.State != "open" || !slices.Contains(e.environment(), "PORTHOLE_HEALTH=HTTP 503") {
		t.Errorf("hook: got %+v, want HTTP 503", e)
	}
	a.update.Snapshot.Listeners = nil
	if a.checkHealth(); len(a.checks) != 0 {
		t.Errorf("got %+v after the server has closed, want nothing", a.checks)
	}
}

// During a pause the notification waits; a watch that selects other events causes none.
func TestHealthDuringAPause(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	a.history = store.Open(filepath.Join(t.TempDir(), "history.db"), store.Options{})
	defer a.history.Close()
	a.settings.Notifications, a.paused = true, true
	l := testListener()
	a.update.Snapshot.Listeners = []*monitor.Listener{l}
	e := monitor.Event{Kind: monitor.Unhealthy, At: time.Now(), Listener: l, Health: monitor.HealthAnswer{Path: "/", Status: 500}}
	for _, test := range []struct {
		rule watch.Rule
		want int
	}{
		{watch.Rule{Ports: watch.Default()[0].Ports, Health: "/"}, 1},
		{watch.Rule{Ports: watch.Default()[0].Ports, Health: "/", NotifyOn: watch.OnOpen}, 0},
		{watch.Rule{Ports: watch.Default()[0].Ports, Health: "/other"}, 0},
		{watch.Rule{Ports: watch.Default()[0].Ports}, 0},
	} {
		a.rules, a.missed = watch.Rules{test.rule}, nil
		a.watcher.SetRules(a.rules, 0)
		if a.handleHealth(e); len(a.missed) != test.want {
			t.Errorf("%+v: got %d alerts for the end of the pause, want %d", test.rule, len(a.missed), test.want)
		}
	}
	closed := *l
	closed.ID = "closed"
	e.Listener = &closed
	a.recent = nil
	if a.handleHealth(e); len(a.recent) > 0 {
		t.Error("an answer of a server that has closed is an event")
	}
}
