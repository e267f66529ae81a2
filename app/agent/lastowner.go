package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/history/store"
	"porthole/ui/tray"
)

// lastOwnerTimeout limits a query of the history.
const lastOwnerTimeout = 2 * time.Second

// maxLastOwnerQueries is the number of queries that can wait: one for each line of the menu.
const maxLastOwnerQueries = tray.MaxWatched

// lastOwnerQuery asks for the last tenure of ports. answerLastOwners calls done on the goroutine
// of the loop.
type lastOwnerQuery struct {
	protocol monitor.Protocol
	ports    monitor.Ports
	done     func(history.Tenure, bool, error)
}

// errQueriesWait means that the history does not answer and more queries cannot wait.
var errQueriesWait = errors.New("too many queries of the history are waiting")

// newLastOwners returns the last owners of watched ports, for the tray's menu.
func newLastOwners(a *Agent) *lastowner.Book {
	return lastowner.New(func(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error)) {
		select {
		case a.lastOwnerQueries <- lastOwnerQuery{protocol, ports, done}:
		default:
			done(history.Tenure{}, false, errQueriesWait)
		}
	}, a.showTray)
}

// answerLastOwners answers the queries of newLastOwners until ctx ends. It runs on its own
// goroutine, because reading the history may take longer than the loop may wait.
func (a *Agent) answerLastOwners(ctx context.Context) {
	reader := store.OpenReader(paths.History())
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-a.lastOwnerQueries:
			limited, cancel := context.WithTimeout(ctx, lastOwnerTimeout)
			tenure, known, err := reader.LastOwner(limited, q.protocol, q.ports)
			cancel()
			if err != nil && ctx.Err() == nil {
				a.log.Warn("can't read the last owner of a port", "port", q.ports, "error", err)
			}
			a.do(func() { q.done(tenure, known, err) })
		}
	}
}

// observeLastOwners takes the last owners of watched ports from events. Those of other ports would
// only take up memory.
func (a *Agent) observeLastOwners(events []monitor.Event) {
	if len(events) == 0 {
		return
	}
	a.lastOwners.Observe(events)
	watched := a.singlePorts()
	a.lastOwners.Keep(func(p lastowner.Port) bool { return slices.Contains(watched, p) })
}

// lastOwnersOf returns the last owners, as far as known, of the ports that the menu shows.
func (a *Agent) lastOwnersOf(now time.Time) map[lastowner.Port]history.Owner {
	owners := map[lastowner.Port]history.Owner{}
	for _, p := range a.singlePorts() {
		if last, _ := a.lastOwners.Last(p, now); last != nil {
			owners[p] = last.Owner
		}
	}
	return owners
}

// singlePorts returns the ports of the active watches of one port, at most as many as the menu has
// lines.
func (a *Agent) singlePorts() (ports []lastowner.Port) {
	for _, rule := range a.rules.Active() {
		if p, single := tray.SinglePort(rule); single && len(ports) < tray.MaxWatched {
			ports = append(ports, p)
		}
	}
	return ports
}
