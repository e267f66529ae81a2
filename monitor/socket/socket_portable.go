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

// scanLimit is how long one gopsutil scan may take: on macOS and BSD it runs
// lsof, which can hang on a dead network mount.
const scanLimit = 10 * time.Second

// portable reads the table through gopsutil. It tells the owner with the
// socket and has no kernel identity: what has the same protocol, address, port
// and PID counts as the same socket.
type portable struct {
	monitor.Sleeper
	scan    func(ctx context.Context, kind string) ([]psnet.ConnectionStat, error)
	running chan struct{} // holds a token while a scan runs: never two at once
}

func newPortable() *portable {
	return &portable{
		Sleeper: monitor.NewSleeper(),
		scan:    psnet.ConnectionsWithContext,
		running: make(chan struct{}, 1),
	}
}

func (*portable) Source() string { return "gopsutil" }

func (*portable) Close() error { return nil }

var errBusy = errors.New("the scan before has not ended yet")

// Sockets scans once. It gives up after scanLimit; a scan that hangs is not
// joined by a second one.
func (p *portable) Sockets(dst []monitor.Socket, udp bool) ([]monitor.Socket, error) {
	select {
	case p.running <- struct{}{}:
	default:
		return dst, errBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), scanLimit)
	defer cancel() // not when the scan ends: its answer would race with the end of ctx
	kind := "tcp"
	if udp {
		kind = "inet"
	}
	type answer struct {
		conns []psnet.ConnectionStat
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		conns, err := p.scan(ctx, kind)
		<-p.running
		done <- answer{conns, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return dst, fmt.Errorf("scan with gopsutil: %w", a.err)
		}
		return appendConnections(dst, a.conns), nil
	case <-ctx.Done():
		return dst, fmt.Errorf("scan with gopsutil: %w", ctx.Err())
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
			continue // an address that nobody can read is no row
		}
		s := monitor.Socket{Protocol: protocol, Address: address, Port: uint16(c.Laddr.Port), PID: int(c.Pid)}
		if len(c.Uids) > 0 && c.Uids[0] >= 0 {
			s.UID = uint32(c.Uids[0])
			s.User = userName(s.UID)
		}
		s.ID = portableID(s)
		if !seen[s.ID] {
			seen[s.ID] = true
			dst = append(dst, s)
		}
	}
	return dst
}

// isListening reports whether c waits for anyone: TCP that listens, UDP that is
// bound and not connected. The types of sockets have these numbers everywhere.
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

// listenAddress reads gopsutil's local address, where "*" is the wildcard.
func listenAddress(c psnet.ConnectionStat) (netip.Addr, error) {
	if ip := c.Laddr.IP; ip != "*" && ip != "" {
		return netip.ParseAddr(strings.Trim(ip, "[]"))
	}
	if c.Family == 2 { // AF_INET everywhere
		return netip.IPv4Unspecified(), nil
	}
	return netip.IPv6Unspecified(), nil
}

func portableID(s monitor.Socket) monitor.SocketID {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d %d", s.Protocol, s.Address, s.Port, s.PID) // a hash never fails
	return monitor.SocketID(h.Sum64())
}
