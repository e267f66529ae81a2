package watch

import (
	"net/netip"
	"slices"
	"testing"

	"porthole/monitor"
)

func rule(t *testing.T, name, ports string) Rule {
	t.Helper()
	p, err := monitor.ParsePorts(ports)
	if err != nil {
		t.Fatal(err)
	}
	return Rule{Ports: p, Name: name}
}

func listener(address string, port uint16) *monitor.Listener {
	return &monitor.Listener{Port: port, Protocol: monitor.TCP, Addresses: []netip.Addr{netip.MustParseAddr(address)}}
}

func TestDefaultWatchesOnePort(t *testing.T) {
	r := Default()
	if len(r) != 1 || !r.HasSimple(62893) || !r.WatchesPort(62893) || r.WatchesPort(62894) {
		t.Errorf("Default: got %+v, want only 62893", r)
	}
}

func TestWithPortAndWithoutPort(t *testing.T) {
	dev := Rules{rule(t, "dev servers", "3000-3999")}
	with := dev.WithPort(3000) // already watched, but by a range
	if len(with) != 2 || !with.HasSimple(3000) || len(dev) != 1 {
		t.Errorf("WithPort(3000): got %+v, want a second rule and the first list unchanged", with)
	}
	if again := with.WithPort(3000); len(again) != 2 {
		t.Errorf("WithPort(3000) twice: got %+v, want two rules", again)
	}
	without := with.WithoutPort(3000)
	if len(without) != 1 || without.HasSimple(3000) || !without.WatchesPort(3000) || len(with) != 2 {
		t.Errorf("WithoutPort(3000): got %+v, want the range to stay", without)
	}
	if got := dev.WithoutPort(3001); len(got) != 1 {
		t.Errorf("WithoutPort(3001): got %+v, want the range to stay", got)
	}
}

func TestRelevant(t *testing.T) {
	off := rule(t, "", "4000")
	off.Off = true
	r := Rules{rule(t, "dev servers", "3000-3999"), off}
	change := func(kind monitor.Kind, address string, port uint16) monitor.Event {
		return monitor.Event{Kind: kind, Listener: listener(address, port)}
	}
	for _, test := range []struct {
		name string
		in   monitor.Event
		want int
	}{
		{"a range", change(monitor.Closed, "::1", 3001), 1},
		{"a wildcard address is on loopback too", change(monitor.ExposureChanged, "0.0.0.0", 3001), 1},
		{"owner changed", change(monitor.OwnerChanged, "127.0.0.1", 3001), 1},
		{"to learn more is no news", change(monitor.Updated, "127.0.0.1", 3000), 0},
		{"what was open before is no news", change(monitor.Discovered, "127.0.0.1", 3000), 0},
		{"another interface's", change(monitor.Opened, "192.168.1.5", 3000), 0},
		{"another port", change(monitor.Opened, "127.0.0.1", 5000), 0},
		{"a rule that is off", change(monitor.Opened, "127.0.0.1", 4000), 0},
	} {
		if got := r.Relevant([]monitor.Event{test.in}); len(got) != test.want {
			t.Errorf("%s: got %d events, want %d", test.name, len(got), test.want)
		}
	}
}

func TestWithPortEnablesDisabledRule(t *testing.T) {
	off := rule(t, "web", "3000")
	off.Off = true
	r := Rules{off}
	if r.HasSimple(3000) || r.WatchesPort(3000) || r.Matches(listener("127.0.0.1", 3000)) {
		t.Error("a rule that is off watches its port")
	}
	if with := r.WithPort(3000); len(with) != 1 || with[0].Off || !r[0].Off {
		t.Errorf("WithPort(3000): got %+v, want one rule that is on and the first list unchanged", with)
	}
}

func TestCountOpen(t *testing.T) {
	r := Rules{rule(t, "", "3000-3999"), rule(t, "", "5432"), rule(t, "", "8080")}
	s := monitor.Snapshot{Listeners: []*monitor.Listener{
		listener("127.0.0.1", 3000), listener("::1", 3001), listener("192.168.1.5", 5432), listener("0.0.0.0", 8080),
	}}
	if open, all := r.CountOpen(s); open != 2 || all != 3 {
		t.Errorf("CountOpen: got %d of %d, want 2 of 3: the range and 8080", open, all)
	}
	if got := r[0].Listeners(s); !slices.Equal(got, s.Listeners[:2]) {
		t.Errorf("Listeners of the range: got %v, want the first two", got)
	}
}
