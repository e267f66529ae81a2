package monitor

import "net/netip"

// Exposure says who can connect to a listener.
type Exposure string

// The exposures.
const (
	ExposureLoopback Exposure = "loopback" // 127.0.0.0/8, ::1: this machine only
	ExposureNetwork  Exposure = "network"  // a wildcard address, or an address of another interface
)

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

func widestExposure(addresses []netip.Addr) Exposure {
	for _, a := range addresses {
		if ExposureOf(a) == ExposureNetwork {
			return ExposureNetwork
		}
	}
	return ExposureLoopback
}
