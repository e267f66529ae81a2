package connection

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

var start = time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC)

// server returns a listener on 127.0.0.1 with one socket, that opened at a time.
func server(id string, port uint16, socket monitor.SocketID, since time.Time) *monitor.Listener {
	l := listener(id, port, "127.0.0.1")
	l.Since = since
	l.Sockets = []monitor.HeldSocket{{Socket: monitor.Socket{ID: socket}}}
	return l
}

func ended(id monitor.SocketID, port uint16, received, sent uint64) Ended {
	return Ended{id, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), netip.MustParseAddrPort("127.0.0.1:50000"), received, sent}
}

func established(conns ...Conn) map[string]State {
	return map[string]State{"a": {Conns: conns, BytesKnown: true}}
}

func check(t *testing.T, what string, got Amount, want Amount) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func sample(c *Counter, now time.Time, states map[string]State) {
	c.BeginSample()
	c.EndSample(now, states)
}

// A connection counts once, with all its bytes, whether it was seen established, ended
// or both.
func TestCounterCountsEachConnectionOnce(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	c.Ended(start, ended(1, 3000, 10, 100)) // lived between two samples
	sample(&c, start, established(Conn{ID: 2, Received: 5, Sent: 50}))
	check(t, "last minute, without what may be older", c.Totals(start)["a"].LastMinute.Amount, Amount{1, 10, 100})
	check(t, "one ended, one established", c.Totals(start)["a"].Amount, Amount{2, 15, 150})
	sample(&c, start, established(Conn{ID: 2, Received: 6, Sent: 60}))
	check(t, "transferred more", c.Totals(start)["a"].Amount, Amount{2, 16, 160})
	c.Ended(start, ended(2, 3000, 7, 70))
	check(t, "both ended", c.Totals(start)["a"].Amount, Amount{2, 17, 170})
	c.Ended(start, ended(3, 4000, 1, 1))
	check(t, "another port", c.Totals(start)["a"].Amount, Amount{2, 17, 170})
}

// A connection that ends while a sample is taken may still be in it.
func TestCounterConnectionEndsDuringSample(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	c.BeginSample()
	c.Ended(start, ended(1, 3000, 10, 100))
	c.EndSample(start, established(Conn{ID: 1, Received: 10, Sent: 100}))
	check(t, "once", c.Totals(start)["a"].Amount, Amount{1, 10, 100})
	if len(c.live) != 0 {
		t.Errorf("got %d established connections, want none", len(c.live))
	}
}

// If the listener's side resets a connection, the kernel reports it without its bytes.
func TestCounterResetConnection(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	sample(&c, start, established(Conn{ID: 1, Received: 5, Sent: 50}))
	c.Ended(start, Ended{ID: 1, Local: netip.MustParseAddrPort("0.0.0.0:3000"), Remote: netip.MustParseAddrPort("127.0.0.1:0")})
	check(t, "bytes until the last sample", c.Totals(start)["a"].Amount, Amount{1, 5, 50})
}

func TestCounterLastMinute(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	for i := range monitor.SocketID(120) { // one a second
		c.Ended(start.Add(time.Duration(i)*time.Second), ended(i+1, 3000, 1, 2))
	}
	got := c.Totals(start.Add(119 * time.Second))["a"]
	check(t, "in total", got.Amount, Amount{120, 120, 240})
	if n := got.LastMinute.Connections; n < 55 || n > 60 {
		t.Errorf("last minute: got %d connections, want 55 to 60", n)
	}
	check(t, "later", c.Totals(start.Add(time.Hour))["a"].LastMinute.Amount, Amount{})
}

// The count is complete if the port was watched before the listener opened, and includes
// connections that ended before the listener was seen.
func TestCounterSinceOpened(t *testing.T) {
	ports := monitor.Ports{{First: 3000, Last: 3000}}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("old", 4000, 8, time.Time{})}, ports)
	c.Ended(at(10), ended(1, 3000, 10, 100)) // of an earlier listener: too long ago
	c.Ended(at(20), ended(2, 3000, 10, 100))
	c.Ended(at(20), ended(3, 3000, 1, 1))
	c.SetListeners(at(21), []*monitor.Listener{server("old", 4000, 8, time.Time{}), server("a", 3000, 9, at(21))}, ports)
	got := c.Totals(at(21))
	check(t, "since it opened", got["a"].Amount, Amount{2, 11, 101})
	if !got["a"].SinceOpened || !got["a"].Since.Equal(at(21)) || got["old"].SinceOpened || !got["old"].Since.Equal(start) {
		t.Errorf("got %+v; want a since it opened, and old since the start of the count", got)
	}
	more := monitor.Ports{{First: 3000, Last: 3001}}
	c.SetListeners(at(30), []*monitor.Listener{server("b", 3001, 10, at(29))}, more) // opened before it was watched
	if b := c.Totals(at(30))["b"]; b.SinceOpened || !b.Since.Equal(at(30)) {
		t.Errorf("b: got %+v, want a count since it is watched", b)
	}
}

