//go:build !linux

// Package owner finds the processes that hold sockets. A file an OS; see New.
package owner

import (
	"context"
	"errors"
	"os"
	"runtime"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder takes the PID that the table itself tells.
type finder struct {
	known map[int]monitor.Owner // who was found the last time
}

// New returns a Finder for this system, to be used by one goroutine at a time.
func New() monitor.Finder { return &finder{} }

func (f *finder) Find(ctx context.Context, scope monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) error {
	known := make(map[int]monitor.Owner)
	for _, s := range sockets {
		if s.PID == 0 || ctx.Err() != nil {
			continue
		}
		owner, ok := known[s.PID]
		if !ok {
			var err error
			if owner, err = f.owner(s.PID, scope); err != nil {
				continue // it has ended, or may not be read
			}
			known[s.PID] = owner
		}
		if canHaveOpened(s, owner) {
			found(monitor.Holding{Socket: s.ID, Owner: owner, FD: -1})
		}
	}
	if scope != monitor.Likely {
		f.known = known
	}
	return nil
}

// owner reads a process. On Windows all but its folder stays what it is, and to
// read it takes milliseconds: one that is known is read again with everything.
func (f *finder) owner(pid int, scope monitor.Scope) (monitor.Owner, error) {
	before, ok := f.known[pid]
	if ok && runtime.GOOS == "windows" && scope != monitor.Everywhere && process.IsAlive(pid, before.Start) {
		return before, nil
	}
	owner, err := process.Info(pid)
	if err != nil {
		return owner, err
	}
	if owner.Parents = before.Parents; !before.Same(owner) {
		owner.Parents = process.Parents(owner)
	}
	return owner, nil
}

// canHaveOpened reports whether owner can be who opened s, and not a later process
// that has its number. Windows tells who opened a socket as long as anyone who
// inherited it has it. Its System never ends.
func canHaveOpened(s monitor.Socket, owner monitor.Owner) bool {
	const system = 4
	return s.BoundAt == 0 || s.PID == system || owner.Start <= s.BoundAt
}

// Holds is true as long as the process lives: the socket's identity has the
// PID in it, so a hand-over is another socket.
func (*finder) Holds(h monitor.Holding) bool { return process.IsAlive(h.Owner.PID, h.Owner.Start) }

// Calm knows nothing: there is no cheaper way than Holds.
func (*finder) Calm(int) bool { return false }

// Hidden says why nobody is seen to hold s.
func (f *finder) Hidden(s monitor.Socket) monitor.OwnerUnknown {
	if s.PID != 0 {
		owner, err := f.owner(s.PID, monitor.Recent)
		if errors.Is(err, os.ErrProcessDone) || (err == nil && !canHaveOpened(s, owner)) {
			return monitor.OwnerUnknown{Reason: monitor.UnknownExited}
		}
	}
	return monitor.OwnerUnknown{Reason: monitor.UnknownUnsupported}
}
