// Package connection describes the established connections of listeners: who is
// connected, and the transfer rates. It only has types and arithmetic; package
// source reads them from the system.
package connection

import (
	"net/netip"

	"porthole/monitor"
)

// Conn is one established connection, seen from the listener's side.
type Conn struct {
	ID     monitor.SocketID // ID of the listener's socket: the kernel's cookie on Linux, elsewhere a hash of the addresses
	Local  netip.AddrPort   // the listener's end
	Remote netip.AddrPort
	User   string // user of the client if it is on this machine; "" if unknown
	Client Client // zero if the client is on another machine or its process is unknown

	// Payload bytes since the connection was established, from the listener's view;
	// both 0 if State.BytesKnown is false.
	Received, Sent uint64
}

// Client is the process at the other end, on this machine.
type Client struct {
	PID  int
	Name string // not cleaned: clean it before display
}

// State is the state of one listener's connections.
type State struct {
	Conns      []Conn // sorted by client, then by remote address
	BytesKnown bool   // Received and Sent are known

	// The accept queue: the number of established connections that the program
	// has not accepted yet, and its backlog (listen(2)). Of several sockets it is
	// the fullest queue. QueueLimit is 0 if it is unknown or the backlog is 0.
	QueueLength, QueueLimit uint32
	QueueKnown              bool // QueueLength and QueueLimit are known
}

// QueueFull reports whether the accept queue is full, so that the kernel drops
// new connections. The kernel accepts one more than the limit
// (sk_acceptq_is_full in net/sock.h).
func (s State) QueueFull() bool { return s.QueueKnown && s.QueueLength > s.QueueLimit }

// Endpoint is an address and port that a listener is bound to.
type Endpoint struct {
	Address netip.Addr
	Port    uint16
}

// Index finds the listener of a connection by the connection's local address.
// Build it once for many lookups.
type Index struct {
	listeners map[Endpoint]*monitor.Listener
	wildcard  map[uint16]bool
}

// NewIndex returns an Index of the TCP listeners. UDP has no connections.
func NewIndex(listeners []*monitor.Listener) Index {
	index := Index{listeners: make(map[Endpoint]*monitor.Listener, len(listeners)), wildcard: make(map[uint16]bool)}
	for _, l := range listeners {
		if l.Protocol != monitor.TCP {
			continue
		}
		for _, a := range l.Addresses {
			index.listeners[Endpoint{a.Unmap(), l.Port}] = l
			index.wildcard[l.Port] = index.wildcard[l.Port] || a.IsUnspecified()
		}
	}
	return index
}

// Listener returns the listener that accepted the connection with this local
// address, or nil if it is not in the index. Like the kernel it prefers the most
// specific address: the address itself, then the wildcard of its family, then
// [::], which accepts IPv4 too.
func (i Index) Listener(local netip.AddrPort) *monitor.Listener {
	a := local.Addr().Unmap().WithZone("")
	if l := i.listeners[Endpoint{a, local.Port()}]; l != nil || !i.wildcard[local.Port()] {
		return l
	}
	if a.Is4() {
		if l := i.listeners[Endpoint{netip.IPv4Unspecified(), local.Port()}]; l != nil {
			return l
		}
	}
	return i.listeners[Endpoint{netip.IPv6Unspecified(), local.Port()}]
}
