package stop

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// NewHolderCheck scans the ports of listeners and returns a function that reports
// whether a process holds one of them now, at one of their addresses. Earlier
// snapshots are not used: a process may have released its port between being shown
// and being stopped.
func NewHolderCheck(ctx context.Context, listeners []*monitor.Listener, log *slog.Logger) (func(monitor.Owner) bool, error) {
	now, err := scan(ctx, listeners, log)
	if err != nil {
		return nil, err
	}
	return func(o monitor.Owner) bool {
		return slices.ContainsFunc(now, func(l *monitor.Listener) bool { return slices.ContainsFunc(l.Owners, o.Same) })
	}, nil
}

// Holders polls and returns the current listeners on the ports of listeners, at one of
// their addresses or at a wildcard address that includes it.
func Holders(ctx context.Context, listeners []*monitor.Listener, log *slog.Logger) ([]*monitor.Listener, error) {
	return scan(ctx, listeners, log)
}

// scan returns the current listeners on the endpoints of listeners, narrowed to these.
func scan(ctx context.Context, listeners []*monitor.Listener, log *slog.Logger) ([]*monitor.Listener, error) {
	table, err := socket.Open(log)
	if err != nil {
		return nil, fmt.Errorf("open the socket table: %w", err)
	}
	defer table.Close()
	wanted := func(l *monitor.Listener) bool {
		return slices.ContainsFunc(listeners, func(k *monitor.Listener) bool { return k.Port == l.Port && k.Protocol == l.Protocol })
	}
	var ports monitor.Ports
	for _, l := range listeners {
		ports = append(ports, monitor.PortRange{First: l.Port, Last: l.Port})
	}
	udp := slices.ContainsFunc(listeners, func(k *monitor.Listener) bool { return k.Protocol == monitor.UDP })
	s, err := monitor.New(table, owner.New(), monitor.Options{UDP: udp, Ports: ports, Keep: wanted, Logger: log}).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the owners of the ports: %w", err)
	}
	var out []*monitor.Listener
	for _, l := range s.Listeners {
		if narrowed := Narrow(l, func(s monitor.Socket) bool { return occupies(s, listeners) }); narrowed != nil {
			out = append(out, narrowed)
		}
	}
	return out, nil
}

// occupies reports whether s is on an endpoint of one of listeners: on the same
// protocol and port, and on the same address or on a wildcard address that includes
// it. A listener without addresses stands for all.
func occupies(s monitor.Socket, listeners []*monitor.Listener) bool {
	return slices.ContainsFunc(listeners, func(l *monitor.Listener) bool {
		return l.Port == s.Port && l.Protocol == s.Protocol &&
			(len(l.Addresses) == 0 || slices.ContainsFunc(l.Addresses, func(a netip.Addr) bool { return accepts(s, a) }))
	})
}

// accepts reports whether s is bound to a, or to a wildcard address that includes
// it.
func accepts(s monitor.Socket, a netip.Addr) bool {
	bound, a := s.Address.Unmap(), a.Unmap()
	switch {
	case a.IsLoopback() && !s.AcceptsLoopback() && s.Device != "":
		return false
	case bound == a, a.Zone() == "" && bound.WithZone("") == a:
		return true
	case !bound.IsUnspecified():
		return false
	case bound.Is4():
		return a.Is4()
	}
	return a.Is6() || !s.V6Only
}

// Narrow returns l with only the sockets for which keep returns true, and their
// owners; nil if none is left.
func Narrow(l *monitor.Listener, keep func(monitor.Socket) bool) *monitor.Listener {
	n := *l
	n.Sockets, n.Addresses, n.Owners = nil, nil, []monitor.Owner{}
	for _, s := range l.Sockets {
		s.Protocol, s.Port = l.Protocol, l.Port // absent after JSON
		if !keep(s.Socket) {
			continue
		}
		n.Sockets = append(n.Sockets, s)
		if !slices.Contains(n.Addresses, s.Address) {
			n.Addresses = append(n.Addresses, s.Address)
		}
	}
	for _, o := range l.Owners {
		if slices.ContainsFunc(n.Sockets, func(s monitor.HeldSocket) bool { return slices.Contains(s.Owners, o.PID) }) {
			n.Owners = append(n.Owners, o)
		}
	}
	if len(n.Sockets) == 0 {
		return nil
	}
	return &n
}

// At returns listeners narrowed to the sockets that answer at one of addresses, as
// the system chooses them: those bound to the address itself, and only without such
// sockets those bound to a wildcard address that includes it.
func At(listeners []*monitor.Listener, addresses ...netip.Addr) (out []*monitor.Listener) {
	exact := func(s monitor.Socket, a netip.Addr) bool {
		return s.Address.Unmap().WithZone("") == a.Unmap().WithZone("")
	}
	answers := func(s monitor.Socket) bool {
		return slices.ContainsFunc(addresses, func(a netip.Addr) bool {
			taken := slices.ContainsFunc(listeners, func(l *monitor.Listener) bool {
				return l.Protocol == s.Protocol && l.Port == s.Port &&
					slices.ContainsFunc(l.Sockets, func(other monitor.HeldSocket) bool { return exact(other.Socket, a) })
			})
			return exact(s, a) || !taken && accepts(s, a)
		})
	}
	for _, l := range listeners {
		if narrowed := Narrow(l, answers); narrowed != nil {
			out = append(out, narrowed)
		}
	}
	return out
}
