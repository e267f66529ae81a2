// Package probe has what the window asks about the listeners and processes that it shows, and the
// answer.
package probe

import (
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
)

// Request is what the window wants to be looked at, as it is open now. Nothing
// else needs a look.
type Request struct {
	Count       []*monitor.Listener // how many are connected
	Connections []*monitor.Listener // who is connected
	Processes   []monitor.Owner
}

// ProcessID is the identity of a process.
type ProcessID struct {
	PID   int
	Start uint64
}

// IDOf returns the identity of o.
func IDOf(o monitor.Owner) ProcessID { return ProcessID{o.PID, o.Start} }

// Result is what one look at the machine told. A nil map was not looked for, or is
// not to be had here.
type Result struct {
	At        time.Time
	Counts    map[string]int // connections of each TCP listener, by its id
	States    map[string]connection.State
	Processes map[ProcessID]monitor.ProcessState
}

// Process is what was seen of o, with its accept queue on l.
func (v Result) Process(l *monitor.Listener, o monitor.Owner) monitor.ProcessState {
	live := v.Processes[IDOf(o)]
	if st, ok := v.States[l.ID]; ok {
		live.QueueFull, live.QueueLength, live.QueueLimit = st.QueueFull(), st.QueueLength, st.QueueLimit
	}
	return live
}

// Add adds a listener, for its connections, and its owner, unless that is not known.
func (w *Request) Add(l *monitor.Listener, o monitor.Owner) {
	if !slices.ContainsFunc(w.Connections, func(x *monitor.Listener) bool { return x.ID == l.ID }) {
		w.Connections = append(w.Connections, l)
	}
	if o.PID != 0 {
		w.Processes = append(w.Processes, o)
	}
}
