package agent

import (
	"testing"

	"porthole/app/link"
	"porthole/monitor"
	"porthole/monitor/watch"
)

func TestWhichClosesTheUserWanted(t *testing.T) {
	row := func(owners ...monitor.Owner) *monitor.Listener { return &monitor.Listener{Owners: owners} }
	mine, other, later := monitor.Owner{PID: 10, Start: 1}, monitor.Owner{PID: 11, Start: 1}, monitor.Owner{PID: 10, Start: 2}
	var s stoppedByUser
	s.note(link.Process{PID: 10, Start: 1})
	alerts := []watch.Alert{
		{Kind: watch.Closed, Listener: row(mine)},
		{Kind: watch.Closed, Listener: row(mine, other)},
		{Kind: watch.Closed, Listener: row(later)},
		{Kind: watch.Closed, Listener: row()},
		{Kind: watch.Opened, Listener: row(mine)},
	}
	s.mark(alerts)
	for i, a := range alerts {
		if want := i == 0; a.ByUser != want {
			t.Errorf("%d: by the user %t, want %t", i, a.ByUser, want)
		}
	}
	for pid := range 2 * keptStops {
		s.note(link.Process{PID: pid + 100, Start: 1})
	}
	if len(s) != keptStops || s[keptStops-1].PID != 2*keptStops+99 {
		t.Errorf("%d are kept, the last %v", len(s), s[len(s)-1])
	}
}
