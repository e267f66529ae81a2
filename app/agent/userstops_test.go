package agent

import (
	"testing"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

func TestWhichClosesTheUserWanted(t *testing.T) {
	row := func(owners ...monitor.Owner) *monitor.Listener { return &monitor.Listener{Owners: owners} }
	mine, other, later := monitor.Owner{PID: 10, Start: 1}, monitor.Owner{PID: 11, Start: 1}, monitor.Owner{PID: 10, Start: 2}
	var s userStops
	s.add(ipc.Process{PID: 10, Start: 1})
	alerts := []watch.Alert{
		{Kind: watch.Closed, Listener: row(mine)},
		{Kind: watch.Closed, Listener: row(mine, other)},
		{Kind: watch.Closed, Listener: row(later)},
		{Kind: watch.Closed, Listener: row()},
		{Kind: watch.Opened, Listener: row(mine)},
	}
	s.markAlerts(alerts)
	for i, a := range alerts {
		if want := i == 0; a.ByUser != want {
			t.Errorf("%d: by the user %t, want %t", i, a.ByUser, want)
		}
	}
	for pid := range 2 * maxUserStops {
		s.add(ipc.Process{PID: pid + 100, Start: 1})
	}
	if len(s) != maxUserStops || s[maxUserStops-1].PID != 2*maxUserStops+99 {
		t.Errorf("%d are kept, the last %v", len(s), s[len(s)-1])
	}
}
