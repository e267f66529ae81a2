package connection

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"porthole/monitor"
)

func listener(id string, port uint16, addresses ...string) *monitor.Listener {
	l := &monitor.Listener{ID: id, Protocol: monitor.TCP, Port: port}
	for _, a := range addresses {
		l.Addresses = append(l.Addresses, netip.MustParseAddr(a))
	}
	return l
}

func TestIndexPrefersMostSpecificAddress(t *testing.T) {
	udp := listener("udp", 53, "0.0.0.0")
	udp.Protocol = monitor.UDP
	b := NewIndex([]*monitor.Listener{
		listener("four", 3000, "127.0.0.1"), listener("six", 3000, "::1"), listener("wild", 3000, "0.0.0.0"),
		listener("dual", 8080, "::"), listener("pair", 9000, "0.0.0.0"), listener("pair6", 9000, "::"), listener("mapped", 7000, "::ffff:127.0.0.1"), udp,
	})
	for local, want := range map[string]string{
		"127.0.0.1:3000": "four", "[::1]:3000": "six", "127.0.0.2:3000": "wild", "10.1.2.3:3000": "wild", "[2001:db8::1]:3000": "",
		"127.0.0.1:8080": "dual", "[::ffff:127.0.0.1]:8080": "dual", "[::1]:8080": "dual",
		"127.0.0.1:9000": "pair", "[::1]:9000": "pair6", "[fe80::1%eth0]:9000": "pair6",
		"[::ffff:127.0.0.1]:7000": "mapped", "127.0.0.1:7000": "mapped", "127.0.0.2:7000": "",
		"127.0.0.1:53": "", "127.0.0.1:1": "",
	} {
		got := ""
		if l := b.Listener(netip.MustParseAddrPort(local)); l != nil {
			got = l.ID
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", local, got, want)
		}
	}
}

func TestMeterRates(t *testing.T) {
	var m Meter
	at := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	m.Update(at, []Conn{{ID: 1, Received: 1000, Sent: 50_000}})
	if m.Total() != (Rate{}) || len(m.History()) != 0 {
		t.Errorf("after one sample: got %v, %v; want nothing", m.Total(), m.History())
	}
	at = at.Add(2 * time.Second)
	m.Update(at, []Conn{{ID: 1, Received: 1200, Sent: 54_000}, {ID: 2, Received: 10, Sent: 20}})
	if got, want := m.Rate(1), (Rate{100, 2000}); got != want {
		t.Errorf("old connection: got %v, want %v", got, want)
	}
	if got, want := m.Rate(2), (Rate{5, 10}); got != want {
		t.Errorf("new connection: got %v, want all its bytes: %v", got, want)
	}
	if got, want := m.Total(), (Rate{105, 2010}); got != want {
		t.Errorf("total: got %v, want %v", got, want)
	}
	for _, early := range []time.Duration{0, -time.Hour, 900 * time.Millisecond} {
		if m.Update(at.Add(early), nil); m.Rate(2) == (Rate{}) || len(m.History()) != 1 {
			t.Errorf("a sample %v after the last one was not ignored", early)
		}
	}
	at = at.Add(time.Second)
	m.Update(at, []Conn{{ID: 2, Received: 3, Sent: 20}}) // 1 has closed; 2 restarts from zero
	if m.Total() != (Rate{}) || m.Rate(1) != (Rate{}) {
		t.Errorf("got total %v, closed connection %v; want zero", m.Total(), m.Rate(1))
	}
	if want := []float64{2115, 0}; !slices.Equal(m.History(), want) {
		t.Errorf("history: got %v, want %v", m.History(), want)
	}
	for range 2 * HistoryLength {
		at = at.Add(time.Second)
		m.Update(at, nil)
	}
	if n := len(m.History()); n != HistoryLength {
		t.Errorf("got %d samples, want %d", n, HistoryLength)
	}
}

func TestQueueFullAboveLimit(t *testing.T) {
	for _, c := range []struct {
		s    State
		want bool
	}{
		{State{}, false}, {State{QueueKnown: true}, false}, {State{QueueLength: 1, QueueKnown: true}, true},
		{State{QueueLength: 511, QueueLimit: 511, QueueKnown: true}, false}, {State{QueueLength: 512, QueueLimit: 511, QueueKnown: true}, true}, {State{QueueLength: 9}, false},
	} {
		if got := c.s.QueueFull(); got != c.want {
			t.Errorf("%+v: got %v, want %v", c.s, got, c.want)
		}
	}
}
