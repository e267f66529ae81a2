package agent

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"porthole/app/desktop"
	"porthole/app/notify"
	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// handleUpdate passes an update of the monitor to the watches, the notifications,
// the tray and the window's status. The tray shows every event immediately; only
// notifications can be delayed.
func (a *Agent) handleUpdate(u monitor.Update) {
	healthBefore, wasReady := a.update.Health, a.update.Ready
	a.update = u
	a.countConnections()
	a.checkHealth()
	a.addRecent(u.Events)
	a.observeLastOwners(u.Events)
	a.markUnread(a.rules.Relevant(u.Events))
	a.notifications.Closed(closed(u.Events))
	found := identified(u.Events)
	a.notifications.Identified(found)
	a.identifyMissed(found)
	a.identifyRecent(found)
	alerts := a.watcher.Handle(time.Now(), u.Events)
	defer a.exposure.saveNew(a.log)
	exposed := u.Events
	if !wasReady && u.Ready { // the first snapshot need not come with events
		exposed = append(discovered(u.Snapshot, time.Now()), exposed...)
	}
	a.notifyAlerts(append(alerts, a.exposure.handle(time.Now(), exposed, alerts)...))
	if h := u.Health; h.Problem != healthBefore.Problem || h.Source != healthBefore.Source || h.Interval != healthBefore.Interval {
		a.problems.set("table", tableProblem(u.Health))
		a.sendStatus()
	}
	a.showTray()
}

// closed returns the listeners that have closed.
func closed(events []monitor.Event) (listeners []*monitor.Listener) {
	for _, e := range events {
		if e.Kind == monitor.Closed {
			listeners = append(listeners, e.Listener)
		}
	}
	return listeners
}

// identified returns the listeners whose owner was found.
func identified(events []monitor.Event) (listeners []*monitor.Listener) {
	for _, e := range events {
		if e.Before != nil && len(e.Before.Owners) == 0 && len(e.Listener.Owners) > 0 {
			listeners = append(listeners, e.Listener)
		}
	}
	return listeners
}

// addRecent adds events to those in the tray's menu.
func (a *Agent) addRecent(events []monitor.Event) {
	for _, e := range events {
		switch e.Kind {
		case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged:
			if e.Listener.AcceptsLoopback() && (e.Listener.Protocol != monitor.UDP || a.settings.UDP || a.rules.Matches(e.Listener)) {
				a.recent = append(a.recent, e)
			}
		}
	}
	a.recent = slices.Clone(a.recent[max(0, len(a.recent)-tray.MaxRecent):]) // Clone frees older events
}

// identifyRecent adds the owners of listeners to the events in the tray's menu that lack them.
func (a *Agent) identifyRecent(listeners []*monitor.Listener) {
	for _, l := range listeners {
		for i, e := range a.recent {
			if e.Listener.ID == l.ID && len(e.Listener.Owners) == 0 {
				a.recent[i].Listener = l
			}
		}
	}
}

// markUnread handles events of watched ports: it sets the tray's marks for events
// that the user has not seen.
func (a *Agent) markUnread(events []monitor.Event) {
	for _, e := range events {
		a.unread = true
		exposed := (e.Kind == monitor.ExposureChanged || e.Kind == monitor.Opened) && e.Listener.Exposure.IsExposed()
		a.alert = a.alert || exposed || e.Kind == monitor.OwnerChanged
	}
	a.clearViewed()
}

// notifyAlerts shows notifications for alerts, or stores them during a pause.
func (a *Agent) notifyAlerts(alerts []watch.Alert) {
	a.userStops.markAlerts(alerts)
	a.describeFlapping(alerts)
	for _, alert := range alerts {
		if alert.Kind == watch.OwnerChanged && !a.window.viewsPorts() { // because the port closed and opened again
			a.alert = true
			a.showTray()
		}
	}
	for _, dropped := range a.hooks.add(alerts) {
		a.setHookResult(dropped.Rule, errHooksFull)
	}
	if !a.settings.Notifications {
		return
	}
	now, held := []watch.Alert(nil), []watch.Alert(nil)
	quiet := a.settings.QuietHours.Contains(time.Now())
	for _, alert := range alerts {
		if a.paused || quiet && alert.Rule.Urgency != watch.Critical {
			held = append(held, alert)
		} else {
			now = append(now, alert)
		}
	}
	a.notifications.NotifyAlerts(a.withUrgency(now))
	a.addMissed(held)
}

