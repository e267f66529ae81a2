package agent

import (
	"slices"
	"sync"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// userStops lists the processes that the user stopped most recently. It includes
// processes that were signaled and are still running, because a later exit is
// the result of the user's request, too. It is safe for concurrent use.
type userStops struct {
	mu   sync.Mutex
	list []ipc.Process
}

// maxUserStops is more than a user can stop while the alert about a close is pending.
const maxUserStops = 64

func (s *userStops) add(p ipc.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list = append(s.list, p); len(s.list) > maxUserStops {
		s.list = slices.Delete(s.list, 0, len(s.list)-maxUserStops)
	}
}

// how returns how the user stopped all owners of l: the way of the principal one. ok is
// false if the user stopped none, or not all.
func (s *userStops) how(l *monitor.Listener) (how string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range l.Owners {
		found := false
		for _, p := range slices.Backward(s.list) { // the last signal counts
			if found = p.PID == o.PID && p.Start == o.Start; found {
				if i == 0 {
					how = p.How
				}
				break
			}
		}
		if !found {
			return "", false
		}
	}
	return how, len(l.Owners) > 0
}

// stopped reports whether the user stopped all owners of l.
func (s *userStops) stopped(l *monitor.Listener) bool {
	_, ok := s.how(l)
	return ok
}

// markAlerts sets ByUser in alerts about closes and restarts if the user stopped all last
// owners of the listener that closed.
func (s *userStops) markAlerts(alerts []watch.Alert) {
	for i, a := range alerts {
		switch a.Kind {
		case watch.Closed:
			alerts[i].ByUser = s.stopped(a.Listener)
		case watch.Restarted, watch.Moved:
			alerts[i].ByUser = s.stopped(a.Before)
		}
	}
}

// markEvents returns events with Stopped in those that closed because the user stopped
// all last owners of the listener.
func (s *userStops) markEvents(events []monitor.Event) []monitor.Event {
	events = slices.Clone(events) // others have them, too
	for i, e := range events {
		if how, ok := s.how(e.Listener); ok && e.Kind == monitor.Closed {
			events[i].Stopped = how
		}
	}
	return events
}
