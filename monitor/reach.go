package monitor

import "net/netip"

// Reach says who can connect to a listener.
type Reach string

// The two reaches.
const (
	ThisMachine Reach = "machine" // 127.0.0.0/8, ::1
	TheNetwork  Reach = "network" // a wildcard address or one of another interface
)

// AddressReach returns who can connect to a socket bound to a. An IPv4 address
// on an IPv6 socket (::ffff:127.0.0.1) counts as the IPv4 address that it is.
func AddressReach(a netip.Addr) Reach {
	if a.Unmap().IsLoopback() {
		return ThisMachine
	}
	return TheNetwork
}

// Loopback reports whether a client on this machine can reach a socket bound
// to a through loopback: a loopback address, or a wildcard, which includes it.
func Loopback(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsUnspecified()
}

func widest(addresses []netip.Addr) Reach {
	for _, a := range addresses {
		if AddressReach(a) == TheNetwork {
			return TheNetwork
		}
	}
	return ThisMachine
}