// withUrgency returns alerts with the urgency of the settings where the rule has none.
// Only that of a rule matters for quiet hours.
func (a *Agent) withUrgency(alerts []watch.Alert) []watch.Alert {
	for i := range alerts {
		rule := &alerts[i].Rule
		switch {
		case rule.Urgency != "":
		case alerts[i].Kind == watch.Crashed:
			rule.Urgency = cmp.Or(a.settings.CrashUrgency, watch.Critical)
		default:
			rule.Urgency = a.settings.Urgency
		}
	}
	return alerts
}

// current returns delayed alerts as they apply now. Openings of ports that have
// closed again are dropped. The last alert about a flapping port describes its
// present state: its present owner, or that it is closed.
func (a *Agent) current(alerts []watch.Alert) []watch.Alert {
	return slices.DeleteFunc(alerts, func(x watch.Alert) bool {
		if x.Kind == watch.Attempted { // holds as long as the port is closed
			return a.presentListener(x) != nil
		}
		return x.Kind != watch.Closed && x.Kind != watch.Crashed && x.Kind != watch.Flapping && a.presentListener(x) == nil
	})
}

// describeFlapping sets the present state in alerts about flapping ports.
func (a *Agent) describeFlapping(alerts []watch.Alert) {
	for i := range alerts {
		if x := &alerts[i]; x.Kind == watch.Flapping {
			if l := a.presentListener(*x); l != nil {
				x.Listener = l
			} else {
				x.NowClosed = true
			}
		}
	}
}

// presentListener returns the current state of the listener that alert x is
// about, nil if it is not open.
func (a *Agent) presentListener(x watch.Alert) *monitor.Listener {
	var found *monitor.Listener
	for _, l := range a.update.Snapshot.Listeners {
		switch {
		case l.ID == x.Listener.ID:
			return l
		case x.Rule.FollowsService() && x.Rule.Matches(l), l.Port == x.Listener.Port && l.Protocol == x.Listener.Protocol:
			found = l
		}
	}
	return found
}

// handleAction handles what the user chose in a notification. It can be called from any
// goroutine.
func (a *Agent) handleAction(c notify.Click) {
	n := c.Notification
	a.do(func() {
		a.notifications.Seen(n.Key)
		switch c.Action {
		case notify.Show:
			a.window.activate(n.Port, c.Token)
		case notify.StopWatching:
			a.silence(n)
		case notify.Accept:
			a.exposure.accept(n.Listeners, a.log)
		case notify.Undo:
			a.undoSilence()
		}
	})
}

// silenced is a change of the watches that Undo in a notification takes back.
type silenced struct{ before, after watch.Rules }

// silence stops watching the listener of n, and says in a notification how.
func (a *Agent) silence(n notify.Notification) {
	if n.Listener == nil {
		return
	}
	before := a.rules
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.Silence(n.Listener) })
	a.silenced = silenced{before, a.rules}
	_, single := n.Rule.Ports.Single()
	a.notifications.Notify(notify.Unwatched(n.Listener, n.Rule, single))
}

// undoSilence takes back the last silence, and keeps what was changed since.
func (a *Agent) undoSilence() {
	s := a.silenced
	if a.silenced = (silenced{}); s.before == nil {
		return
	}
	a.changeWatches(func(r watch.Rules) watch.Rules { return watch.Merge(s.after, r, s.before) })
}

// watchNotifications reports whether notifications can be shown, before the first
// one and when a notification daemon starts or ends, until ctx or the bus ends.
func (a *Agent) watchNotifications(ctx context.Context, address string) {
	if !notify.UsesBus {
		return
	}
	unavailable := func(err error) {
		a.log.Warn("notifications are not available", "error", err)
		a.reportDelivery(err)
	}
	if address == "" {
		unavailable(notify.ErrNoBus)
		return
	}
	err := desktop.WatchNotifications(ctx, address, func(present bool) {
		if present {
			a.reportDelivery(nil)
		} else {
			unavailable(notify.ErrNoService)
		}
	})
	if err != nil && ctx.Err() == nil {
		unavailable(err)
	}
}

// reportDelivery sets or clears the notification problem in the window. It can be
// called from any goroutine.
func (a *Agent) reportDelivery(err error) {
	a.do(func() {
		if errors.Is(err, notify.ErrNoService) {
			a.setMissing("notifications", notificationProblem(err), func() {})
		} else {
			a.setProblem("notifications", notificationProblem(err))
		}
	})
}
