// Package peers holds what is known of the established connections of
// listeners: who is connected, and how fast. It is just the types and the
// arithmetic; package source reads the machine.
package connection

import (
	"net/netip"

	"porthole/monitor"
)

// Conn is one established connection, as the listener's side has it.
type Conn struct {
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
	Conns      []Conn // ordered by client, then by remote address
	BytesKnown bool   // Received and Sent are known

	// The accept queue: connections that the system has made and the program
	// has not taken yet, and how many it asked for at the most (listen(2)). Of
	// several sockets it is the fullest. Limit is 0 where that is not known, or
	// where the program asked for none.
	QueueLength, QueueLimit uint32
	QueueKnown              bool // Queue and Limit are known
}

// QueueFull reports whether the accept queue is full, so that the system drops
// whoever knocks: the kernel takes one more than the limit
// (sk_acceptq_is_full of net/sock.h).
func (s State) QueueFull() bool { return s.QueueKnown && s.QueueLength > s.QueueLimit }

// Endpoint is an address that listens.
type Endpoint struct {
	Address netip.Addr
	Port    uint16
}

// Index finds the listener of a connection by its local end. It is made once
// for many connections.
type Index struct {
	listeners map[Endpoint]*monitor.Listener
	wildcard  map[uint16]bool
}

// NewIndex returns what tells the connections of listeners apart. UDP has
// none and is left out.
func NewIndex(listeners []*monitor.Listener) Index {
	b := Index{listeners: make(map[Endpoint]*monitor.Listener, len(listeners)), wildcard: make(map[uint16]bool)}
	for _, l := range listeners {
		if l.Protocol != monitor.TCP {
			continue
		}
		for _, a := range l.Addresses {
			b.listeners[Endpoint{a.Unmap(), l.Port}] = l
			b.wildcard[l.Port] = b.wildcard[l.Port] || a.IsUnspecified()
		}
	}
	return b
}

// Listener returns the listener that took the connection with that local end, nil
// where it is none of the known ones. As in the kernel the closest address
// takes it: itself, then the wildcard of its family, then [::], which takes
// IPv4 too.
func (b Index) Listener(local netip.AddrPort) *monitor.Listener {
	a := local.Addr().Unmap().WithZone("")
	if l := b.listeners[Endpoint{a, local.Port()}]; l != nil || !b.wildcard[local.Port()] {
		return l
	}
	if a.Is4() {
		if l := b.listeners[Endpoint{netip.IPv4Unspecified(), local.Port()}]; l != nil {
			return l
		}
	}
	return b.listeners[Endpoint{netip.IPv6Unspecified(), local.Port()}]
}
