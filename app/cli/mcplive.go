package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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

	polling sync.Mutex   // allows one poll of table at a time
	table   socket.Table // to check the monitor's snapshots with; nil while it does not run

	mu       sync.Mutex
	stop     context.CancelFunc // of the running monitor; nil without one
	idle     *time.Timer        // ends the monitor
	snapshot monitor.Snapshot   // the last one; TakenAt is zero before the first
	changed  chan struct{}      // closed with the next snapshot
	encoded  map[listedKey]json.RawMessage
}

// listedKey identifies a listener in the answer of list_ports. Listeners are immutable,
// and one that does not change is the same in each snapshot.
type listedKey struct {
	listener *monitor.Listener
	watched  bool
	health   string
	// ambiguous means that "localhost" is.
	ambiguous bool
}

// maxEncoded limits the listeners that are kept as JSON.
const maxEncoded = 5000

// encode returns l as JSON for list_ports. Explaining what started a process takes far
// longer than all else, so the answer is kept.
func (v *liveList) encode(q query, l *monitor.Listener) (json.RawMessage, error) {
	key := listedKey{l, q.rules.Matches(l), q.healthBrief(l), q.ambiguous[l.ID]}
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.encoded[key]; ok {
		return known, nil
	}
	text, err := json.Marshal(q.listedJSON(l))
	if err != nil {
		return nil, fmt.Errorf("encode port %d: %w", l.Port, err)
	}
	if v.encoded == nil || len(v.encoded) >= maxEncoded {
		v.encoded = map[listedKey]json.RawMessage{}
	}
	v.encoded[key] = text
	return text, nil
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
	limit := time.NewTimer(liveWait)
	defer limit.Stop()
	for {
		v.mu.Lock()
		snapshot, changed := v.snapshot, v.changed
		v.mu.Unlock()
		if !snapshot.TakenAt.IsZero() {
			if current, err := v.isCurrent(snapshot, ports); err != nil || current {
				snapshot.TakenAt = time.Now()
				return snapshot, err
			}
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

// isCurrent reports whether, on ports, s consists of exactly the sockets that listen now.
func (v *liveList) isCurrent(s monitor.Snapshot, ports monitor.Ports) (bool, error) {
	v.polling.Lock()
	defer v.polling.Unlock()
	if v.table == nil { // the monitor has ended since s was taken
		return false, nil
	}
	now, _, err := v.table.Poll(monitor.PollOptions{Fresh: true})
	return err == nil && hasSockets(s, now, ports), err
}

// setTable replaces the table, and closes the previous one.
func (v *liveList) setTable(t socket.Table) {
	v.polling.Lock()
	defer v.polling.Unlock()
	if v.table != nil {
		_ = v.table.Close() // nothing was written to it
	}
	v.table = t
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
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil))) // the monitor's own table logs the same
	if err == nil {
		v.setTable(table)
	}
	q, err := newQuery(nil, Options{All: true, Stdout: io.Discard, Stderr: io.Discard}) // each call's own query reports the same
	if err == nil {
		_ = q.follow(ctx, func(u monitor.Update) (bool, error) { // after an error, calls scan for themselves
			v.publish(u.Snapshot)
			return false, nil
		})
	}
	v.setTable(nil) // before another run may begin
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stop()
	v.idle.Stop()
	v.stop, v.snapshot, v.encoded = nil, monitor.Snapshot{}, nil
}

func (v *liveList) publish(s monitor.Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.snapshot = s
	for key := range v.encoded { // most are the same as before
		if !slices.Contains(s.Listeners, key.listener) {
			delete(v.encoded, key)
		}
	}
	close(v.changed)
	v.changed = make(chan struct{})
}
