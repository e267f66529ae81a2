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
func NewHolderCheck(ctx context.Context, rows []*monitor.Listener, log *slog.Logger) (func(monitor.Owner) bool, error) {
	table, err := socket.Open(log)
	if err != nil {
		return nil, fmt.Errorf("open the socket table: %w", err)
	}
	defer table.Close()
	at := func(l *monitor.Listener) bool {
		return slices.ContainsFunc(rows, func(r *monitor.Listener) bool { return r.Port == l.Port && r.Protocol == l.Protocol })
	}
	var ports monitor.Ports
	for _, r := range rows {
		ports = append(ports, monitor.PortRange{First: r.Port, Last: r.Port})
	}
	udp := slices.ContainsFunc(rows, func(r *monitor.Listener) bool { return r.Protocol == monitor.UDP })
	s, err := monitor.New(table, owner.New(), monitor.Options{UDP: udp, Ports: ports, Keep: at, Logger: log}).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the owners of the ports: %w", err)
	}
	return func(o monitor.Owner) bool { return len(ListenersOf(s, o)) > 0 }, nil
}
