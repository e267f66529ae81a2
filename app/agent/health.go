package agent

import (
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/ui/tray"
)

// healthTargets returns the servers that the health checks of active watches ask.
func (a *Agent) healthTargets() (targets []health.Target) {
	for _, rule := range a.rules.Active() {
		if rule.Health == "" {
			continue
		}
		for _, l := range rule.Listeners(a.update.Snapshot) {
			if l.Protocol == monitor.TCP {
				targets = append(targets, health.Target{Listener: l, Path: rule.Health})
			}
		}
	}
	return targets
}

// checkHealth makes the checker ask what the watches want.
func (a *Agent) checkHealth() {
	interval := health.Interval
	if a.powerSave {
		interval = health.SavingInterval
	}
	targets := a.healthTargets()
	if len(targets) == 0 && len(a.checks) == 0 && len(a.checked.targets) == 0 {
		return
	}
	wanted := checked{targets, interval}
	if !wanted.same(a.checked) {
		a.checked = wanted
		a.checker.Watch(targets, interval)
	}
	a.showChecks()
}

// checked is what the checker was told last.
type checked struct {
	targets  []health.Target
	interval time.Duration
}

func (c checked) same(other checked) bool {
	return c.interval == other.interval && slices.Equal(c.targets, other.targets)
}

// handleHealth shows an answer to a health check, and notifies about and stores the event that
// it is; e has no kind if it is none.
func (a *Agent) handleHealth(e monitor.Event) {
	if e.Kind != "" {
		if l := a.listenerByID(e.Listener.ID); l != nil { // more may be known of it
			e.Listener = l
		} else {
			return // it has closed
		}
		a.store(e)
		a.recent = append(a.recent, e)
		a.recent = slices.Clone(a.recent[max(0, len(a.recent)-tray.MaxRecent):])
		a.unread = true
		a.clearViewed()
		a.notifyAlerts(a.watcher.Checked(time.Now(), e))
	}
	if !a.showChecks() && e.Kind != "" {
		a.showTray()
	}
}

// showChecks shows what the health checks found in the tray and the window, and reports whether
// that has changed.
func (a *Agent) showChecks() bool {
	checks := a.checker.Checks()
	if slices.EqualFunc(checks, a.checks, health.Check.Same) {
		return false
	}
	a.checks = checks
	a.showTray()
	a.sendStatus()
	return true
}

// newChecker returns the checker of a, whose own connections the tracker does not count.
func newChecker(a *Agent) *health.Checker {
	return health.NewChecker(health.Callbacks{
		Changed:   func(e monitor.Event) { a.do(func() { a.handleHealth(e) }) },
		Connected: a.tracker.Own,
	})
}
