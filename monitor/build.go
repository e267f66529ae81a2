package monitor

import (
	"maps"
	"slices"
	"time"
)

// This file is how the monitor makes rows of what it knows of sockets.

// build makes the snapshot. Rows where nothing changed are the same pointers
// as before, which makes the comparison cheap.
func (m *Monitor) build(now time.Time) {
	sightings := make(map[endpoint][]socketState, len(m.dirty))
	for _, e := range m.entries {
		if p := e.endpoint(); e.visible && m.dirty[p] {
			sightings[p] = append(sightings[p], m.socketState(e))
		}
	}
	for p := range m.dirty {
		rows := m.buildListeners(sightings[p], m.listeners[p])
		if len(rows) == 0 {
			delete(m.listeners, p)
			continue
		}
		m.listeners[p] = rows
	}
	clear(m.dirty)
	var all []*Listener
	clear(m.listenerOf)
	for rows := range maps.Values(m.listeners) {
		for _, l := range rows {
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

func (m *Monitor) buildListeners(sightings []socketState, before []*Listener) []*Listener {
	if len(sightings) == 0 {
		return nil
	}
	rows := group(sightings, m.listenerOf)
	for i, l := range rows {
		if m.opts.Describe != nil {
			m.opts.Describe(l)
		}
		for _, old := range before {
			if old.equal(l) {
				rows[i] = old
			}
		}
	}
	return rows
}

func (m *Monitor) socketState(e *entry) socketState {
	s := socketState{socket: e.socket, since: e.since}
	for _, h := range e.holders {
		s.owners = append(s.owners, h.Owner)
	}
	if len(e.holders) == 0 && e.searched {
		s.unknown = e.unknown
	}
	return s
}
