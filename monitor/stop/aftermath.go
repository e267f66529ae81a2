package stop

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// How long after a stop the ports are watched for a process that takes them again:
// longer if something is known to start one.
const (
	WatchTime        = 500 * time.Millisecond
	WatchTimeManaged = 3 * time.Second
	WatchTimeRespawn = 2 * time.Second // for a new worker of a server that lost one
)

// watchInterval is the time between two readings of the socket table.
const watchInterval = 50 * time.Millisecond

// PortWatch watches the ports of listeners while and after their owners are
// stopped. It is not safe for concurrent use.
type PortWatch struct {
	listeners []*monitor.Listener
	table     socket.Table
	log       *slog.Logger
}

// NewPortWatch opens the socket table to watch the ports of listeners. The caller
// must close the PortWatch.
func NewPortWatch(listeners []*monitor.Listener, log *slog.Logger) (*PortWatch, error) {
	table, err := socket.Open(log)
	if err != nil {
		return nil, fmt.Errorf("open the socket table: %w", err)
	}
	return &PortWatch{listeners: listeners, table: table, log: log}, nil
}

// Close closes the socket table.
func (w *PortWatch) Close() { _ = w.table.Close() } // nothing was written to it

// Free reports whether nothing listens on the ports; false if that is not known.
func (w *PortWatch) Free() bool {
	udp := slices.ContainsFunc(w.listeners, func(l *monitor.Listener) bool { return l.Protocol == monitor.UDP })
	sockets, _, err := w.table.Poll(monitor.PollOptions{UDP: udp, Fresh: true})
	if err != nil {
		w.log.Warn("can't read the socket table", "error", err)
		return false
	}
	return !slices.ContainsFunc(sockets, func(s monitor.Socket) bool { return occupies(s, w.listeners) })
}

// Taken watches the ports for at most d. It returns the listeners that opened on
// them, with their owners; nil if the ports stay free. It returns early when ctx
// ends.
func (w *PortWatch) Taken(ctx context.Context, d time.Duration) ([]*monitor.Listener, error) {
	end := time.Now().Add(d)
	for {
		if !w.Free() {
			if now, err := w.holders(ctx); err != nil || len(now) > 0 {
				return now, err
			}
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchInterval):
		}
	}
}

// holders returns the listeners on the ports. A process that just opened one may
// not be visible yet.
func (w *PortWatch) holders(ctx context.Context) ([]*monitor.Listener, error) {
	for range 5 {
		now, err := Holders(ctx, w.listeners, w.log)
		if err != nil || len(now) == 0 || !slices.ContainsFunc(now, func(l *monitor.Listener) bool { return len(l.Owners) == 0 }) {
			return now, err
		}
		time.Sleep(watchInterval)
	}
	return Holders(ctx, w.listeners, w.log)
}
