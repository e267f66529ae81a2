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

// take is the way of the data: what the monitor sees goes to the watches, the
// notifications, the tray and the window's status. Tray and window show each
// change at once; only the telling may wait.
func (a *Agent) take(u monitor.Update) {
	health := a.update.Health
	a.update = u
	a.remember(u.Changes)
	a.mark(a.rules.Concern(u.Changes))
	a.tell(a.watcher.Take(time.Now(), u.Changes))
	if h := u.Health; h.Problem != health.Problem || h.Source != health.Source || h.Interval != health.Interval {
		a.problems.set("table", tableProblem(u.Health))
		a.tellStatus()
	}
	a.showTray()
}

// remember keeps the last few changes for the tray's menu.
func (a *Agent) remember(changes []monitor.Change) {
	for _, c := range changes {
		switch c.Kind {
		case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ReachChanged:
			if c.Listener.Loopback() {
				a.recent = append(a.recent, c)
			}
		}
	}
	a.recent = slices.Clone(a.recent[max(0, len(a.recent)-tray.MaxRecent):]) // what is older can go
}

// mark notes what nobody has looked at yet, by changes of watched ports.
func (a *Agent) mark(changes []monitor.Change) {
	for _, c := range changes {
		if c.Kind == monitor.Closed {
			a.notes.Outdate(c.Listener.Port) // what says that it is open is not true any more
		}
		a.unseen = true
		exposed := (c.Kind == monitor.ReachChanged || c.Kind == monitor.Opened) && c.Listener.Reach == monitor.TheNetwork
		a.alarm = a.alarm || exposed || c.Kind == monitor.OwnerChanged
	}
	a.seen()
}

func (a *Agent) tell(alerts []watch.Alert) {
	a.stopped.mark(alerts)
	for _, alert := range alerts {
		if alert.Kind == watch.Changed && !a.window.showsPorts() { // by a close and an opening
			a.alarm = true
			a.showTray()
		}
	}
	if !a.chosen.Notifications {
		return
	}
	if !a.paused {
		a.notes.Tell(alerts)
		return
	}
	a.miss(alerts)
}

// acted does what the user wants with a notification.
func (a *Agent) acted(action notify.Action, n notify.Note) {
	a.do(func() {
		switch action {
		case notify.Show:
			a.window.show(n.Port)
		case notify.StopWatching:
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.Off(n.Rule) })
		}
	})
}

// notifier returns the way to the desktop's notifications.
func (a *Agent) notifier() notify.Notifier {
	if address := a.opts.Session.BusAddress(); address != "" {
		return notify.WithFallback(notify.NewBus(address, a.acted, a.log), notify.NewApart(apart(a.opts.Session)), a.log)
	}
	if busOnly {
		return noNotifier{}
	}
	return notify.NewPortable()
}

// apart makes this program the process that shows one notification through
// beeep, in session.
func apart(session desktop.Session) func(context.Context) (*exec.Cmd, error) {
	return func(ctx context.Context) (*exec.Cmd, error) {
		program, err := ownProgram()
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
		a.delivered(notify.ErrNoBus)
	}
	if address == "" {
		return
	}
	err := desktop.WatchNotifications(ctx, address, func(present bool) {
		if present {
			a.delivered(nil)
			return
		}
		a.log.Warn("notifications will not be shown", "problem", notify.ErrNoService)
		a.delivered(notify.ErrNoService)
	})
	if err != nil && ctx.Err() == nil {
		a.log.Warn("whether notifications are shown here cannot be told", "problem", err)
		a.delivered(err)
	}
}

// noNotifier stands where there is no session bus: beeep would start one.
type noNotifier struct{}

func (noNotifier) Notify(context.Context, notify.Note) error {
	return notify.ErrNoBus
}
func (noNotifier) Withdraw(context.Context, string) error { return nil }
func (noNotifier) Close()                                 {}

// delivered notes whether notifications are shown: the notification worker calls
// it after each delivery.
func (a *Agent) delivered(err error) {
	a.do(func() {
		if a.problems.set("notifications", notificationProblem(err)) {
			a.tellStatus()
		}
	})
}
