package cli

import (
	"context"
	"time"

	"porthole/monitor"
	"porthole/monitor/firewall"
)

// firewallTimeout is how long a command waits for the rules of the firewall.
const firewallTimeout = 2 * time.Second

// askFirewall finds out whether the firewall lets other machines connect to listeners.
// It reads nothing if none of them is exposed to the network.
func askFirewall(ctx context.Context, listeners []*monitor.Listener) map[string]monitor.Firewall {
	ctx, cancel := context.WithTimeout(ctx, firewallTimeout)
	defer cancel()
	return firewall.New().Ask(ctx, listeners)
}

// firewallJSON is what the firewall does with connections from other machines.
type firewallJSON struct {
	State      monitor.FirewallState `json:"state"`                // allowed, blocked, limited or unknown
	By         string                `json:"by,omitempty"`         // nftables or firewalld; absent if unknown
	Sources    []string              `json:"sources,omitempty"`    // if limited, the only addresses that may connect
	Interfaces []string              `json:"interfaces,omitempty"` // if limited, the only interfaces through which they may
	Except     []string              `json:"except,omitempty"`     // addresses that may not, although most others may
	Text       string                `json:"text"`                 // in English
}

// newFirewallJSON returns f, or nil if nobody asked.
func newFirewallJSON(f monitor.Firewall) *firewallJSON {
	if f.State == "" {
		return nil
	}
	return &firewallJSON{f.State, f.By, f.Sources, f.Interfaces, f.Except, f.Sentence().String()}
}
