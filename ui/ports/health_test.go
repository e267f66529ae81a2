package ports

import (
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/monitor/label"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
)

// checkOf returns a check of a listener that began two minutes ago.
func checkOf(d *desk, l *monitor.Listener, state health.State, answer monitor.HealthAnswer) health.Check {
	return health.Check{Listener: l.ID, State: state, Since: d.At.Add(-2 * time.Minute), Answer: answer}
}

// A card shows what the health checks of its watch found; other cards do not change.
func TestCardsShowHealth(t *testing.T) {
	d := newDesk(t)
	rule := func(ports, path string) watch.Rule { return watch.Rule{Ports: uitest.Ports(t, ports), Health: path} }
	good, bad, silent, wide := uitest.Listening(3000, "node", 10), uitest.Listening(3001, "deno", 11), uitest.Listening(3002, "ruby", 12), uitest.Listening(3003, "java", 13, "0.0.0.0")
	first, second := uitest.Listening(4000, "node", 20), uitest.Listening(4001, "node", 21)
	broken := monitor.HealthAnswer{Path: "/health", Status: 503}
	d.SetStatus(Status{User: "ada",
		Rules: watch.Rules{rule("3000", "/health"), rule("3001", "/health"), rule("3002", "/"), rule("3003", "/health"), rule("4000-4001", "/health"), rule("3001", "")},
		Checks: []health.Check{
			checkOf(d, good, health.Healthy, monitor.HealthAnswer{Path: "/health", Status: 200}), checkOf(d, bad, health.Unhealthy, broken),
			checkOf(d, silent, health.Unhealthy, monitor.HealthAnswer{Path: "/", Failure: monitor.NoAnswer}), checkOf(d, wide, health.Healthy, monitor.HealthAnswer{Path: "/health", Status: 200}),
			checkOf(d, first, health.Unhealthy, broken), checkOf(d, second, health.Unknown, monitor.HealthAnswer{Path: "/health"}),
		}})
	d.see(good, bad, silent, wide, first, second)
	d.Want("cards", d.cards(), []string{
		"3000 ● healthy: node",
		"3001 ✖ unhealthy: HTTP 503, for 2 min · deno",
		"3002 ✖ unhealthy: no answer within 3 s, for 2 min · ruby",
		"3003 ◐ exposed to the network: java",
		"4000-4001 ✖ 1 of 2 unhealthy: 4000: HTTP 503, for 2 min · 4000 node, 4001 node",
		"3001 ● listening: deno",
	})
	for i, want := range []string{"GET /health\nhealthy", "GET /health\nunhealthy: HTTP 503, for 2 min", "GET /\nunhealthy: no answer within 3 s, for 2 min", "GET /health\nhealthy",
		"GET /health\n4000: unhealthy: HTTP 503, for 2 min\n4001: not checked yet", ""} {
		if tip := d.ports.cards.cards[i].model.tip; tip != want {
			t.Errorf("tooltip of card %d: got %q, want %q", i, tip, want)
		}
	}
	d.At = d.At.Add(time.Minute)
	d.Tick()
	if got := d.ports.cards.cards[1].model.detail; !strings.HasPrefix(got, "HTTP 503, for 3 min") {
		t.Errorf("a minute later: got %q, want 3 min", got)
	}
}

// The card of a port that nothing listens on shows the user's label for the port.
func TestCardOfClosedPortShowsLabel(t *testing.T) {
	d := newDesk(t)
	single := func(ports string) watch.Rule { return watch.Rule{Ports: uitest.Ports(t, ports)} }
	named := single("5434")
	named.Name = "test database"
	d.SetStatus(Status{User: "ada", Rules: watch.Rules{single("5433"), named, single("5435")},
		Labels: label.Rules{Labels: []label.Label{{On: single("5433-5434"), Name: "test database"}}}})
	d.see()
	d.ShowProbe(freeProbe(5433, 5434, 5435))
	d.Want("cards", d.cards(), []string{"5433 ○ free: test database", "test database ○ free: 5434", "5435 ○ free: "})
}
