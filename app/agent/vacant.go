package agent

import (
	"context"
	"maps"
	"slices"
	"time"

	"porthole/monitor/inuse"
)

// recheckTaken is how often a watched port is asked about while the tray shows that it is not free:
// nothing reports its end. While all are free or open, nothing is asked.
const recheckTaken = 30 * time.Second

// vacantPorts returns the ports of watches of single ports that nothing listens on.
func (a *Agent) vacantPorts() []uint16 {
	if !a.update.Ready || a.update.Health.Problem != "" {
		return nil
	}
	var ports []uint16
	for _, rule := range a.rules.Active() {
		if port, single := rule.SingleTCP(); single && len(rule.Listeners(a.update.Snapshot)) == 0 {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	return ports[:min(len(ports), inuse.MaxPorts)]
}

// askVacant asks what else uses the vacant ports if they have changed, or if again.
func (a *Agent) askVacant(again bool) {
	ports := a.vacantPorts()
	if !again && slices.Equal(ports, a.askedVacant) {
		return
	}
	a.askedVacant = ports
	maps.DeleteFunc(a.vacant, func(port uint16, _ inuse.Answer) bool { return !slices.Contains(ports, port) })
	select {
	case <-a.vacantRequests: // outdated
	default:
	}
	a.vacantRequests <- ports // has room: only this goroutine sends
}

// answerVacant answers the requests of askVacant until ctx ends. It runs on its own goroutine,
// because a search for owners takes longer than the loop may wait.
func (a *Agent) answerVacant(ctx context.Context) {
	var finder inuse.Finder
	var ports []uint16
	recheck := time.NewTimer(0)
	recheck.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case ports = <-a.vacantRequests:
		case <-recheck.C:
		}
		answers := map[uint16]inuse.Answer{}
		if len(ports) > 0 {
			answers = finder.Ask(ctx, ports)
		}
		recheck.Stop()
		for _, answer := range answers {
			if answer.State() == inuse.Taken {
				recheck.Reset(recheckTaken)
			}
		}
		a.do(func() {
			a.vacant = answers
			a.showTray()
		})
	}
}
