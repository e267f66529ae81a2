package monitor

import "net/netip"

// The kinds of events about clients. They come from package sockevents, not from a
// Monitor, and change nothing about what listens.
const (
	Attempted Kind = "attempted" // clients tried to connect to a closed port
	Connected Kind = "connected" // the first connection of a client
)

// AboutUse reports whether an event of this kind is about how a port is used, by a client or
// by a health check, so that it says nothing about the owner of the port.
func (k Kind) AboutUse() bool {
	switch k {
	case Attempted, Connected, Unhealthy, Healthy:
		return true
	}
	return false
}

// ClosedPort returns a stand-in for the listener of an event about a TCP port that
// nothing listens on.
func ClosedPort(port uint16) *Listener {
	return &Listener{Protocol: TCP, Port: port, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, Exposure: ExposureLoopback, Owners: []Owner{}}
}
