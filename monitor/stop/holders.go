package stop

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// NewHolderCheck scans the ports of listeners and returns a function that reports
// whether a process holds one of them now. Earlier snapshots are not used: a
// process may have released its port between being shown and being stopped.
func NewHolderCheck(ctx context.Context, listeners []*monitor.Listener, log *slog.Logger) (func(monitor.Owner) bool, error) {
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
	return func(o monitor.Owner) bool { return len(ListenersOf(s, o)) > 0 }, nil
}
