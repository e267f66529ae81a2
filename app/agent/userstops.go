package agent

import (
	"slices"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// userStops lists the processes that the user stopped most recently. It includes
// processes that were signaled and are still running, because a later exit is
// the result of the user's request, too.
type userStops []ipc.Process

// maxUserStops is more than a user can stop while the alert about a close is pending.
const maxUserStops = 64

func (s *userStops) add(p ipc.Process) {
	if *s = append(*s, p); len(*s) > maxUserStops {
		*s = slices.Delete(*s, 0, len(*s)-maxUserStops)
	}
}

// markAlerts sets ByUser in closing alerts if the user stopped all last owners of
// the listener.
func (s userStops) markAlerts(alerts []watch.Alert) {
	for i, a := range alerts {
		others := slices.ContainsFunc(a.Listener.Owners, func(o monitor.Owner) bool { return !slices.Contains(s, ipc.Process{PID: o.PID, Start: o.Start}) })
		alerts[i].ByUser = a.Kind == watch.Closed && len(a.Listener.Owners) > 0 && !others
	}
}
