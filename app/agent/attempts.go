package agent

import (
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// attemptGrace is how long attempts to connect to a closed port go on before they are
// notified: a server that is starting is often awaited that way.
const attemptGrace = 4 * time.Second

// handleAttempts shows the refused attempts to connect to closed watched ports, notifies
// about those that a rule includes, and stores a burst when it has ended.
func (a *Agent) handleAttempts(current, ended []connection.Burst) {
	a.storeAttempts(ended)
	now := time.Now()
	for _, b := range current {
		if now.Sub(b.First) < attemptGrace || a.notifiedAttempts[b.Port].Equal(b.First) {
			continue
		}
		if a.notifiedAttempts == nil {
			a.notifiedAttempts = map[uint16]time.Time{}
		}
		a.notifiedAttempts[b.Port] = b.First
		a.notifyAlerts(a.attemptAlerts(now, b))
	}
	for _, b := range ended {
		delete(a.notifiedAttempts, b.Port)
	}
	if slices.Equal(a.attempts, current) {
		return
	}
	a.attempts = current
	a.showTray()
	a.sendStatus()
}

// attemptAlerts returns the alerts about b, with the last owner of its port if that is known.
func (a *Agent) attemptAlerts(now time.Time, b connection.Burst) []watch.Alert {
	alerts := a.watcher.Attempted(now, b.Port, b.LastMinute)
	if last, known := a.lastOwnersOf(now)[lastowner.Port{Protocol: monitor.TCP, Number: b.Port}]; known {
		for i := range alerts {
			alerts[i].LastOwner = words.PastOwner(last)
		}
	}
	return alerts
}

// storeAttempts stores bursts of attempts in the history.
func (a *Agent) storeAttempts(bursts []connection.Burst) {
	for _, b := range bursts {
		a.store(monitor.Event{At: b.Last, Kind: monitor.Attempted, Listener: monitor.ClosedPort(b.Port), Attempts: b.Attempts, Lasted: b.Last.Sub(b.First)})
	}
}

// closedPorts returns the ports of watches that nothing listens on, as far as clients on
// this machine can tell.
func (a *Agent) closedPorts() monitor.Ports {
	if !a.update.Ready || a.update.Health.Problem != "" {
		return nil
	}
	var open monitor.Ports
	for _, l := range a.update.Snapshot.Listeners {
		if l.Protocol == monitor.TCP && l.AcceptsLoopback() {
			open = append(open, monitor.PortRange{First: l.Port, Last: l.Port})
		}
	}
	return a.rules.TCPPorts().Without(monitor.Union(open))
}
