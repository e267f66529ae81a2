package connection

import (
	"time"

	"porthole/monitor"
)

// Rate is how fast bytes go, a second, from the listener's view.
type Rate struct{ Received, Sent float64 }

// Total is both ways together.
func (r Rate) Total() float64 { return r.Received + r.Sent }

// HistoryLength is how many looks a Meter remembers: at one every two seconds the last
// minute.
const HistoryLength = 30

// minInterval is how long after the last look that counted one has to come to count:
// there are more of them where the user goes from row to row, and the bytes of a
// moment are no rate.
const minInterval = time.Second

// Meter turns the counters of connections into rates, and keeps the sums of the
// last Minute looks. What a connection carried between the last look at it and
// its end is not counted: nobody tells. The zero value is ready; it belongs to
// one goroutine.
type Meter struct {
	updatedAt time.Time // of the last look
	last      map[monitor.SocketID]Conn
	rates     map[monitor.SocketID]Rate
	total     Rate
	history   []float64 // the oldest first
}

// Update notes what a look at at saw. The first one has no rates yet. A
// connection that is new since the last one has carried all its bytes since.
func (m *Meter) Update(at time.Time, now []Conn) {
	first, seconds := m.last == nil, at.Sub(m.updatedAt).Seconds()
	if !first && seconds < minInterval.Seconds() {
		return // too early, or the clock stepped
	}
	last := make(map[monitor.SocketID]Conn, len(now))
	m.rates, m.total = make(map[monitor.SocketID]Rate, len(now)), Rate{}
	for _, p := range now {
		last[p.ID] = p
		if first {
			continue
		}
		before := m.last[p.ID] // zero counters of one that is new
		r := Rate{increase(before.Received, p.Received) / seconds, increase(before.Sent, p.Sent) / seconds}
		m.rates[p.ID] = r
		m.total.Received += r.Received
		m.total.Sent += r.Sent
	}
	m.updatedAt, m.last = at, last
	if !first {
		m.history = append(m.history, m.total.Total())
		m.history = m.history[max(len(m.history)-HistoryLength, 0):]
	}
}

// increase is how far a counter has gone. One that went back is another's.
func increase(before, now uint64) float64 {
	if now < before {
		return 0
	}
	return float64(now - before)
}

// Rate is the rate of one connection; zero where it was not seen twice.
func (m *Meter) Rate(id monitor.SocketID) Rate { return m.rates[id] }

// Total is the rate of all connections together.
func (m *Meter) Total() Rate { return m.total }

// History is bytes a second, both ways and all connections together, of up to
// Minute looks, the oldest first. It is not to be changed and holds until the
// next Take.
func (m *Meter) History() []float64 { return m.history }
