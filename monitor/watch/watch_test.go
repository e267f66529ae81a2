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
	if len(r) != 1 || !r.Simple(62893) || !r.Watches(62893) || r.Watches(62894) {
		t.Errorf("Default = %+v, want 62893 alone", r)
	}
}

func TestStarAddsAndRemovesASimpleRule(t *testing.T) {
	dev := Rules{rule(t, "dev servers", "3000-3999")}
	with := dev.With(3000) // watched already, but not by a rule of its own
	if len(with) != 2 || !with.Simple(3000) || len(dev) != 1 {
		t.Errorf("With(3000) = %+v, want a second rule, and the first list as it was", with)
	}
	if again := with.With(3000); len(again) != 2 {
		t.Errorf("With(3000) twice = %+v, want two rules", again)
	}
	without := with.Without(3000)
	if len(without) != 1 || without.Simple(3000) || !without.Watches(3000) || len(with) != 2 {
		t.Errorf("Without(3000) = %+v, want the range to stay", without)
	}
	if got := dev.Without(3001); len(got) != 1 {
		t.Errorf("Without(3001) = %+v, want the range to stay", got)
	}
}

func TestAlerts(t *testing.T) {
	r := Rules{rule(t, "web", "3000"), rule(t, "dev servers", "3000-3999")}
	change := func(kind monitor.Kind, address string, port uint16) monitor.Change {
		return monitor.Change{Kind: kind, Listener: listener(address, port)}
	}
	for _, test := range []struct {
		name string
		in   monitor.Change
		want string // the rule's name
	}{
		{"the first rule counts", change(monitor.Opened, "127.0.0.1", 3000), "web"},
		{"by range", change(monitor.Closed, "::1", 3001), "dev servers"},
		{"a wildcard address is on loopback too", change(monitor.ReachChanged, "0.0.0.0", 3001), "dev servers"},
		{"hands", change(monitor.OwnerChanged, "127.0.0.1", 3001), "dev servers"},
		{"to learn more is no news", change(monitor.Updated, "127.0.0.1", 3000), ""},
		{"another interface's", change(monitor.Opened, "192.168.1.5", 3000), ""},
		{"another port", change(monitor.Opened, "127.0.0.1", 4000), ""},
	} {
		got := ""
		alerts := r.Alerts([]monitor.Change{test.in})
		if len(alerts) > 0 {
			got = alerts[0].Rule.Name
		}
		if got != test.want || len(alerts) > 1 {
			t.Errorf("%s: %d alerts, by %q; want it by %q", test.name, len(alerts), got, test.want)
		}
	}
}

func TestOpenCountsRules(t *testing.T) {
	r := Rules{rule(t, "", "3000-3999"), rule(t, "", "5432"), rule(t, "", "8080")}
	s := monitor.Snapshot{Listeners: []*monitor.Listener{
		listener("127.0.0.1", 3000), listener("::1", 3001), listener("192.168.1.5", 5432), listener("0.0.0.0", 8080),
	}}
	if got := r.Open(s); got != 2 {
		t.Errorf("Open = %d, want 2: the range and 8080", got)
	}
	if got := r[0].Listeners(s); !slices.Equal(got, s.Listeners[:2]) {
		t.Errorf("Listeners of the range = %v, want the first two", got)
	}
}
