package monitor

import (
	"slices"
	"time"
)

// This file finds out how the owners of closed listeners ended. The kernel closes the
// sockets of a process first and reports its exit a moment later, so the events of a
// close wait for that.

// ending is the end of a process that held a closed socket.
type ending struct {
	owner Owner
	exit  Exit
	life  Life
	begin time.Time // of waiting for its exit
	until time.Time // its exit is no longer awaited then
	ended time.Time // when it was first seen to have ended; zero before
}

const (
	exitWait   = 250 * time.Millisecond // for a process to end after its sockets were closed. Usually that takes microseconds, but on a busy machine it may wait for a processor
	aliveWait  = 50 * time.Millisecond  // for a process that is still running to end. Some, such as Python, close their sockets in their last milliseconds
	exitDelay  = 5 * time.Millisecond   // for the report of an exit after it, which may wait for a processor, too
	exitCheck  = time.Millisecond       // shortest time between two checks
	checkShare = 8                      // the time between two checks is this fraction of the time waited
	maxEndings = 64                     // more are not waited for
)

// askExits begins to wait for the exits of the holders of e, which was closed.
func (m *Monitor) askExits(e *entry, now time.Time) {
	if m.opts.Programs == nil || !m.ready {
		return
	}
	for _, h := range e.holders {
		if len(m.endings) < maxEndings && m.endingOf(h.Owner) == nil {
			m.endings = append(m.endings, &ending{owner: h.Owner, life: Exiting, begin: now, until: now.Add(exitWait)})
		}
	}
}

func (m *Monitor) endingOf(o Owner) *ending {
	if i := slices.IndexFunc(m.endings, func(e *ending) bool { return e.owner.Same(o) }); i >= 0 {
		return m.endings[i]
	}
	return nil
}

// awaitExits asks how the processes ended that have closed sockets. It returns when to ask
// again, the zero time if that is of no use.
func (m *Monitor) awaitExits(now time.Time) (next time.Time) {
	for _, e := range m.endings {
		if m.awaitExit(e, now) {
			next = earliest(next, now.Add(max(exitCheck, now.Sub(e.begin)/checkShare)))
		}
	}
	return next
}

// awaitExit asks how a process ended, and reports whether it may be known later.
func (m *Monitor) awaitExit(e *ending, now time.Time) bool {
	if e.exit.Known() || e.life == NeverKnown || !now.Before(e.until) {
		return false
	}
	e.exit, e.life = m.opts.Programs.Exit(e.owner)
	if e.life == Ended && e.ended.IsZero() {
		e.ended, e.until = now, now.Add(exitDelay)
	}
	if e.life == Alive && !now.Before(e.begin.Add(aliveWait)) {
		e.until = now
	}
	return !e.exit.Known() && e.life != NeverKnown && now.Before(e.until)
}

// exitOf returns how the principal owner of a closed listener ended.
func (m *Monitor) exitOf(l *Listener) Exit {
	o, known := l.Principal()
	if !known || m.opts.Programs == nil {
		return Exit{}
	}
	if e := m.endingOf(o); e != nil {
		return e.exit
	}
	exit, _ := m.opts.Programs.Exit(o)
	return exit
}
