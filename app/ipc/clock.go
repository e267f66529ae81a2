package ipc

import (
	"time"

	"porthole/monitor"
)

// clock lets the two ends of a connection agree since when a listener is open,
// whoever sets the clock of the machine before or meanwhile: a time on the line
// has no monotonic reading. Each end has one, of the moment when they met; what
// it makes of a time does not depend on when it is asked.
type clock struct {
	connectedAt time.Time
	wall        time.Time // what the clock on the wall said then
}

func newClock() clock {
	now := time.Now()
	return clock{now, now.Round(0)}
}

// clockTolerance is less than anyone sets a clock by, and more than lies between the
// readings of the two clocks.
const clockTolerance = time.Millisecond

// toWire is l as it is to be told: with the time that the clock would have shown
// when l was opened, had it been set before then as it was when the ends met.
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

// fromWire gives l's time the monotonic reading that it had at the other end.
func (c clock) fromWire(l *monitor.Listener) {
	if l != nil && !l.Since.IsZero() {
		l.Since = c.connectedAt.Add(l.Since.Sub(c.wall))
	}
}
