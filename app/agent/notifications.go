package agent

import (
	"context"
	"os/exec"
	"slices"
	"time"

	"porthole/app/desktop"
	"porthole/app/notify"
	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// This file is how the agent tells the user of changes.

// handleUpdate is the way of the data: what the monitor sees goes to the watches, the
// notifications, the tray and the window's status. Tray and window show each
// change at once; only the telling may wait.
func (a *Agent) handleUpdate(u monitor.Update) {
	health := a.update.Health
	a.update = u
	a.addRecent(u.Events)
	a.markUnread(a.rules.Relevant(u.Events))
	a.notifyAlerts(a.watcher.Handle(time.Now(), u.Events))
	if h := u.Health; h.Problem != health.Problem || h.Source != health.Source || h.Interval != health.Interval {
		a.problems.set("table", tableProblem(u.Health))
		a.sendStatus()
	}
	a.showTray()
}

// addRecent keeps the last few changes for the tray's menu.
func (a *Agent) addRecent(changes []monitor.Event) {
	for _, c := range changes {
		switch c.Kind {
		case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged:
			if c.Listener.AcceptsLoopback() {
				a.recent = append(a.recent, c)
			}
		}
	}
	a.recent = slices.Clone(a.recent[max(0, len(a.recent)-tray.MaxRecent):]) // what is older can go
}

// markUnread notes what nobody has looked at yet, by changes of watched ports.
func (a *Agent) markUnread(changes []monitor.Event) {
	for _, c := range changes {
		if c.Kind == monitor.Closed {
			a.notes.Withdraw(c.Listener.Port) // what says that it is open is not true any more
		}
		a.unread = true
		exposed := (c.Kind == monitor.ExposureChanged || c.Kind == monitor.Opened) && c.Listener.Exposure == monitor.ExposureNetwork
		a.alert = a.alert || exposed || c.Kind == monitor.OwnerChanged
	}
	a.clearViewed()
}

func (a *Agent) notifyAlerts(alerts []watch.Alert) {
	a.userStops.markAlerts(alerts)
	for _, alert := range alerts {
		if alert.Kind == watch.OwnerChanged && !a.window.viewsPorts() { // by a close and an opening
			a.alert = true
			a.showTray()
		}
	}
	if !a.settings.Notifications {
		return
	}
	if !a.paused {
		a.notes.NotifyAlerts(alerts)
		return
	}
	a.addMissed(alerts)
}

// handleAction does what the user wants with a notification.
func (a *Agent) handleAction(action notify.Action, n notify.Notification) {
	a.do(func() {
		switch action {
		case notify.Show:
			a.window.show(n.Port)
		case notify.StopWatching:
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.Disable(n.Rule) })
		}
	})
}

// notifier returns the way to the desktop's notifications.
func (a *Agent) notifier() notify.Notifier {
	if address := a.opts.Session.BusAddress(); address != "" {
		return notify.WithFallback(notify.NewBus(address, a.handleAction, a.log), notify.NewSubprocess(notificationCommand(a.opts.Session)), a.log)
	}
	if busOnly {
		return noNotifier{}
	}
	return notify.NewPortable()
}

// notificationCommand makes this program the process that shows one notification through
// beeep, in session.
func notificationCommand(session desktop.Session) func(context.Context) (*exec.Cmd, error) {
	return func(ctx context.Context) (*exec.Cmd, error) {
		program, err := executablePath()
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, program, "notification")
		cmd.Args[0] = "porthole"
		cmd.Env = session.Environ()
		return cmd, nil
	}
}

// watchNotifications says at once what the first notification would find out,
// and that it is mended when a service comes, until ctx or the bus ends.
func (a *Agent) watchNotifications(ctx context.Context, address string) {
	if address == "" && busOnly {
		a.log.Warn("notifications will not be shown", "problem", notify.ErrNoBus)
		a.reportDelivery(notify.ErrNoBus)
	}
	if address == "" {
		return
	}
	err := desktop.WatchNotifications(ctx, address, func(present bool) {
		if present {
			a.reportDelivery(nil)
			return
		}
		a.log.Warn("notifications will not be shown", "problem", notify.ErrNoService)
		a.reportDelivery(notify.ErrNoService)
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("whether notifications are shown here cannot be told", "problem", err)
		a.reportDelivery(err)
	}
}

// noNotifier stands where there is no session bus: beeep would start one.
type noNotifier struct{}

func (noNotifier) Notify(context.Context, notify.Notification) error {
	return notify.ErrNoBus
}
func (noNotifier) Withdraw(context.Context, string) error { return nil }
func (noNotifier) Close()                                 {}

// reportDelivery notes whether notifications are shown: the notification worker calls
// it after each delivery.
func (a *Agent) reportDelivery(err error) {
	a.do(func() {
		if a.problems.set("notifications", notificationProblem(err)) {
			a.sendStatus()
		}
	})
}
