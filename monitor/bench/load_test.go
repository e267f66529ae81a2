//go:build bench && linux

package bench

import (
	"fmt"
	"testing"
)

// load is the load on the machine.
type load struct{ listeners, owners, connections int }

func (l load) String() string {
	return fmt.Sprintf("%s listeners of %d processes, %s connections", number(float64(l.listeners)), l.owners, number(float64(l.connections)))
}

// Sizes of the load.
const (
	otherProcesses   = 300
	filesOfEach      = 50
	connectionsOfOne = 2000 // of each process that holds connections; a connection has two descriptors, and the limit may be 4,096
	startedAtOnce    = 20
)

// crew is all workers that produce the load.
type crew struct {
	*testing.T
	owners, holders, others []*worker
}

// begin starts n workers with orders and waits until these are carried out.
func (w *crew) begin(n int, orders func(i int) []order) []*worker {
	w.Helper()
	var all []*worker
	for len(all) < n {
		first := len(all)
		for i := first; i < min(first+startedAtOnce, n); i++ {
			all = append(all, hire(w.T, orders(i)...))
		}
		for i := first; i < len(all); i++ {
			for range orders(i) {
				all[i].reply(w.T)
			}
		}
	}
	return all
}

func end(all []*worker) []*worker {
	for _, c := range all {
		_ = c.In.Close() // lets all of them end at the same time
	}
	for _, c := range all {
		c.End()
	}
	return nil
}

// set sets the load to l. Existing connections are kept.
func (w *crew) set(l load) {
	w.Helper()
	end(w.owners)
	w.owners = w.begin(l.owners, func(i int) []order {
		return []order{{Do: "listen", N: l.listeners / l.owners, Address: [4]byte{127, 0, 0, byte(1 + i)}}}
	})
	w.connect(l.connections)
}

// connect sets the number of connections, which have two sockets each.
func (w *crew) connect(n int) {
	w.Helper()
	if n < len(w.holders)*connectionsOfOne {
		w.holders = end(w.holders)
	}
	have := len(w.holders)
	w.holders = append(w.holders, w.begin(n/connectionsOfOne-have, func(i int) []order {
		return []order{{Do: "hold", N: connectionsOfOne, Address: [4]byte{127, 1, 0, byte(1 + have + i)}}}
	})...)
}

// end ends all workers.
func (w *crew) end() {
	w.owners, w.holders, w.others = end(w.owners), end(w.holders), end(w.others)
}

// crowd sets the number of processes without sockets.
func (w *crew) crowd(n int) {
	w.Helper()
	if n < len(w.others) {
		w.others = end(w.others)
	}
	w.others = append(w.others, w.begin(n-len(w.others), func(int) []order { return []order{{Do: "files", N: filesOfEach}} })...)
}
