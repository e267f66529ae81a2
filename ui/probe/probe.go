// Package probe defines what the window asks about the listeners and processes on the screen, and
// the answer.
package probe

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/inuse"
)

// Request lists what the window needs for what it currently shows. Nothing else has to be probed.
type Request struct {
	Count       []*monitor.Listener // listeners whose connections are counted
	Connections []*monitor.Listener // listeners whose connections are listed, with their clients
	Processes   []monitor.Owner
	Vacant      []uint16            // ports that nothing listens on: what else uses them
	Firewall    []*monitor.Listener // exposed listeners: whether the firewall lets other machines connect
	Rates       bool                // the window shows rates, which need regular probes
}

// ProcessID identifies a process: a PID alone can be reused.
type ProcessID struct {
	PID   int
	Start uint64
}

// IDOf returns the ProcessID of o.
func IDOf(o monitor.Owner) ProcessID { return ProcessID{o.PID, o.Start} }

// Result is the result of one probe. A nil map was not requested or is not available on this
// system.
type Result struct {
	At        time.Time
	Counts    map[string]int // number of connections of each TCP listener, by listener ID
	States    map[string]connection.State
	Processes map[ProcessID]monitor.ProcessState
	Vacant    map[uint16]inuse.Answer     // by port; not looked up with every probe
	Firewall  map[string]monitor.Firewall // by listener ID; the last answers
}

// Same reports whether r and other show the same: everything but their times and the resources
// of processes is equal. With connections they differ, because rates change with the time.
func (r Result) Same(other Result) bool {
	for _, s := range r.States {
		if len(s.Conns) > 0 {
			return false
		}
	}
	return maps.Equal(r.Counts, other.Counts) && reflect.DeepEqual(r.States, other.States) &&
		maps.EqualFunc(r.Processes, other.Processes, func(a, b monitor.ProcessState) bool {
			a.Resources, b.Resources = monitor.Resources{}, monitor.Resources{}
			return reflect.DeepEqual(a, b)
		}) && reflect.DeepEqual(r.Firewall, other.Firewall)
}

// Process returns the state of process o, including its accept queue on l and what the firewall
// does with connections to l.
func (r Result) Process(l *monitor.Listener, o monitor.Owner) monitor.ProcessState {
	state := r.Processes[IDOf(o)]
	state.Firewall = r.Firewall[l.ID]
	if conns, ok := r.States[l.ID]; ok {
		state.QueueFull, state.QueueLength, state.QueueLimit = conns.QueueFull(), conns.QueueLength, conns.QueueLimit
	}
	return state
}

// Add adds l to Connections and Firewall, and o to Processes unless the owner is unknown.
func (r *Request) Add(l *monitor.Listener, o monitor.Owner) {
	if !slices.ContainsFunc(r.Connections, func(x *monitor.Listener) bool { return x.ID == l.ID }) {
		r.Connections = append(r.Connections, l)
	}
	r.AddFirewall(l)
	r.AddProcess(o)
}

// AddFirewall adds l to Firewall if the network can reach its addresses and not yet there.
func (r *Request) AddFirewall(l *monitor.Listener) {
	if l.OnNetwork() && !slices.ContainsFunc(r.Firewall, func(x *monitor.Listener) bool { return x.ID == l.ID }) {
		r.Firewall = append(r.Firewall, l)
	}
}

// AddProcess adds o to Processes unless the owner is unknown or already added.
func (r *Request) AddProcess(o monitor.Owner) {
	if o.PID != 0 && !slices.ContainsFunc(r.Processes, func(x monitor.Owner) bool { return IDOf(x) == IDOf(o) }) {
		r.Processes = append(r.Processes, o)
	}
}
