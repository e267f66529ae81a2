package process

import (
	"strings"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/words"
)

// This file lists the processes that had the ports before.

// Limits for the previous owners.
const (
	maxPastOwners = 4  // listed
	maxPastEvents = 60 // read from the history
)

// lookupPastOwners looks up the previous owners of ports, once for each set of ports.
func (p *Window) lookupPastOwners(ports monitor.Ports) {
	set := ports.String()
	if p.history == nil || len(ports) == 0 || set == p.lookedUpPorts {
		return
	}
	p.lookedUpPorts = set
	p.history.Lookup(history.Query{Ports: ports, AllAddresses: true, UDP: true, Limit: maxPastEvents}, func(events []history.Event, err error) {
		if err == nil && p.lookedUpPorts == set {
			p.showPastOwners(events, len(ports) > 1)
		}
	})
}

// showPastOwners lists the owners that had the ports of events before this process.
// several means that there is more than one port.
func (p *Window) showPastOwners(events []history.Event, several bool) {
	var lines []string
	for _, h := range words.PastTenures(events) {
		if p.owner.PID != 0 && h.Owner.PID == p.owner.PID && !h.From.Before(p.owner.StartedAt) {
			continue // an earlier tenure of this process
		}
		line := words.Tenure(h, p.now()) + "  " + words.PastOwner(h.Owner)
		if h.Exit.Known() {
			line += " · " + words.Exit(h.Exit)
		}
		if several {
			line = words.Port(h.Protocol, h.Port) + "  " + line
		}
		if lines = append(lines, line); len(lines) == maxPastOwners {
			break
		}
	}
	p.pastOwners.SetText(strings.Join(lines, "\n"))
	if len(lines) == 0 {
		p.pastOwnersBox.Hide()
	} else {
		p.pastOwnersBox.Show()
	}
	p.body.Refresh() // the box takes space
}
