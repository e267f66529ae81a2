// Package freeports finds TCP ports that a server can bind, and holds them for one that
// is about to start.
package freeports

import (
	"context"
	"errors"
	"fmt"
	"io"

	"porthole/monitor"
)

// ErrTaken means that a socket keeps the port from being bound at every address.
var ErrTaken = errors.New("the port is taken")

// ErrNotAllowed means that this user may not bind the port.
var ErrNotAllowed = errors.New("only root may bind the port")

// Search says which ports to look for.
type Search struct {
	Ports monitor.Ports // candidates, from the lowest on
	Count int           // how many to find
	// LeaveOut reports whether a candidate is left out although it is free; nil leaves out
	// none.
	LeaveOut func(port uint16) bool
}

// Find returns free ports, fewer than Count if there are no more. At each of them a
// server can bind all IPv4 and all IPv6 addresses. It tries to bind the candidates
// without listening, so no client connects meanwhile. It is safe for concurrent use.
func (s Search) Find(ctx context.Context) (found []uint16, _ error) {
	err := s.each(ctx, func(port uint16) error {
		err := Check(port)
		if err == nil {
			found = append(found, port)
		}
		return err
	}, func() bool { return len(found) == s.Count })
	return found, err
}

// Reserve is Find, and holds the ports that it found.
func (s Search) Reserve(ctx context.Context) (found []*Reservation, _ error) {
	err := s.each(ctx, func(port uint16) error {
		r, err := Reserve(port)
		if err == nil {
			found = append(found, r)
		}
		return err
	}, func() bool { return len(found) == s.Count })
	if err != nil {
		CloseAll(found)
		return nil, err
	}
	return found, nil
}

// each calls try for the candidates until enough returns true.
func (s Search) each(ctx context.Context, try func(uint16) error, enough func() bool) error {
	for _, r := range s.Ports {
		for port := int(r.First); port <= int(r.Last) && !enough(); port++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.LeaveOut != nil && s.LeaveOut(uint16(port)) {
				continue
			}
			err := try(uint16(port))
			if err != nil && !errors.Is(err, ErrTaken) && !errors.Is(err, ErrNotAllowed) {
				return err
			}
		}
	}
	return nil
}

// Check returns nil if a server can bind port at all IPv4 and all IPv6 addresses now. The
// error wraps ErrTaken, ErrNotAllowed, or says why that can't be found out. A closed
// connection that keeps the port (TIME_WAIT) counts as taken: not every server sets
// SO_REUSEADDR.
func Check(port uint16) error {
	sockets, err := bind(port)
	closeAll(sockets)
	if err != nil {
		return fmt.Errorf("bind port %d: %w", port, err)
	}
	return nil
}

// CloseAll ends reservations.
func CloseAll(reservations []*Reservation) {
	for _, r := range reservations {
		_ = r.Close() // the sockets were only bound
	}
}

// closeAll closes sockets that were only bound.
func closeAll[S io.Closer](sockets []S) {
	for _, s := range sockets {
		_ = s.Close() // nothing was sent
	}
}
