package ports

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/probe"
)

// What the firewall blocks needs no warning. The details, the tip of the exposure and the
// explanation say so.
func TestFirewallAnswers(t *testing.T) {
	d := newDesk(t)
	open := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: 3000, Exposure: monitor.ExposureNetwork, Addresses: []netip.Addr{netip.IPv4Unspecified()}, Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.IPv4Unspecified()}}},
		Owners: []monitor.Owner{{PID: 7, Start: 1, Name: "node"}}}
	local := *open
	local.ID, local.Port, local.Exposure = "2", 3001, monitor.ExposureLoopback
	d.SetStatus(Status{AllAddresses: true})
	d.see(open, &local)
	if asked := d.ports.Exposed(); len(asked) != 1 || asked[0].ID != open.ID {
		t.Errorf("asked about %v, want the exposed one", asked)
	}
	d.ports.ShowPort(3000)
	row := func() *portRow { r, _ := d.ports.table.Selected(); return r }
	fact := func(label string) string {
		for _, f := range d.ports.details.model.facts {
			if f[0] == lang.L(label) {
				return f[1]
			}
		}
		return ""
	}
	if row().warnings != 1 || exposureTip(row()) != "" || fact("Firewall") != "" {
		t.Fatalf("before an answer: %d warnings, tip %q, fact %q, want one warning", row().warnings, exposureTip(row()), fact("Firewall"))
	}
	d.ports.unfold(true)
	for _, c := range []struct {
		answer      monitor.Firewall
		warnings    int
		want        string
		explanation string
	}{
		{monitor.Firewall{State: monitor.FirewallBlocked}, 0, "The firewall blocks connections from other machines.", "but the firewall blocks connections"},
		{monitor.Firewall{State: monitor.FirewallAllowed}, 1, "No firewall rule keeps other machines from connecting.", "No firewall rule"},
		{monitor.Firewall{State: monitor.FirewallLimited, Sources: []string{"10.0.0.0/8"}}, 1, "The firewall lets only 10.0.0.0/8 connect.", "only 10.0.0.0/8"},
		{monitor.UnknownFirewall(monitor.FirewallNeedsRoot), 1, "Whether a firewall blocks other machines is unknown: only root can read its rules.", "only root"},
	} {
		d.ShowProbe(probe.Result{At: d.At, Firewall: map[string]monitor.Firewall{open.ID: c.answer}})
		if row().warnings != c.warnings || exposureTip(row()) != c.want || fact("Firewall") != c.want || !strings.Contains(d.ports.details.model.explanation, c.explanation) {
			t.Errorf("%s: got %d warnings, tip %q, fact %q, explanation %q, want %d and %q", c.answer.State, row().warnings, exposureTip(row()), fact("Firewall"), d.ports.details.model.explanation, c.warnings, c.want)
		}
		if asks := slices.ContainsFunc(d.ports.details.model.warnings, func(s string) bool { return strings.Contains(s, "Exposed") }); asks != (c.warnings > 0) {
			t.Errorf("%s: got the warnings %q", c.answer.State, d.ports.details.model.warnings)
		}
	}
	d.see(open, &local) // a changed row keeps the answer
	if row().state.Firewall.State != monitor.FirewallUnknown {
		t.Error("the answer was forgotten")
	}
}
