package monitor

import "testing"

func TestFirewallSentence(t *testing.T) {
	for want, f := range map[string]Firewall{
		"": {},
		"No firewall rule keeps other machines from connecting.":                                         {State: FirewallAllowed},
		"The firewall lets other machines connect, except 10.0.0.0/8, 192.0.2.1/32.":                     {State: FirewallAllowed, Except: []string{"10.0.0.0/8", "192.0.2.1/32"}},
		"The firewall blocks connections from other machines.":                                           {State: FirewallBlocked},
		"The firewall lets only 1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8, … connect.":                  {State: FirewallLimited, Sources: []string{"1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8"}},
		"The firewall lets only IPv6 connect.":                                                           {State: FirewallLimited, Sources: []string{"::/0"}},
		"The firewall lets other machines connect only through wg0.":                                     {State: FirewallLimited, Interfaces: []string{"wg0\u202e"}},
		"The firewall lets other machines connect only through wg0, except 10.0.0.0/8.":                  {State: FirewallLimited, Interfaces: []string{"wg0"}, Except: []string{"10.0.0.0/8"}},
		"The firewall lets only IPv4 connect, and only through wg0.":                                     {State: FirewallLimited, Sources: []string{"0.0.0.0/0"}, Interfaces: []string{"wg0"}},
		"Whether a firewall blocks other machines is unknown: only root can read its rules.":             UnknownFirewall(FirewallNeedsRoot),
		"Whether a firewall blocks other machines is unknown: a rule depends on the mark of the packet.": UnknownCondition("nftables", ConditionMark),
	} {
		if got := f.Sentence().String(); got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
}
