package cli

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/monitor/owner"
	"porthole/monitor/warning"
	"porthole/monitor/watch"
)

// healthJSON is what the health checks of the watches say about a listener. The running Porthole
// makes them; without it, nothing is known.
type healthJSON struct {
	State health.State `json:"state,omitempty"` // "healthy" or "unhealthy"; absent before the second answer
	Since time.Time    `json:"since,omitzero"`
	monitor.HealthAnswer
	Text string `json:"text,omitempty"` // the last answer in English
}

// askChecks returns the health checks of the running Porthole, without asking it if no watch has
// any.
func (q query) askChecks() []health.Check {
	if !slices.ContainsFunc(q.rules, func(r watch.Rule) bool { return !r.Off && r.Health != "" }) {
		return nil
	}
	answer, err := requestAgent(ipc.Message{Kind: ipc.Lookup})
	if err != nil || answer.Status == nil { // it is not running, or an older one
		return nil
	}
	return answer.Status.Checks
}

// healthJSON returns the worst check of l, nil if there is none.
func (q query) healthJSON(l *monitor.Listener) *healthJSON {
	c, ok := health.Of(q.checks, l.ID)
	if !ok {
		return nil
	}
	out := &healthJSON{State: c.State, Since: c.Since.UTC(), HealthAnswer: c.Answer}
	if c.Answer.Status != 0 || c.Answer.Failure != "" {
		out.Text = c.Answer.Sentence().String()
	}
	return out
}

// healthText describes the worst check of l: "healthy (/health)", "unhealthy: HTTP 503, for 2m3s
// (/health)"; "" if there is none.
func (q query) healthText(l *monitor.Listener, now time.Time) string {
	c, ok := health.Of(q.checks, l.ID)
	if !ok {
		return ""
	}
	text := "not known yet"
	switch c.State {
	case health.Healthy:
		text = "healthy"
	case health.Unhealthy:
		text = fmt.Sprintf("unhealthy: %s, for %v", c.Answer.Sentence(), now.Sub(c.Since).Truncate(time.Second))
	}
	return fmt.Sprintf("%s (%s)", text, monitor.Clean(c.Answer.Path, 60))
}

// healthState returns the state of the worst check of l in one word; "" without one.
func (q query) healthState(l *monitor.Listener) string {
	c, _ := health.Of(q.checks, l.ID)
	return string(c.State)
}

// healthBrief describes the worst check of l without a time: "unhealthy: HTTP 503"; "" without
// one, or before its state is known.
func (q query) healthBrief(l *monitor.Listener) string {
	c, _ := health.Of(q.checks, l.ID)
	if c.State == health.Unhealthy {
		return "unhealthy: " + c.Answer.Sentence().String()
	}
	return string(c.State)
}

// announceOwn makes the running Porthole leave a connection of this command out of the clients
// of the server.
func announceOwn(client, server netip.AddrPort) {
	_, _ = requestAgent(ipc.Message{Kind: ipc.OwnConnection, Client: client, Server: server}) // without a running Porthole, nobody counts
}

// requestAgent sends a message to the running Porthole.
func requestAgent(m ipc.Message) (ipc.Message, error) {
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		return ipc.Message{}, err
	}
	return ipc.Request(dir, m)
}

// findAmbiguous returns the IDs of the listeners among all for which "localhost" is ambiguous.
func findAmbiguous(all []*monitor.Listener) map[string]bool {
	found := map[string]bool{}
	for _, l := range all {
		if warning.Ambiguous(l, warning.SamePort(all, l)) {
			found[l.ID] = true
		}
	}
	return found
}

// findNamed returns a UsageError if one of targets is a name of several listeners.
func findNamed(ctx context.Context, q query, targets []*waitTarget) error {
	if len(targetsOf(targets)) == len(targets) {
		return nil
	}
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return err
	}
	return checkNames(s.Listeners, targets)
}

// checkNames returns a UsageError if one of targets is a name of several of all.
func checkNames(all []*monitor.Listener, targets []*waitTarget) error {
	for _, t := range targets {
		if t.name == "" {
			continue
		}
		if found := named(all, t.name); len(found) > 1 {
			return ambiguousName(t.name, found)
		}
	}
	return nil
}
