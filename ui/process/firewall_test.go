package process

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
)

// The window says what the firewall does below the addresses; with several answers, for
// each port.
func TestProcessWindowShowsFirewall(t *testing.T) {
	p := newTestWindow(t, "", "", "", "")
	first := *p.listener
	first.Exposure = monitor.ExposureNetwork
	second := first
	second.ID, second.Port = "2", 9229
	show := func(answers map[string]monitor.Firewall, listeners ...*monitor.Listener) string {
		p.Update(monitor.Update{Snapshot: monitor.Snapshot{Listeners: listeners}})
		p.ShowProbe(probe.Result{Firewall: answers, States: map[string]connection.State{"1": {}, "2": {}}})
		if !p.firewallBox.Visible() {
			return ""
		}
		return p.firewall.Segment.Text
	}
	blocked, allowed := monitor.Firewall{State: monitor.FirewallBlocked}, monitor.Firewall{State: monitor.FirewallAllowed}
	for _, c := range []struct {
		answers map[string]monitor.Firewall
		want    string
	}{
		{nil, ""},
		{map[string]monitor.Firewall{"1": blocked, "2": blocked}, "The firewall blocks connections from other machines."},
		{map[string]monitor.Firewall{"1": blocked, "2": allowed}, "62893: The firewall blocks connections from other machines.\n9229: No firewall rule keeps other machines from connecting."},
	} {
		if got := show(c.answers, &first, &second); got != c.want {
			t.Errorf("%v: got %q, want %q", c.answers, got, c.want)
		}
	}
	var r probe.Request
	if p.AddTo(&r); len(r.Firewall) != 2 {
		t.Errorf("asked about %d listeners, want both", len(r.Firewall))
	}
	if got := show(map[string]monitor.Firewall{"1": blocked}); got != "" {
		t.Errorf("without listeners: got %q, want nothing", got)
	}
}
