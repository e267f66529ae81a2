package monitor_test

import (
	"testing"

	"porthole/monitor"
)

// eachSocket calls opened and closed for every socket that the events open or close.
// Listeners that merge or split take their sockets along: among the events of one
// comparison, a socket that is in a listener before and after has only moved.
func eachSocket(events []monitor.Event, opened, closed func(monitor.HeldSocket)) {
	for len(events) > 0 {
		n := oneDiff(events)
		before, after := make(map[monitor.SocketID]monitor.HeldSocket), make(map[monitor.SocketID]monitor.HeldSocket)
		add := func(to map[monitor.SocketID]monitor.HeldSocket, l *monitor.Listener) {
			if l != nil {
				for _, s := range l.Sockets {
					to[s.ID] = s
				}
			}
		}
		for _, c := range events[:n] {
			add(before, c.Before)
			if c.Kind == monitor.Closed || c.Kind == monitor.Unlisted {
				add(before, c.Listener)
			} else {
				add(after, c.Listener)
			}
		}
		for id, s := range before {
			if _, stays := after[id]; !stays {
				closed(s)
			}
		}
		for id, s := range after {
			if _, stayed := before[id]; !stayed {
				opened(s)
			}
		}
		events = events[n:]
	}
}

// oneDiff returns how many of the events can come from one comparison: a listener
// that an event creates can be Before only in a later comparison.
func oneDiff(events []monitor.Event) int {
	made := make(map[*monitor.Listener]bool)
	for i, c := range events {
		before := c.Before
		if c.Kind == monitor.Closed || c.Kind == monitor.Unlisted {
			before = c.Listener
		}
		if !c.At.Equal(events[0].At) || (before != nil && made[before]) {
			return i
		}
		made[c.Listener] = c.Kind != monitor.Closed && c.Kind != monitor.Unlisted
	}
	return len(events)
}

func TestEachSocketFollowsMovedSockets(t *testing.T) {
	listener := func(id string, sockets ...monitor.SocketID) *monitor.Listener {
		l := &monitor.Listener{ID: id}
		for _, s := range sockets {
			l.Sockets = append(l.Sockets, monitor.HeldSocket{Socket: monitor.Socket{ID: s}})
		}
		return l
	}
	a1, a12, a2, b1 := listener("a", 1), listener("a", 1, 2), listener("a", 2), listener("b", 1)
	got := make(map[monitor.SocketID]int) // opened counts 1, closed 100
	eachSocket([]monitor.Event{
		{Kind: monitor.Opened, Listener: a1},
		{Kind: monitor.Updated, Listener: a12, Before: a1},
		{Kind: monitor.Updated, Listener: b1, Before: a12}, // split
		{Kind: monitor.Updated, Listener: a2, Before: a12},
		{Kind: monitor.Closed, Listener: a2},
	}, func(s monitor.HeldSocket) { got[s.ID]++ }, func(s monitor.HeldSocket) { got[s.ID] += 100 })
	if got[1] != 1 || got[2] != 101 {
		t.Errorf("socket 1: %d, socket 2: %d; want 1 (opened) and 101 (opened, closed)", got[1], got[2])
	}
}
