package monitor

import (
	"maps"
	"slices"
	"time"
)

// This file builds listeners from the entries.

// build builds the snapshot. Listeners that did not change keep their pointers,
// which makes comparing snapshots cheap.
func (m *Monitor) build(now time.Time) {
	states := make(map[endpoint][]socketState, len(m.dirty))
	for p := range m.dirty {
		delete(m.unanswered, p)
	}
	for _, e := range m.entries {
		if p := e.endpoint(); e.visible && m.dirty[p] {
			states[p] = append(states[p], m.state(e))
		}
	}
	for p := range m.dirty {
		listeners := m.buildListeners(states[p], m.listeners[p])
		if len(listeners) == 0 {
			delete(m.listeners, p)
			continue
		}
		m.listeners[p] = listeners
	}
	clear(m.dirty)
	var all []*Listener
	clear(m.listenerOf)
	for listeners := range maps.Values(m.listeners) {
		for _, l := range listeners {
			for _, s := range l.Sockets {
				m.listenerOf[s.ID] = l.ID
			}
			if m.opts.Keep == nil || m.opts.Keep(l) {
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, compareListeners)
	if all == nil {
		all = []*Listener{}
	}
	m.snapshot = Snapshot{TakenAt: now, Listeners: all}
}

func (m *Monitor) buildListeners(states []socketState, before []*Listener) []*Listener {
	if len(states) == 0 {
		return nil
	}
	listeners := group(states, m.listenerOf)
	for i, l := range listeners {
		if m.opts.Describe != nil {
			m.opts.Describe(l)
		}
		for _, old := range before {
			if old.equal(l) {
				listeners[i] = old
			}
		}
	}
	return listeners
}

// state returns what is known about an entry. It notes the endpoint if something does
// not answer yet.
func (m *Monitor) state(e *entry) socketState {
	s := socketState{socket: e.socket, since: e.since}
	for _, h := range e.holders {
		s.owners = append(s.owners, h.Owner)
	}
	if len(e.holders) == 0 && e.searched {
		s.unknown = e.unknown
	}
	if m.enrich(&s) != Complete {
		m.unanswered[e.endpoint()] = true
	}
	return s
}
