package agent

import (
	"slices"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// userStops are the processes that the user stopped in the window last. One
// that was asked to end and runs on is among them: that it ends later is still by
// the user's wish.
type userStops []ipc.Process

// maxUserStops is how many are kept: as many as anyone stops while a close waits for
// its telling.
const maxUserStops = 64

func (s *userStops) add(p ipc.Process) {
	if *s = append(*s, p); len(*s) > maxUserStops {
		*s = slices.Delete(*s, 0, len(*s)-maxUserStops)
	}
}

// markAlerts notes in alerts which closes were the user's own doing: those whose last
// owners the user stopped, all of them.
func (s userStops) markAlerts(alerts []watch.Alert) {
	for i, a := range alerts {
		others := slices.ContainsFunc(a.Listener.Owners, func(o monitor.Owner) bool { return !slices.Contains(s, ipc.Process{PID: o.PID, Start: o.Start}) })
		alerts[i].ByUser = a.Kind == watch.Closed && len(a.Listener.Owners) > 0 && !others
	}
}
