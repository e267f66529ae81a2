package connection

import (
	"cmp"
	"slices"
	"time"

	"porthole/monitor"
)

// Burst is a series of refused attempts of local clients to connect to a closed port, with
// pauses of at most a minute. The numbers are lower limits: many clients leave no trace
// (those that block in connect(2), and those on other machines).
type Burst struct {
	Port       uint16    `json:"port"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Attempts   int       `json:"attempts"`
	LastMinute int       `json:"last_minute"` // of Attempts
}

// Limits of Attempts.
const (
	burstPause = time.Minute // a longer pause ends a burst
	maxBurst   = time.Hour   // a client that tries for ever makes one burst an hour
	maxBursts  = 256         // ports with a burst; further ones are ignored
)

// Attempts counts refused attempts. The zero value is ready to use. It is not safe for
// concurrent use; all methods get the current time.
type Attempts struct {
	bursts map[uint16]*burst
}

// burst is a series of attempts. A client that connects to "localhost" usually tries ::1
// and 127.0.0.1, so that the larger number of the two counts.
type burst struct {
	first, last time.Time
	families    [2]family // IPv4, IPv6
}

// family has the attempts over one IP version.
type family struct {
	all    int
	recent minute // in Amount.Connections
}

// Add counts an attempt.
func (a *Attempts) Add(now time.Time, port uint16, ipv6 bool) {
	b := a.bursts[port]
	if b == nil {
		if len(a.bursts) >= maxBursts {
			return
		}
		if a.bursts == nil {
			a.bursts = make(map[uint16]*burst)
		}
		b = &burst{first: now}
		a.bursts[port] = b
	}
	f := &b.families[0]
	if ipv6 {
		f = &b.families[1]
	}
	b.last = now
	f.all++
	f.recent.at(now).amount.Connections++
}

// Take returns the bursts that go on, and removes and returns those that have ended:
// because of a pause, after an hour, or because their port is not among ports any more.
// Both are sorted by port.
func (a *Attempts) Take(now time.Time, ports monitor.Ports) (current, ended []Burst) {
	for port, b := range a.bursts {
		if now.Sub(b.last) <= burstPause && now.Sub(b.first) <= maxBurst && ports.Contains(port) {
			current = append(current, b.burst(port, now))
			continue
		}
		ended = append(ended, b.burst(port, now))
		delete(a.bursts, port)
	}
	byPort := func(x, y Burst) int { return cmp.Compare(x.Port, y.Port) }
	slices.SortFunc(current, byPort)
	slices.SortFunc(ended, byPort)
	return current, ended
}

// Empty reports whether there are no bursts.
func (a *Attempts) Empty() bool { return len(a.bursts) == 0 }

func (b *burst) burst(port uint16, now time.Time) Burst {
	out := Burst{Port: port, First: b.first, Last: b.last}
	for i := range b.families {
		f := &b.families[i]
		out.Attempts = max(out.Attempts, f.all)
		out.LastMinute = max(out.LastMinute, int(f.recent.sum(now).Connections))
	}
	return out
}
