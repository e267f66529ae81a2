package monitor

import (
	"cmp"
	"slices"
	"time"
)

// This file keeps track of who holds which socket: it decides what to search,
// and applies the results.

// searchDue reports whether the holders of any socket should be searched now.
func (m *Monitor) searchDue(now time.Time) bool {
	for _, e := range m.unsettled {
		if e.due(now) {
			return true
		}
	}
	return false
}

// takeDue returns the sockets whose holders should be searched now, and marks
// them as searched.
func (m *Monitor) takeDue(now time.Time) []Socket {
	var sockets []Socket
	for _, e := range m.unsettled {
		if e.due(now) {
			e.needsSearch = false
			sockets = append(sockets, e.socket)
		}
	}
	return sockets
}

func (e *entry) due(now time.Time) bool { return e.needsSearch && !now.Before(e.retryAt) }

// unowned returns the sockets for which a search found no holder.
func (m *Monitor) unowned() []Socket {
	var sockets []Socket
	for _, e := range m.entries {
		if e.searched && len(e.holders) == 0 {
			sockets = append(sockets, e.socket)
		}
	}
	return sockets
}

// holdings returns all holdings, sorted by PID. The slice is not modified later:
// the worker may read it.
func (m *Monitor) holdings() []Holding {
	if m.holdingsCache == nil {
		m.holdingsCache = []Holding{}
		for _, e := range m.entries {
			m.holdingsCache = append(m.holdingsCache, e.holders...)
		}
		slices.SortFunc(m.holdingsCache, func(a, b Holding) int { return cmp.Compare(a.Owner.PID, b.Owner.PID) })
	}
	return m.holdingsCache
}

// watchOwners asks the table for a hint when a process exits that holds a
// socket, and has the source of processes watch these, too.
func (m *Monitor) watchOwners() {
	if !m.holdersChanged {
		return
	}
	m.holdersChanged = false
	var pids []int
	var owners []Owner
	for _, h := range m.holdings() {
		if len(pids) == 0 || pids[len(pids)-1] != h.Owner.PID {
			pids, owners = append(pids, h.Owner.PID), append(owners, h.Owner)
		}
	}
	if m.exits != nil {
		m.exits.WatchExits(pids)
	}
	if m.opts.Programs != nil {
		m.opts.Programs.Watch(owners)
	}
}

// applyResult applies one result of the worker.
func (m *Monitor) applyResult(r ownerResult) {
	switch {
	case r.found != nil:
		m.addHolder(*r.found)
	case r.gone != nil:
		m.removeHolder(*r.gone)
	case r.last:
		for _, s := range r.job.search {
			if e := m.entries[s.ID]; e != nil && e.socket == s && r.job.scope != Recent {
				m.endSearch(e, r)
			}
		}
		for id, unknown := range r.unknown {
			if e := m.entries[id]; e != nil && !e.unknown.equal(unknown) {
				e.unknown = unknown
				m.dirty[e.endpoint()] = true
			}
		}
	}
}

// addHolder adds a holder to its socket, or updates it.
func (m *Monitor) addHolder(h Holding) {
	e := m.entries[h.Socket]
	if e == nil {
		return
	}
	i := slices.IndexFunc(e.holders, func(k Holding) bool { return k.Owner.Same(h.Owner) })
	switch {
	case i < 0:
		e.holders = append(e.holders, h)
	case e.holders[i].Owner.equal(h.Owner):
		if e.holders[i].FD != h.FD {
			e.holders[i].FD, m.holdingsCache = h.FD, nil
		}
		m.refreshAnswers(h.Owner, e.endpoint())
		return
	default:
		h.Owner.Parents = e.holders[i].Owner.Parents // the parents as first seen
		e.holders[i] = h
	}
	m.markHoldersChanged(e)
}

func (m *Monitor) markHoldersChanged(e *entry) {
	m.dirty[e.endpoint()] = true
	m.holdersChanged, m.holdingsCache = true, nil
}

// removeHolder removes a holder from its socket. The last one stays until a
// search has ended: while an owner is being replaced, the owner is not unknown.
func (m *Monitor) removeHolder(h Holding) {
	e := m.entries[h.Socket]
	if e == nil {
		return
	}
	e.needsSearch = true
	m.unsettled[h.Socket] = e
	if len(e.holders) == 1 {
		e.lost = append(e.lost, h.Owner)
		return
	}
	e.holders = slices.DeleteFunc(e.holders, func(k Holding) bool { return k.Owner.Same(h.Owner) })
	m.markHoldersChanged(e)
}

// endSearch applies the end of a search to one socket. Unless the search was
// incomplete, it removes the holders that a search of all processes did not
// find, and those that were lost before and not found again.
func (m *Monitor) endSearch(e *entry, r ownerResult) {
	changed := !e.searched
	if !r.incomplete {
		left := slices.DeleteFunc(slices.Clone(e.holders), func(k Holding) bool {
			gone := r.job.scope == Everywhere || slices.ContainsFunc(e.lost, k.Owner.Same)
			return gone && !slices.ContainsFunc(r.seen[e.socket.ID], k.Owner.Same)
		})
		if len(left) == 0 && len(e.holders) > 0 && e.retryAt.IsZero() {
			m.retrySearch(e)
		} else {
			changed = changed || len(left) != len(e.holders)
			e.holders, e.lost, e.retryAt = left, nil, time.Time{}
		}
	}
	if changed {
		e.searched = true
		m.markHoldersChanged(e)
	}
}

// retrySearch searches the holders of e once more after a while and keeps them
// until then. An exiting process loses its descriptors before its sockets are
// closed, and the Closed event should still name the owner.
func (m *Monitor) retrySearch(e *entry) {
	e.retryAt, e.needsSearch = m.now().Add(retryAfter), true
	m.unsettled[e.socket.ID] = e
	e.lost = nil
	for _, h := range e.holders {
		e.lost = append(e.lost, h.Owner)
	}
}

// followUp schedules the searches for more holders after an opening. The zero value
// has none.
type followUp struct {
	due    time.Time // time of the next search; zero if there is none
	opened time.Time
	step   int // index of the next search in followUps
}

// begin schedules the searches after an opening. A search that is due earlier stays.
func (f *followUp) begin(now time.Time) {
	f.opened, f.step, f.due = now, 0, earliest(f.due, now.Add(followUps[0]))
}

// next schedules the next search after one that starts now.
func (f *followUp) next(now time.Time) {
	f.due = time.Time{}
	for f.due.IsZero() && !f.opened.IsZero() && f.step < len(followUps) {
		if due := f.opened.Add(followUps[f.step]); due.After(now) {
			f.due = due
			return
		}
		f.step++
	}
}
