package agent

import (
	"slices"

	"porthole/app/link"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// stoppedByUser are the processes that the user stopped in the window last. One
// that was asked to end and runs on is among them: that it ends later is still by
// the user's wish.
type stoppedByUser []link.Process

// keptStops is how many are kept: as many as anyone stops while a close waits for
// its telling.
const keptStops = 64

func (s *stoppedByUser) note(p link.Process) {
	if *s = append(*s, p); len(*s) > keptStops {
		*s = slices.Delete(*s, 0, len(*s)-keptStops)
	}
}

// mark notes in alerts which closes were the user's own doing: those whose last
// owners the user stopped, all of them.
func (s stoppedByUser) mark(alerts []watch.Alert) {
	for i, a := range alerts {
		others := slices.ContainsFunc(a.Listener.Owners, func(o monitor.Owner) bool { return !slices.Contains(s, link.Process{PID: o.PID, Start: o.Start}) })
		alerts[i].ByUser = a.Kind == watch.Closed && len(a.Listener.Owners) > 0 && !others
	}
}
