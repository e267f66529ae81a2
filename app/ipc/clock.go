package ipc

import (
	"time"

	"porthole/monitor"
)

// clock converts the opening times of listeners, which lose their monotonic clock
// reading in JSON, so that both ends compute the same age even if the system
// clock is set before or during the connection. Each end has one clock, created
// when the connection is made; conversions do not depend on when they happen.
type clock struct {
	connectedAt time.Time
	wall        time.Time // connectedAt without its monotonic reading
}

func newClock() clock {
	now := time.Now()
	return clock{now, now.Round(0)}
}

// clockTolerance is larger than the time between the two ends' clock readings and
// smaller than any deliberate clock adjustment.
const clockTolerance = time.Millisecond

// toWire returns l with Since as the system clock would have shown it if it had
// always been set as at the time of connecting. It returns l itself if Since does
// not change; it never modifies l.
func (c clock) toWire(l *monitor.Listener) *monitor.Listener {
	if l == nil || l.Since.IsZero() {
		return l
	}
	since := c.wall.Add(l.Since.Sub(c.connectedAt))
	if d := since.Sub(l.Since.Round(0)); d > -clockTolerance && d < clockTolerance {
		return l
	}
	shifted := *l
	shifted.Since = since
	return &shifted
}

// fromWire restores the monotonic reading of l.Since.
func (c clock) fromWire(l *monitor.Listener) {
	if l != nil && !l.Since.IsZero() {
		l.Since = c.connectedAt.Add(l.Since.Sub(c.wall))
	}
}
