package monitor

import (
	"slices"
	"time"
)

// This file is how the monitor notes who holds what, as searches tell it.

// applyResult notes what the search for owners found.
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
		for id, hidden := range r.unknown {
			if e := m.entries[id]; e != nil && !e.unknown.equal(hidden) {
				e.unknown = hidden
				m.dirty[e.endpoint()] = true
			}
		}
	}
}

// addHolder notes a holder of a socket, once.
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
		return
	default:
		h.Owner.Parents = e.holders[i].Owner.Parents // as first seen
		e.holders[i] = h
	}
	m.markHoldersChanged(e)
}

// markHoldersChanged notes that e's are others than before.
func (m *Monitor) markHoldersChanged(e *entry) {
	m.dirty[e.endpoint()] = true
	m.holdersChanged, m.holdingsCache = true, nil
}

// removeHolder forgets a holder that holds no longer. The last one stays until a
// search has ended, since an owner that is being replaced is not a hidden one.
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

// endSearch ends a search of one socket. Holders that a search of all processes
// did not see are gone, and so are those that were lost before and not seen
// again; but for a search that was blind.
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

// retrySearch has e's holders searched once more after a while, and believes
// until then that they hold it: a process that ends shows no descriptors any more
// when its sockets are still to be closed, and who had them is to be told.
func (m *Monitor) retrySearch(e *entry) {
	e.retryAt, e.needsSearch = m.now().Add(retryAfter), true
	m.unsettled[e.socket.ID] = e
	e.lost = nil
	for _, h := range e.holders {
		e.lost = append(e.lost, h.Owner)
	}
}
