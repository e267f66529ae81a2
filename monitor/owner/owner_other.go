//go:build !linux

// Package owner finds the processes that hold sockets. A file an OS; see New.
package owner

import (
	"context"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder takes the PID that the table itself tells.
type finder struct{}

// New returns a Finder for this system, to be used by one goroutine at a time.
func New() monitor.Finder { return finder{} }

func (finder) Find(ctx context.Context, _ monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) {
	known := make(map[int]monitor.Owner)
	for _, s := range sockets {
		if s.PID == 0 || ctx.Err() != nil {
			continue
		}
		owner, ok := known[s.PID]
		if !ok {
			var err error
			if owner, err = process.Facts(s.PID); err != nil {
				continue // it has ended, or may not be read
			}
			owner.Parents = process.Parents(owner)
			known[s.PID] = owner
		}
		found(monitor.Holding{Socket: s.ID, Owner: owner, FD: -1})
	}
}

// Holds is true as long as the process lives: the socket's identity has the
// PID in it, so a hand-over is another socket.
func (finder) Holds(h monitor.Holding) bool { return process.Lives(h.Owner.PID, h.Owner.Start) }

func (finder) Hidden(monitor.Socket) monitor.Hidden {
	return monitor.Hidden{Reason: monitor.HiddenSystem}
}
