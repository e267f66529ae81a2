package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// How long a liveList monitors after its last use, and how long a call waits for it to
// see the same sockets as the kernel's table.
const (
	liveTime = 2 * time.Minute
	liveWait = 300 * time.Millisecond
)

// liveList answers which TCP sockets listen, with their owners, from a monitor that it runs
// while it is used: searching the owners anew for each call would take a hundred times as
// long. It may be used concurrently.
type liveList struct {
	ctx  context.Context // ends the monitor
	work sync.WaitGroup

	mu       sync.Mutex
	stop     context.CancelFunc // of the running monitor; nil without one
	idle     *time.Timer        // ends the monitor
	snapshot monitor.Snapshot   // the last one; TakenAt is zero before the first
	changed  chan struct{}      // closed with the next snapshot
}

func newLiveList(ctx context.Context) *liveList {
	return &liveList{ctx: ctx, changed: make(chan struct{})}
}

// errNoLiveList means that the monitor has not seen the sockets that listen now.
var errNoLiveList = errors.New("the monitor does not follow the sockets")

// current returns a snapshot with exactly the sockets that listen now on ports; nil for
// all.
func (v *liveList) current(ctx context.Context, ports monitor.Ports) (monitor.Snapshot, error) {
	v.use()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil))) // the monitor's table logs the same
	if err != nil {
		return monitor.Snapshot{}, err
	}
	defer table.Close()
	limit := time.NewTimer(liveWait)
	defer limit.Stop()
	for {
		now, _, err := table.Poll(monitor.PollOptions{Fresh: true})
		if err != nil {
			return monitor.Snapshot{}, err
		}
		v.mu.Lock()
		snapshot, changed := v.snapshot, v.changed
		v.mu.Unlock()
		if !snapshot.TakenAt.IsZero() && hasSockets(snapshot, now, ports) {
			snapshot.TakenAt = time.Now()
			return snapshot, nil
		}
		select {
		case <-changed:
		case <-limit.C:
			return monitor.Snapshot{}, errNoLiveList
		case <-ctx.Done():
			return monitor.Snapshot{}, ctx.Err()
		}
	}
}

// hasSockets reports whether, on ports, s consists of exactly these sockets.
func hasSockets(s monitor.Snapshot, sockets []monitor.Socket, ports monitor.Ports) bool {
	known := make(map[monitor.SocketID]bool, len(sockets))
	for _, l := range s.Listeners {
		if ports == nil || ports.Contains(l.Port) {
			for _, held := range l.Sockets {
				known[held.ID] = true
			}
		}
	}
	for _, socket := range sockets {
		if ports != nil && !ports.Contains(socket.Port) {
			continue
		}
		if !known[socket.ID] {
			return false
		}
		delete(known, socket.ID)
	}
	return len(known) == 0
}

// use starts the monitor unless it runs, and lets it run for another liveTime.
func (v *liveList) use() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stop != nil {
		v.idle.Reset(liveTime)
		return
	}
	ctx, stop := context.WithCancel(v.ctx)
	v.stop, v.idle = stop, time.AfterFunc(liveTime, stop)
	v.work.Go(func() { v.run(ctx) })
}

// run monitors until ctx ends.
func (v *liveList) run(ctx context.Context) {
	q, err := newQuery(nil, Options{All: true, Stdout: io.Discard, Stderr: io.Discard}) // each call's own query reports the same
	if err == nil {
		_ = q.follow(ctx, func(u monitor.Update) (bool, error) { // after an error, calls scan for themselves
			v.publish(u.Snapshot)
			return false, nil
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stop()
	v.idle.Stop()
	v.stop, v.snapshot = nil, monitor.Snapshot{}
}

func (v *liveList) publish(s monitor.Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.snapshot = s
	close(v.changed)
	v.changed = make(chan struct{})
}
