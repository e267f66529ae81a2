package agent

import (
	"slices"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/sockevents"
)

// maxShownPorts limits the ports that are counted because a window has shown them; the
// oldest are forgotten.
const maxShownPorts = 64

// countConnections makes the tracker count the connections of watched listeners, and of
// those that the window shows or has shown, and the attempts to connect to closed watched
// ports.
func (a *Agent) countConnections() {
	wanted := sockevents.Wanted{Ports: a.rules.TCPPorts(), Closed: a.closedPorts(), Identify: a.identifiesClients()}
	for _, l := range a.update.Snapshot.Listeners {
		if l.Protocol == monitor.TCP && (a.rules.Matches(l) || slices.Contains(a.shownPorts, l.Port)) {
			wanted.Listeners = append(wanted.Listeners, l)
		}
	}
	if wanted.Same(a.counted) {
		return
	}
	a.counted = wanted
	a.tracker.Watch(wanted)
}

// sendTotals sends the counts of the listeners on ports to the window c, after it has
// begun to count them if necessary.
func (a *Agent) sendTotals(c *ipc.WindowConn, ports []uint16) {
	for _, port := range ports[:min(len(ports), maxShownPorts)] {
		if !slices.Contains(a.shownPorts, port) {
			a.shownPorts = append(a.shownPorts, port)
		}
	}
	a.shownPorts = slices.Clone(a.shownPorts[max(0, len(a.shownPorts)-maxShownPorts):])
	a.countConnections()
	ids := idsOf(a.update.Snapshot, ports)
	a.tracker.Request(func(totals map[string]connection.Totals) {
		if totals = only(totals, ids); len(totals) > 0 {
			c.Send(ipc.Message{Kind: ipc.ConnectionTotals, Totals: totals})
		}
	})
}

// forgetShownPorts stops counting what only the window showed.
func (a *Agent) forgetShownPorts() {
	a.shownPorts = nil
	a.countConnections()
}

// idsOf returns the IDs of the listeners on ports.
func idsOf(s monitor.Snapshot, ports []uint16) (ids []string) {
	for _, l := range s.Listeners {
		if slices.Contains(ports, l.Port) {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// only returns the counts of the listeners with these IDs.
func only(totals map[string]connection.Totals, ids []string) map[string]connection.Totals {
	some := make(map[string]connection.Totals, len(ids))
	for _, id := range ids {
		if t, ok := totals[id]; ok {
			some[id] = t
		}
	}
	return some
}

// withTotals adds the counts of its listeners to the answer to a lookup. It may be
// called from any goroutine, except for that of loop, and waits for the counts.
func (a *Agent) withTotals(answer ipc.Message) ipc.Message {
	if len(answer.Listeners) == 0 {
		return answer
	}
	var ids []string
	for _, l := range answer.Listeners {
		ids = append(ids, l.ID)
	}
	answer.Totals = only(a.tracker.Totals(a.ctx), ids)
	return answer
}
