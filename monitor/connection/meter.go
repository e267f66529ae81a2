package connection

import (
	"time"

	"porthole/monitor"
)

// Rate is a transfer rate in bytes per second, from the listener's view.
type Rate struct{ Received, Sent float64 }

// Total is the sum of both directions.
func (r Rate) Total() float64 { return r.Received + r.Sent }

// HistoryLength is how many samples a Meter keeps: one minute at one sample every
// two seconds.
const HistoryLength = 30

// minInterval is the minimum time between two samples. Extra samples occur while
// the user moves between listeners, and the bytes of such short intervals give no
// meaningful rate.
const minInterval = time.Second

// Meter turns byte counters of connections into rates, and keeps the sums of the
// last HistoryLength samples. Bytes transferred between the last sample and the
// end of a connection are not counted, because they are not known. The zero value
// is ready to use. It is not safe for concurrent use.
type Meter struct {
	updatedAt time.Time // time of the last sample
	last      map[monitor.SocketID]Conn
	rates     map[monitor.SocketID]Rate
	total     Rate
	history   []float64 // oldest first
}

// Update adds a sample taken at time at. The first sample has no rates. All bytes
// of a connection that is new since the last sample count towards this one.
func (m *Meter) Update(at time.Time, conns []Conn) {
	first, seconds := m.last == nil, at.Sub(m.updatedAt).Seconds()
	if !first && seconds < minInterval.Seconds() {
		return // too early, or the clock was set back
	}
	last := make(map[monitor.SocketID]Conn, len(conns))
	m.rates, m.total = make(map[monitor.SocketID]Rate, len(conns)), Rate{}
	for _, c := range conns {
		last[c.ID] = c
		if first {
			continue
		}
		before := m.last[c.ID] // zero for a new connection
		r := Rate{float64(increase(before.Received, c.Received)) / seconds, float64(increase(before.Sent, c.Sent)) / seconds}
		m.rates[c.ID] = r
		m.total.Received += r.Received
		m.total.Sent += r.Sent
	}
	m.updatedAt, m.last = at, last
	if !first {
		m.history = append(m.history, m.total.Total())
		m.history = m.history[max(len(m.history)-HistoryLength, 0):]
	}
}

// increase returns how much a counter grew. A counter that decreased belongs to
// another connection.
func increase(before, now uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// Rate returns the rate of one connection; zero if it was sampled less than
// twice.
func (m *Meter) Rate(id monitor.SocketID) Rate { return m.rates[id] }

// Total returns the rate of all connections together.
func (m *Meter) Total() Rate { return m.total }

// History returns the total bytes per second, both directions, of up to
// HistoryLength samples, oldest first. The caller must not modify it; it is valid
// until the next Update.
func (m *Meter) History() []float64 { return m.history }
