// Package firewall finds out whether the firewall of this machine lets other machines
// connect to a listener. It only reads, and asks nothing to start.
//
// As root it evaluates the rules of nftables (and of iptables, where its rules are kept
// by nftables) for the first packet of a connection. Ordinary users may not read them;
// for these it asks a running firewalld. It does not see what drops packets elsewhere:
// other machines, iptables-legacy, eBPF, traffic control, and rules for bridges.
package firewall

import (
	"context"
	"time"

	"porthole/monitor"
	"porthole/monitor/lookup"
)

// The values of Firewall.By.
const (
	nftables  = "nftables"
	firewalld = "firewalld"
)

// How long rules are used before they are read again. Reading those of firewalld takes it
// some hundred milliseconds of CPU time.
const (
	validFor          = 10 * time.Second
	firewalldValidFor = time.Minute
)

// readTimeout limits the time of reading the rules once.
const readTimeout = 3 * time.Second

// Asker answers questions about listeners. Its methods are safe for concurrent use.
type Asker struct {
	rules *lookup.Table[struct{}, judgement]
}

// judgement is a judge, and how long it is valid.
type judgement struct {
	judge    judge
	validFor time.Duration
}

// judge answers for one listener that is exposed to the network.
type judge func(l *monitor.Listener) monitor.Firewall

// New returns an Asker. It reads nothing yet.
func New() *Asker {
	return &Asker{rules: lookup.New(func(struct{}) judgement {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		return read(ctx)
	}, nil, func(j judgement) time.Duration { return j.validFor })}
}

// Ask returns the answers for those of listeners that are exposed to the network, by
// listener ID. It waits for the rules until ctx ends; then the answers are unknown.
func (a *Asker) Ask(ctx context.Context, listeners []*monitor.Listener) map[string]monitor.Firewall {
	answers := make(map[string]monitor.Firewall)
	for _, l := range listeners {
		if !l.OnNetwork() { // a firewall does not decide about tunnels
			continue
		}
		if got := a.rules.Await(ctx, struct{}{}); got.Known {
			answers[l.ID] = got.Value.judge(l)
		} else {
			answers[l.ID] = monitor.UnknownFirewall(monitor.FirewallBusy)
		}
	}
	return answers
}

// unknown returns a judgement that gives the same answer about every listener.
func unknown(why string) judgement {
	return judgement{func(*monitor.Listener) monitor.Firewall { return monitor.UnknownFirewall(why) }, validFor}
}
