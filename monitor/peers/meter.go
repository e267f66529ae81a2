package peers

import (
	"time"

	"porthole/monitor"
)

// Rate is how fast bytes go, a second, from the listener's view.
type Rate struct{ Received, Sent float64 }

// Sum is both ways together.
func (r Rate) Sum() float64 { return r.Received + r.Sent }

// Minute is how many looks a Meter remembers: at one every two seconds the last
// minute.
const Minute = 30

// shortest is how long after the last look that counted one has to come to count:
// there are more of them where the user goes from row to row, and the bytes of a
// moment are no rate.
const shortest = time.Second

// Meter turns the counters of connections into rates, and keeps the sums of the
// last Minute looks. What a connection carried between the last look at it and
// its end is not counted: nobody tells. The zero value is ready; it belongs to
// one goroutine.
type Meter struct {
	at      time.Time // of the last look
	last    map[monitor.SocketID]Peer
	rates   map[monitor.SocketID]Rate
	total   Rate
	history []float64 // the oldest first
}

// Take notes what a look at at saw. The first one has no rates yet. A
// connection that is new since the last one has carried all its bytes since.
func (m *Meter) Take(at time.Time, now []Peer) {
	first, seconds := m.last == nil, at.Sub(m.at).Seconds()
	if !first && seconds < shortest.Seconds() {
		return // too early, or the clock stepped
	}
	last := make(map[monitor.SocketID]Peer, len(now))
	m.rates, m.total = make(map[monitor.SocketID]Rate, len(now)), Rate{}
	for _, p := range now {
		last[p.ID] = p
		if first {
			continue
		}
		before := m.last[p.ID] // zero counters of one that is new
		r := Rate{since(before.Received, p.Received) / seconds, since(before.Sent, p.Sent) / seconds}
		m.rates[p.ID] = r
		m.total.Received += r.Received
		m.total.Sent += r.Sent
	}
	m.at, m.last = at, last
	if !first {
		m.history = append(m.history, m.total.Sum())
		m.history = m.history[max(len(m.history)-Minute, 0):]
	}
}

// since is how far a counter has gone. One that went back is another's.
func since(before, now uint64) float64 {
	if now < before {
		return 0
	}
	return float64(now - before)
}

// Of is the rate of one connection; zero where it was not seen twice.
func (m *Meter) Of(id monitor.SocketID) Rate { return m.rates[id] }

// Total is the rate of all connections together.
func (m *Meter) Total() Rate { return m.total }

// History is bytes a second, both ways and all connections together, of up to
// Minute looks, the oldest first. It is not to be changed and holds until the
// next Take.
func (m *Meter) History() []float64 { return m.history }