// A restarted server begins anew.
func TestCounterNewListener(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	sample(&c, start, established(Conn{ID: 1}))
	c.SetListeners(start, nil, nil)
	if c.Counts() || len(c.live) != 0 {
		t.Errorf("counts %v with %d connections after the listener closed", c.Counts(), len(c.live))
	}
	c.SetListeners(start, []*monitor.Listener{server("b", 3000, 10, time.Time{})}, nil)
	check(t, "new listener", c.Totals(start)["b"].Amount, Amount{})
}

// Two listeners that turn out to be one keep their counts.
func TestCounterMergedListeners(t *testing.T) {
	a, b := server("a", 3000, 1, time.Time{}), server("b", 3000, 2, time.Time{})
	b.Addresses = []netip.Addr{netip.MustParseAddr("::1")}
	var c Counter
	c.SetListeners(start, []*monitor.Listener{a, b}, nil)
	c.Ended(start, ended(5, 3000, 1, 1))
	sample(&c, start, map[string]State{"b": {Conns: []Conn{{ID: 6, Received: 2, Sent: 2}}}})
	both := *a
	both.Sockets = append(both.Sockets[:1:1], b.Sockets...)
	c.SetListeners(start, []*monitor.Listener{&both}, nil)
	c.Ended(start, Ended{ID: 6, Received: 3, Sent: 3})
	got := c.Totals(start)["a"]
	check(t, "both", got.Amount, Amount{2, 4, 4})
	check(t, "last minute", got.LastMinute.Amount, Amount{1, 2, 2})
}

// After lost messages the numbers are lower limits, and connections whose end was lost
// are forgotten.
func TestCounterLostMessages(t *testing.T) {
	var c Counter
	c.SetListeners(start, []*monitor.Listener{server("a", 3000, 9, time.Time{})}, nil)
	sample(&c, start, established(Conn{ID: 1}, Conn{ID: 2}))
	c.Lost(start)
	got := c.Totals(start)["a"]
	if !got.AtLeast || !got.LastMinute.AtLeast {
		t.Errorf("got %+v, want lower limits", got)
	}
	sample(&c, start, established(Conn{ID: 2}))
	if _, known := c.live[1]; known || len(c.live) != 1 {
		t.Errorf("established: got %v, want 2 alone", c.live)
	}
	if got := c.Totals(start.Add(2 * time.Minute))["a"]; !got.AtLeast || got.LastMinute.AtLeast {
		t.Errorf("two minutes later: got %+v; want only the total as a lower limit", got)
	}
}

// A step of the wall clock, by NTP or settimeofday(2), must not empty the last minute or end
// a burst. It does not change the distance of two times that have a monotonic reading, so
// every time that is kept must still have the one that it came with (see package time).
func TestClockStepChangesNoDistances(t *testing.T) {
	now := time.Now()
	hasReading := func(what string, kept time.Time) {
		t.Helper()
		if !strings.Contains(kept.String(), " m=") {
			t.Errorf("%s: the time %v has lost its monotonic reading", what, kept)
		}
	}
	var c Counter
	c.SetListeners(now, []*monitor.Listener{server("a", 3000, 9, now)}, nil)
	c.Ended(now, ended(1, 3000, 10, 100))
	for _, s := range c.counted["a"].minute {
		hasReading("a step of the last minute", s.start)
	}
	if len(c.counted["a"].minute) == 0 {
		t.Error("the last minute has no step")
	}
	var a Attempts
	a.Add(now, 3000, false)
	current, _ := a.Take(now, monitor.Ports{{First: 3000, Last: 3000}})
	if len(current) != 1 {
		t.Fatalf("got bursts %+v, want one", current)
	}
	hasReading("the first attempt of a burst", current[0].First)
	hasReading("the last attempt of a burst", current[0].Last)
	hasReading("a step of a burst", a.bursts[3000].families[0].recent[0].start)
}
