//go:build !linux

package source

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/process"
)

// scanTimeout limits one scan: on macOS and BSD it runs lsof, which can hang on a
// dead network mount.
const scanTimeout = 5 * time.Second

// Source reads established connections through gopsutil, which has no byte
// counters and no accept queues. It is not safe for concurrent use.
type Source struct {
	SearchPause int // not used: there are no searches for clients

	clientNames map[int]string // names of the clients in the last scan, by PID
}

// Open opens a Source. It never fails.
func Open() (*Source, error) { return &Source{}, nil }

// Close does nothing.
func (*Source) Close() error { return nil }

// Count returns the number of connections of each TCP listener by listener ID.
func (s *Source) Count(ctx context.Context, listeners []*monitor.Listener) (map[string]int, error) {
	counts := zeroCounts(listeners)
	index := connection.NewIndex(listeners)
	all, err := established(ctx)
	for _, c := range all {
		if l := index.Listener(c.local); l != nil {
			counts[l.ID]++
		}
	}
	return counts, err
}

// Read returns the connections of listeners by listener ID.
func (s *Source) Read(ctx context.Context, listeners []*monitor.Listener) (map[string]connection.State, error) {
	index := connection.NewIndex(listeners)
	all, err := established(ctx)
	pids := make(map[addrPair]int, len(all))
	for _, c := range all {
		pids[c.addrPair] = c.pid
	}
	states := make(map[string]connection.State, len(listeners))
	for _, l := range listeners {
		if l.Protocol == monitor.TCP {
			states[l.ID] = connection.State{}
		}
	}
	previous := s.clientNames
	s.clientNames = make(map[int]string, len(previous))
	for _, c := range all {
		l := index.Listener(c.local)
		if l == nil {
			continue
		}
		st := states[l.ID]
		st.Conns = append(st.Conns, connection.Conn{ID: c.id(), Local: c.local, Remote: c.remote, Client: s.client(pids[c.reversed()], previous)})
		states[l.ID] = st
	}
	for _, st := range states {
		sortConns(st.Conns)
	}
	return states, err
}

// WithClients returns finder: Read needs no search for clients.
func (*Source) WithClients(finder monitor.Finder, _ ...uint16) monitor.Finder { return finder }

// client returns the client with this PID; the zero value for PID 0. Names from
// the last scan are reused.
func (s *Source) client(pid int, previous map[int]string) connection.Client {
	if pid == 0 {
		return connection.Client{}
	}
	name, ok := previous[pid]
	if !ok {
		o, _ := process.Info(pid) // unknown if access is denied
		name = o.Name
	}
	s.clientNames[pid] = name
	return connection.Client{PID: pid, Name: name}
}

// tcpConn is one socket of a connection.
type tcpConn struct {
	addrPair
	pid int
}

// id returns a hash of the addresses.
func (c tcpConn) id() monitor.SocketID {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, c.local, c.remote) // writing to a hash never fails
	return monitor.SocketID(h.Sum64())
}

// established returns all established TCP connections.
func established(ctx context.Context) ([]tcpConn, error) {
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	rows, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, fmt.Errorf("read connections with gopsutil: %w", err)
	}
	var all []tcpConn
	for _, r := range rows {
		local, okLocal := address(r.Laddr)
		remote, okRemote := address(r.Raddr)
		if r.Status == "ESTABLISHED" && okLocal && okRemote {
			all = append(all, tcpConn{newAddrPair(local, remote), int(r.Pid)})
		}
	}
	return all, nil
}

// address converts an address of gopsutil.
func address(a psnet.Addr) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(strings.Trim(a.IP, "[]"))
	return netip.AddrPortFrom(ip, uint16(a.Port)), err == nil && a.Port <= 65535
}

// Learn does nothing: there are no searches.
func (*Source) Learn(context.Context) error { return nil }

// Clients returns the processes on this machine that are connected to port, of the
// clients with these addresses. Those that have disconnected or are not accessible are
// missing.
func (s *Source) Clients(ctx context.Context, port uint16, addresses []netip.AddrPort) (map[netip.AddrPort]connection.Client, error) {
	wanted := make(map[netip.AddrPort]bool, len(addresses))
	for _, a := range addresses {
		wanted[unmap(a)] = true
	}
	all, err := established(ctx)
	if err != nil {
		return nil, err
	}
	previous := s.clientNames
	s.clientNames = make(map[int]string, len(previous))
	found := make(map[netip.AddrPort]connection.Client)
	for _, c := range all {
		if c.remote.Port() == port && wanted[c.local] && c.pid != 0 {
			found[c.local] = s.client(c.pid, previous)
		}
	}
	return found, nil
}
