package monitor

import "net/netip"

// The kinds of events about clients. They come from package sockevents, not from a
// Monitor, and change nothing about what listens.
const (
	Attempted Kind = "attempted" // clients tried to connect to a closed port
	Connected Kind = "connected" // the first connection of a client
)

// AboutClients reports whether an event of this kind is about a client, so that it says
// nothing about the owner of the port.
func (k Kind) AboutClients() bool { return k == Attempted || k == Connected }

// ClosedPort returns a stand-in for the listener of an event about a TCP port that
// nothing listens on.
func ClosedPort(port uint16) *Listener {
	return &Listener{Protocol: TCP, Port: port, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, Exposure: ExposureLoopback, Owners: []Owner{}}
}
