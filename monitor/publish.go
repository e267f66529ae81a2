package monitor

import "time"

// This file decides when a socket becomes visible, and publishes snapshots.

func (m *Monitor) makeVisible(e *entry) {
	e.visible = true
	m.dirty[e.endpoint()] = true
}

// revealDue makes the sockets visible that have an owner or have waited long
// enough for one. It returns the time when the next socket is due; zero if none
// is waiting.
func (m *Monitor) revealDue(now time.Time) (next time.Time) {
	wait := ownerWait
	if !m.ready {
		wait = firstWait
	}
	for id, e := range m.unsettled {
		if e.visible {
			if !e.needsSearch {
				delete(m.unsettled, id)
			}
			if now.Before(e.retryAt) {
				next = earliest(next, e.retryAt)
			}
			continue
		}
		due := e.seen.Add(wait)
		if e.searched || (m.ready && len(e.holders) > 0) {
			due = m.enrichDue(e, now)
		}
		if !now.Before(due) {
			m.makeVisible(e)
			continue
		}
		next = earliest(next, due)
	}
	return next
}

// enrichDue returns when an entry whose owner is known is published, now unless an
// answer about it is pending.
func (m *Monitor) enrichDue(e *entry, now time.Time) time.Time {
	if m.progress(e) != Pending {
		return now
	}
	if e.enrichUntil.IsZero() {
		e.enrichUntil = now.Add(enrichWait)
	}
	return e.enrichUntil
}

// publish rebuilds the listeners that changed and sends the events to the
// subscribers.
func (m *Monitor) publish(now time.Time) {
	if !m.ready {
		if m.health.Problem != "" {
			return // no poll has succeeded yet: an empty first snapshot would be a guess
		}
		for _, e := range m.unsettled {
			if !e.visible && now.Before(m.firstPoll.Add(firstWait)) {
				return
			}
		}
		for _, e := range m.unsettled { // including those opened since the first poll
			m.makeVisible(e)
		}
		m.build(now)
		m.ready = true
		m.send(nil)
		return
	}
	if len(m.dirty) == 0 {
		return
	}
	before := m.snapshot
	m.build(now)
	events := Diff(before, m.snapshot)
	for i := range events {
		if m.unlisting && events[i].Kind == Closed {
			events[i].Kind = Unlisted
		}
		if events[i].Kind == Closed {
			events[i].Exit = m.exitOf(events[i].Listener)
		}
	}
	if len(events) > 0 {
		m.send(events)
	}
}

// send sends the current state and these events to the subscribers.
func (m *Monitor) send(events []Event) {
	m.subscribers.publish(Update{Snapshot: m.snapshot, Events: events, Health: m.health, Ready: m.ready})
}
