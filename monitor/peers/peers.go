// Package peers holds what is known of the established connections of
// listeners: who is connected, and how fast. It is just the types and the
// arithmetic; package source reads the machine.
package peers

import (
	"net/netip"

	"porthole/monitor"
)

// Peer is one established connection, as the listener's side has it.
type Peer struct {
	ID     monitor.SocketID // of the listener's end, the kernel's cookie; elsewhere than on Linux made from the addresses
	Local  netip.AddrPort   // the listener's end
	Remote netip.AddrPort
	User   string // of the other end where that is on this machine; "" where unknown
	Client Client // zero where the other end is on another machine, or nobody is seen to hold it

	// Bytes of content since the connection was made, from the listener's view;
	// both 0 where State.Bytes is false.
	Received, Sent uint64
}

// Client is the process at the other end, on this machine.
type Client struct {
	PID  int
	Name string // raw: clean it before it is shown
}

// State is how one listener stands with its clients.
type State struct {
	Peers []Peer // ordered by client, then by remote address
	Bytes bool   // Received and Sent are known

	// The accept queue: connections that the system has made and the program
	// has not taken yet, and how many it asked for at the most (listen(2)). Of
	// several sockets it is the fullest. Limit is 0 where that is not known, or
	// where the program asked for none.
	Queue, Limit uint32
	Queued       bool // Queue and Limit are known
}

// Stuck reports whether the accept queue is full, so that the system drops
// whoever knocks: the kernel takes one more than the limit
// (sk_acceptq_is_full of net/sock.h).
func (s State) Stuck() bool { return s.Queued && s.Queue > s.Limit }

// Endpoint is an address that listens.
type Endpoint struct {
	Address netip.Addr
	Port    uint16
}

// Belong finds the listener of a connection by its local end. It is made once
// for many connections.
type Belong struct {
	owner map[Endpoint]*monitor.Listener
	wild  map[uint16]bool
}

// NewBelong returns what tells the connections of listeners apart. UDP has
// none and is left out.
func NewBelong(listeners []*monitor.Listener) Belong {
	b := Belong{owner: make(map[Endpoint]*monitor.Listener, len(listeners)), wild: make(map[uint16]bool)}
	for _, l := range listeners {
		if l.Protocol != monitor.TCP {
			continue
		}
		for _, a := range l.Addresses {
			b.owner[Endpoint{a.Unmap(), l.Port}] = l
			b.wild[l.Port] = b.wild[l.Port] || a.IsUnspecified()
		}
	}
	return b
}

// Of returns the listener that took the connection with that local end, nil
// where it is none of the known ones. As in the kernel the closest address
// takes it: itself, then the wildcard of its family, then [::], which takes
// IPv4 too.
func (b Belong) Of(local netip.AddrPort) *monitor.Listener {
	a := local.Addr().Unmap().WithZone("")
	if l := b.owner[Endpoint{a, local.Port()}]; l != nil || !b.wild[local.Port()] {
		return l
	}
	if a.Is4() {
		if l := b.owner[Endpoint{netip.IPv4Unspecified(), local.Port()}]; l != nil {
			return l
		}
	}
	return b.owner[Endpoint{netip.IPv6Unspecified(), local.Port()}]
}
