//go:build !linux

// Package owner finds the processes that hold sockets. Each operating system has
// its own files; see New.
package owner

import (
	"context"
	"errors"
	"os"
	"runtime"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder uses the PID that the table itself reports.
type finder struct {
	known map[int]monitor.Owner // the owners that the last search found
}

// New returns a Finder for this system. It is used by one goroutine at a time.
func New() monitor.Finder { return &finder{} }

// Find implements monitor.Finder.
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
				continue // it has exited, or may not be read
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

// owner reads a process. On Windows everything but its folder is constant, and
// reading it takes milliseconds: a known process is read again only by an
// Everywhere search.
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

// canHaveOpened reports whether owner can have opened s, and is not a later
// process with the same PID: Windows reports the process that opened a socket as
// long as any process that inherited the socket has it. Its System process never
// exits.
func canHaveOpened(s monitor.Socket, owner monitor.Owner) bool {
	const system = 4
	return s.BoundAt == 0 || s.PID == system || owner.Start <= s.BoundAt
}

// Verify implements monitor.Finder. A holding exists as long as its process is
// alive: the PID is part of the socket's identity, so a socket that is passed on
// is a new one. A program that a process executes later is not noticed here.
func (*finder) Verify(holdings []monitor.Holding) (gone, changed []monitor.Holding) {
	pid, start, alive := 0, uint64(0), false
	for _, h := range holdings {
		if h.Owner.PID != pid || h.Owner.Start != start {
			pid, start = h.Owner.PID, h.Owner.Start
			alive = process.IsAlive(pid, start)
		}
		if !alive {
			gone = append(gone, h)
		}
	}
	return gone, nil
}

// WhyUnknown implements monitor.Finder.
func (f *finder) WhyUnknown(s monitor.Socket) monitor.OwnerUnknown {
	if s.PID != 0 {
		owner, err := f.owner(s.PID, monitor.Recent)
		if errors.Is(err, os.ErrProcessDone) || (err == nil && !canHaveOpened(s, owner)) {
			return monitor.OwnerUnknown{Reason: monitor.UnknownExited}
		}
	}
	return monitor.OwnerUnknown{Reason: monitor.UnknownUnsupported}
}

// InPIDNamespace reports whether this process cannot see the processes outside its
// PID namespace. Only Linux has such namespaces.
func InPIDNamespace() bool { return false }
