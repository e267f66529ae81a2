// Package source reads the established connections of listeners: through
// sock_diag(7) on Linux, unprivileged and with byte counters; through gopsutil on
// other systems, without byte counters. See Open.
package source

import (
	"cmp"
	"net/netip"
	"slices"

	"porthole/monitor"
	"porthole/monitor/connection"
)

// addrPair is the pair of addresses of a connection, as one of its sockets has
// them.
type addrPair struct{ local, remote netip.AddrPort }

// newAddrPair returns the addresses of a socket.
func newAddrPair(local, remote netip.AddrPort) addrPair { return addrPair{unmap(local), unmap(remote)} }

// reversed returns the addresses as the connection's other socket has them.
func (p addrPair) reversed() addrPair { return addrPair{p.remote, p.local} }

// unmap returns equal values for equal addresses, regardless of the socket's
// address family.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// portsOf returns the ports of the TCP listeners, without duplicates.
func portsOf(listeners []*monitor.Listener) []uint16 {
	var ports []uint16
	for _, l := range listeners {
		if l.Protocol == monitor.TCP {
			ports = append(ports, l.Port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// zeroCounts returns a count of 0 for each TCP listener.
func zeroCounts(listeners []*monitor.Listener) map[string]int {
	counts := make(map[string]int, len(listeners))
	for _, l := range listeners {
		if l.Protocol == monitor.TCP {
			counts[l.ID] = 0
		}
	}
	return counts
}

// sortConns groups connections by client.
func sortConns(conns []connection.Conn) {
	slices.SortFunc(conns, func(a, b connection.Conn) int {
		return cmp.Or(cmp.Compare(a.Client.PID, b.Client.PID), a.Remote.Compare(b.Remote), a.Local.Compare(b.Local))
	})
}
