package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

func TestUserStopsMarkAlerts(t *testing.T) {
	listener := func(owners ...monitor.Owner) *monitor.Listener { return &monitor.Listener{Owners: owners} }
	stopped, other, reusedPID := monitor.Owner{PID: 10, Start: 1}, monitor.Owner{PID: 11, Start: 1}, monitor.Owner{PID: 10, Start: 2}
	var s userStops
	s.add(ipc.Process{PID: 10, Start: 1, How: "SIGTERM"})
	s.add(ipc.Process{PID: 10, Start: 1, How: "SIGKILL"})
	alerts := []watch.Alert{
		{Kind: watch.Closed, Listener: listener(stopped)},
		{Kind: watch.Closed, Listener: listener(stopped, other)},
		{Kind: watch.Closed, Listener: listener(reusedPID)},
		{Kind: watch.Closed, Listener: listener()},
		{Kind: watch.Opened, Listener: listener(stopped)},
	}
	s.markAlerts(alerts)
	for i, a := range alerts {
		if want := i == 0; a.ByUser != want {
			t.Errorf("alert %d: got ByUser %t, want %t", i, a.ByUser, want)
		}
	}
	var events []monitor.Event
	for _, a := range alerts {
		events = append(events, monitor.Event{Kind: map[bool]monitor.Kind{true: monitor.Closed, false: monitor.Opened}[a.Kind == watch.Closed], Listener: a.Listener})
	}
	for i, e := range s.markEvents(events) {
		if want := map[int]string{0: "SIGKILL"}[i]; e.Stopped != want || events[i].Stopped != "" {
			t.Errorf("event %d: got %q, and the original %q; want %q and none", i, e.Stopped, events[i].Stopped, want)
		}
	}
	for pid := range 2 * maxUserStops {
		s.add(ipc.Process{PID: pid + 100, Start: 1})
	}
	if len(s.list) != maxUserStops || s.list[maxUserStops-1].PID != 2*maxUserStops+99 {
		t.Errorf("got %d processes, the last %v; want %d and the last one added", len(s.list), s.list[len(s.list)-1], maxUserStops)
	}
}

// killedListener returns the close of a process that SIGKILL ended.
func killedListener() monitor.Event {
	return monitor.Event{At: time.Now(), Kind: monitor.Closed, Listener: testListener(), Exit: monitor.Exit{Signal: "SIGKILL"}}
}

// The news that the user stopped a process comes after the signal, and so after the close.
func TestForceQuitIsNoCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, "")
		defer a.quit()
		a.watcher = watch.NewWatcher(watch.Default(), watch.DefaultGrace)
		a.watcher.Stopped = a.userStops.stopped
		a.update.Ready = true
		stored := make(chan []monitor.Event, 1)
		killed := killedListener()
		go func() { stored <- a.markStops(t.Context(), []monitor.Event{killed}) }()
		a.handleUpdate(monitor.Update{Ready: true, Events: []monitor.Event{killed}})
		time.Sleep(watch.CrashDelay / 2)
		a.userStops.add(ipc.Process{PID: 7, Start: 7, How: "SIGKILL"})
		time.Sleep(watch.CrashDelay)
		a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
		notifier.want(t)
		if e := (<-stored)[0]; e.Stopped != "SIGKILL" || e.Crashed() {
			t.Errorf("stored as %+v, want stopped by the user", e)
		}
		time.Sleep(watch.DefaultGrace)
		a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
		notifier.want(t, "62893 closed: node")
	})
}

// After SIGTERM the user forced the process to quit. How it ended may be unknown, and the
// news of SIGKILL comes after the close.
func TestHistoryNamesTheLastSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, "")
		defer a.quit()
		a.userStops.add(ipc.Process{PID: 7, Start: 7, How: "SIGTERM"})
		closed := killedListener()
		closed.Exit = monitor.Exit{}
		stored := make(chan []monitor.Event, 1)
		go func() { stored <- a.markStops(t.Context(), []monitor.Event{closed}) }()
		time.Sleep(watch.CrashDelay / 2)
		a.userStops.add(ipc.Process{PID: 7, Start: 7, How: "SIGKILL"})
		if e := (<-stored)[0]; e.Stopped != "SIGKILL" {
			t.Errorf("stored as stopped by %q, want SIGKILL", e.Stopped)
		}
	})
}

func TestCrashIsReportedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, "")
		defer a.quit()
		a.watcher = watch.NewWatcher(watch.Default(), watch.DefaultGrace)
		a.watcher.Stopped = a.userStops.stopped
		a.update.Ready = true
		a.handleUpdate(monitor.Update{Ready: true, Events: []monitor.Event{killedListener()}})
		time.Sleep(watch.CrashDelay)
		a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
		notifier.want(t, "62893 crashed: node was killed by SIGKILL")
		time.Sleep(watch.DefaultGrace)
		a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
		notifier.want(t, "62893 crashed: node was killed by SIGKILL")
	})
}
