package agent

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
	"porthole/monitor/watch"
)

// The first connection of each client is notified and stored once for a watch that asks
// for it, also after a restart.
func TestNotifiesAboutNewClients(t *testing.T) {
	folder := t.TempDir()
	a, notifier := newTestAgent(t, filepath.Join(folder, "pause.json"))
	a.history = store.Open(filepath.Join(folder, "history.db"), store.Options{})
	defer a.history.Close()
	a.settings.Notifications, a.clients.path = true, filepath.Join(folder, "clients.json")
	asks := watch.Rule{Ports: monitor.Ports{{First: 62893, Last: 62893}}, NotifyOn: watch.OnConnect}
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: 62893, Last: 62893}}}}
	a.watcher.SetRules(a.rules, 0)
	a.update.Snapshot.Listeners = []*monitor.Listener{testListener()}
	psql := connection.NewVisitor{Listener: "a", Visitor: connection.Visitor{Name: "psql", PID: 812, User: "ann"}}
	other := connection.NewVisitor{Listener: "a", Visitor: connection.Visitor{Address: netip.MustParseAddr("192.168.1.20")}}
	if a.handleClients([]connection.NewVisitor{psql}); a.identifiesClients() {
		t.Error("clients are identified although no watch asks for it")
	}
	a.rules = watch.Rules{a.rules[0], asks}
	a.watcher.SetRules(a.rules, 0)
	if !a.identifiesClients() {
		t.Error("clients are not identified")
	}
	until := func(want ...string) {
		t.Helper()
		await.Until(t, "the notifications are shown", func() bool {
			notifier.mu.Lock()
			defer notifier.mu.Unlock()
			return slices.Equal(notifier.titles, want)
		}, func() any { return notifier.titles })
	}
	again := psql
	again.PID = 813
	a.handleClients([]connection.NewVisitor{psql, again, {Listener: "closed", Visitor: other.Visitor}})
	until("psql (PID 812, user ann) connected to 62893, first time")
	a.clients = knownClients{path: a.clients.path} // a restart
	a.handleClients([]connection.NewVisitor{psql, other})
	until("psql (PID 812, user ann) connected to 62893, first time", "192.168.1.20 connected to 62893, first time")
	a.history.Flush()
	events, err := store.OpenReader(filepath.Join(folder, "history.db")).Events(t.Context(), history.Query{})
	if err != nil || len(events) != 2 || events[1].Client.String() != "psql (PID 812, user ann)" {
		t.Errorf("history: got %+v, %v; want two events", events, err)
	}
}

func TestKnownClientsAreLimited(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	k := knownClients{path: filepath.Join(t.TempDir(), "clients.json")}
	rule := watch.Rule{Ports: monitor.Ports{{First: 1, Last: 1}}}
	for i := range 2 * maxKnownClients {
		k.add(rule, string(rune('a'+i)), log)
	}
	if n := len(k.known["1 "]); n != maxKnownClients {
		t.Errorf("got %d clients, want %d", n, maxKnownClients)
	}
}
