package monitor

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// This file compares the table with the entries.

// poll reads the table and applies the differences to the entries.
func (m *Monitor) poll(now time.Time, fresh bool) error {
	udp := m.udp.Load()
	sockets, changed, err := m.table.Poll(PollOptions{UDP: udp, Fresh: fresh})
	if err != nil {
		m.inSync = false
		return fmt.Errorf("read the table of listening sockets: %w", err)
	}
	if m.inSync && !changed && udp == m.polledUDP {
		return nil
	}
	m.inSync = false
	sockets = m.watched(sockets)
	if !udp && m.polledUDP {
		m.unlistUDP(now)
	}
	if m.firstPoll.IsZero() {
		m.firstPoll = now
	}
	count := len(sockets)
	if gone := m.missing(m.entryIDs(), sockets); len(gone) > 0 {
		// One dump can miss an existing socket (it happens at 100,000 new sockets a
		// second), so a socket counts as closed if two dumps in a row miss it.
		sockets = slices.Clone(sockets)
		confirm, _, err := m.table.Poll(PollOptions{UDP: udp, Fresh: true})
		if err != nil {
			return fmt.Errorf("confirm a close: %w", err)
		}
		confirm = m.watched(confirm)
		for _, id := range m.missing(gone, confirm) {
			m.remove(id, now)
		}
		sockets, count = append(sockets, confirm...), len(confirm)
	}
	for _, s := range sockets {
		switch e := m.entries[s.ID]; {
		case e == nil:
			m.add(s, now)
		case e.endpoint() != endpointOf(s) || e.socket.Address != s.Address:
			// shutdown(2), bind and listen on one descriptor: the same kernel socket,
			// but a different listener.
			m.remove(s.ID, now)
			m.publish(now)
			m.add(s, now)
		case e.socket.Device != s.Device: // bound to a device while it listens
			e.socket, e.needsSearch = s, true
			m.unsettled[s.ID], m.dirty[e.endpoint()] = e, true
		}
	}
	m.polledUDP = udp
	m.inSync = count == len(m.entries) // every socket of the last dump has an entry
	return nil
}

// watched returns the sockets on the ports of Options.Ports. The slice is valid
// until the next call.
func (m *Monitor) watched(sockets []Socket) []Socket {
	if m.opts.Ports == nil {
		return sockets
	}
	m.filtered = m.filtered[:0]
	for _, s := range sockets {
		if m.opts.Ports.Contains(s.Port) {
			m.filtered = append(m.filtered, s)
		}
	}
	return m.filtered
}

// missing returns those of ids that are not among sockets.
func (m *Monitor) missing(ids []SocketID, sockets []Socket) []SocketID {
	present := make(map[SocketID]bool, len(sockets))
	for _, s := range sockets {
		present[s.ID] = true
	}
	return slices.DeleteFunc(ids, func(id SocketID) bool { return present[id] })
}

func (m *Monitor) entryIDs() []SocketID { return slices.Collect(maps.Keys(m.entries)) }

func (m *Monitor) add(s Socket, now time.Time) {
	e := &entry{socket: s, seen: now, needsSearch: true}
	if m.ready && (s.Protocol != UDP || m.polledUDP) { // otherwise it may have been open before
		e.since = now
	}
	if m.ready {
		m.followUp.begin(now)
	}
	m.entries[s.ID], m.unsettled[s.ID] = e, e
	m.pollFaster(now)
}

// remove removes a closed socket. A socket that was closed before it was
// published is published first, so that subscribers get an Opened event too.
func (m *Monitor) remove(id SocketID, now time.Time) {
	e := m.entries[id]
	if m.listenerOf[id] == "" && m.ready {
		m.makeVisible(e)
		m.publish(now)
	}
	m.askExits(e, now)
	m.forget(id)
	m.pollFaster(now)
}

// forget removes a socket without publishing anything.
func (m *Monitor) forget(id SocketID) {
	e := m.entries[id]
	delete(m.entries, id)
	delete(m.unsettled, id)
	m.dirty[e.endpoint()] = true
	if len(e.holders) > 0 {
		m.holdersChanged, m.holdingsCache = true, nil
	}
}

// unlistUDP removes all UDP sockets, which are no longer polled.
func (m *Monitor) unlistUDP(now time.Time) {
	m.publish(now) // earlier changes keep their own kinds of events
	for id, e := range m.entries {
		if e.socket.Protocol == UDP {
			m.forget(id)
		}
	}
	m.unlisting = true
	m.publish(now)
	m.unlisting = false
}

func (e *entry) endpoint() endpoint { return endpointOf(e.socket) }

func endpointOf(s Socket) endpoint { return endpoint{s.Protocol, s.Port} }

func (m *Monitor) allSockets() []Socket {
	sockets := make([]Socket, 0, len(m.entries))
	for _, e := range m.entries {
		sockets = append(sockets, e.socket)
	}
	return sockets
}
