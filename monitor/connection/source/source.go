// Package source reads who is connected to listeners: through sock_diag(7) on
// Linux, unprivileged and with the bytes that each connection carried; through
// gopsutil elsewhere, without bytes. See Open.
package source

import (
	"cmp"
	"net/netip"
	"slices"

	"porthole/monitor"
	"porthole/monitor/connection"
)

// addrPair are the two addresses of a connection as one of its sockets has them.
type addrPair struct{ local, remote netip.AddrPort }

func newAddrPair(local, remote netip.AddrPort) addrPair { return addrPair{unmap(local), unmap(remote)} }

// reversed is the same connection as its other socket has it.
func (e addrPair) reversed() addrPair { return addrPair{e.remote, e.local} }

// unmap makes the same address the same value, whichever family its socket has.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// portsOf returns the ports of the TCP listeners among listeners, each once.
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

// zeroCounts are the counts before anything was counted: a UDP listener has none.
func zeroCounts(listeners []*monitor.Listener) map[string]int {
	counts := make(map[string]int, len(listeners))
	for _, l := range listeners {
		if l.Protocol == monitor.TCP {
			counts[l.ID] = 0
		}
	}
	return counts
}

// sortConns puts the connections of one client together.
func sortConns(p []connection.Conn) {
	slices.SortFunc(p, func(a, b connection.Conn) int {
		return cmp.Or(cmp.Compare(a.Client.PID, b.Client.PID), a.Remote.Compare(b.Remote), a.Local.Compare(b.Local))
	})
}
