package monitor

import "net/netip"

// Exposure is the set of clients that can reach a listener: this machine only, the network,
// or everybody on the internet.
type Exposure string

// The exposures.
const (
	ExposureLoopback Exposure = "loopback" // 127.0.0.0/8, ::1: this machine only
	ExposureNetwork  Exposure = "network"  // a wildcard address, an address of another interface, or a tunnel to certain clients
	ExposurePublic   Exposure = "public"   // the internet, through a tunnel such as ngrok
)

// IsExposed reports whether clients on other machines can reach a listener, as far as its
// addresses and tunnels decide that.
func (e Exposure) IsExposed() bool { return e == ExposureNetwork || e == ExposurePublic }

// WiderThan reports whether more clients can reach a listener with exposure e than with f.
func (e Exposure) WiderThan(f Exposure) bool { return e.rank() > f.rank() }

func (e Exposure) rank() int {
	switch e {
	case ExposurePublic:
		return 2
	case ExposureNetwork:
		return 1
	}
	return 0
}

// ExposureOf returns the exposure of a socket bound to a. An IPv4 address of an
// IPv6 socket (::ffff:127.0.0.1) counts as the IPv4 address.
func ExposureOf(a netip.Addr) Exposure {
	if a.Unmap().IsLoopback() {
		return ExposureLoopback
	}
	return ExposureNetwork
}

// AcceptsLoopback reports whether a client on this machine can reach a socket
// bound to a through loopback: a is a loopback address or a wildcard, which
// includes it.
func AcceptsLoopback(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsUnspecified()
}

// loopbackDevice is the name of the loopback interface on Linux, the only system
// that reports the device of a socket.
const loopbackDevice = "lo"

// Exposure returns the exposure of s. A socket that is bound to the loopback
// interface is not reachable from the network, regardless of its address.
func (s Socket) Exposure() Exposure {
	if s.Device == loopbackDevice {
		return ExposureLoopback
	}
	return ExposureOf(s.Address)
}

// AcceptsLoopback reports whether a client on this machine can reach s through
// loopback: it is bound to no other interface, and its address includes loopback.
func (s Socket) AcceptsLoopback() bool {
	return (s.Device == "" || s.Device == loopbackDevice) && AcceptsLoopback(s.Address)
}

// Endpoint returns the address of s with the device that it is bound to, as ss(8)
// writes it: "0.0.0.0%eth0".
func (s Socket) Endpoint() string {
	if s.Device == "" || s.Address.Zone() != "" {
		return s.Address.String()
	}
	return s.Address.String() + "%" + Clean(s.Device, 16)
}

func widestExposure(sockets []HeldSocket) Exposure {
	for _, s := range sockets {
		if s.Exposure() == ExposureNetwork {
			return ExposureNetwork
		}
	}
	return ExposureLoopback
}
