package socket

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"porthole/monitor"
)

// scanLimit is the time limit for one gopsutil scan: on macOS and BSD it runs
// lsof, which can hang on a dead network mount.
const scanLimit = 10 * time.Second

// portable reads the table through gopsutil, which reports the owner with the
// socket but no kernel identity: sockets with the same protocol, address, port and
// PID count as the same socket.
type portable struct {
	monitor.Sleeper
	last    lastPoll
	scan    func(ctx context.Context, kind string) ([]psnet.ConnectionStat, error)
	running chan struct{} // holds a token while a scan runs: there are never two at once
}

func newPortable() *portable {
	return &portable{
		Sleeper: monitor.NewSleeper(),
		scan:    psnet.ConnectionsWithContext,
		running: make(chan struct{}, 1),
	}
}

// Source implements monitor.Table.
func (*portable) Source() string { return "gopsutil" }

// Close does nothing.
func (*portable) Close() error { return nil }

var errBusy = errors.New("the previous scan has not ended yet")

// Poll implements monitor.Table. It gives up after scanLimit, and fails with
// errBusy while an earlier scan hangs.
func (p *portable) Poll(opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	select {
	case p.running <- struct{}{}:
	default:
		return nil, false, errBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), scanLimit)
	defer cancel() // not when the scan ends: its result would race with the end of ctx
	kind := "tcp"
	if opts.UDP {
		kind = "inet"
	}
	type result struct {
		conns []psnet.ConnectionStat
		err   error
	}
	done := make(chan result, 1)
	go func() {
		conns, err := p.scan(ctx, kind)
		<-p.running
		done <- result{conns, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, false, fmt.Errorf("scan with gopsutil: %w", r.err)
		}
		return p.last.keep(appendConnections(p.last.buffer(), r.conns), opts)
	case <-ctx.Done():
		return nil, false, fmt.Errorf("scan with gopsutil: %w", ctx.Err())
	}
}

func appendConnections(dst []monitor.Socket, conns []psnet.ConnectionStat) []monitor.Socket {
	seen := make(map[monitor.SocketID]bool, len(conns))
	for _, c := range conns {
		protocol, ok := isListening(c)
		if !ok || c.Laddr.Port == 0 || c.Laddr.Port > 65535 {
			continue
		}
		address, err := listenAddress(c)
		if err != nil {
			continue // an unreadable address
		}
		s := monitor.Socket{Protocol: protocol, Address: address, Port: uint16(c.Laddr.Port), PID: int(c.Pid)}
		if len(c.Uids) > 0 && c.Uids[0] >= 0 {
			s.UID = uint32(c.Uids[0])
		}
		s.ID = portableID(s)
		if !seen[s.ID] {
			seen[s.ID] = true
			dst = append(dst, s)
		}
	}
	return dst
}

// isListening reports whether c is a listening TCP socket, or a UDP socket that is
// bound and not connected. The socket types have these numbers on every system.
func isListening(c psnet.ConnectionStat) (monitor.Protocol, bool) {
	const stream, datagram = 1, 2
	switch c.Type {
	case stream:
		return monitor.TCP, c.Status == "LISTEN"
	case datagram:
		return monitor.UDP, c.Raddr.Port == 0
	}
	return "", false
}

// listenAddress parses gopsutil's local address, where "*" is the wildcard.
func listenAddress(c psnet.ConnectionStat) (netip.Addr, error) {
	if ip := c.Laddr.IP; ip != "*" && ip != "" {
		return netip.ParseAddr(strings.Trim(ip, "[]"))
	}
	if c.Family == 2 { // AF_INET on every system
		return netip.IPv4Unspecified(), nil
	}
	return netip.IPv6Unspecified(), nil
}

func portableID(s monitor.Socket) monitor.SocketID {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d %d", s.Protocol, s.Address, s.Port, s.PID) // a hash does not fail
	return monitor.SocketID(h.Sum64())
}
