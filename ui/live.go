package ui

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
)

// ProbeRequest is what the window wants to be looked at, as it is open now. Nothing
// else needs a look.
type ProbeRequest struct {
	Count       []*monitor.Listener // how many are connected
	Connections []*monitor.Listener // who is connected
	Processes   []monitor.Owner
}

// ProcessID is the identity of a process.
type ProcessID struct {
	PID   int
	Start uint64
}

// ProbeResult is what one look at the machine told. A nil map was not looked for, or is
// not to be had here.
type ProbeResult struct {
	At        time.Time
	Counts    map[string]int // connections of each TCP listener, by its id
	States    map[string]connection.State
	Processes map[ProcessID]monitor.ProcessState
}

// process is what was seen of o, with its accept queue on l.
func (v ProbeResult) process(l *monitor.Listener, o monitor.Owner) monitor.ProcessState {
	live := v.Processes[ProcessID{o.PID, o.Start}]
	if st, ok := v.States[l.ID]; ok {
		live.QueueFull, live.QueueLength, live.QueueLimit = st.QueueFull(), st.QueueLength, st.QueueLimit
	}
	return live
}

// ProbeRequest returns what the window wants to be looked at now.
func (w *Window) ProbeRequest() ProbeRequest {
	var wanted ProbeRequest
	if w.stale {
		return wanted
	}
	read := map[string]bool{}
	want := func(l *monitor.Listener, o monitor.Owner) {
		if !read[l.ID] {
			read[l.ID] = true
			wanted.Connections = append(wanted.Connections, l)
		}
		if o.PID != 0 {
			wanted.Processes = append(wanted.Processes, o)
		}
	}
	if w.tabs.name() == "ports" {
		wanted.Count = w.ports.listeners()
		if r, ok := w.ports.table.Selected(); ok && r.mark != closed && w.ports.details.object.Visible() {
			o, _ := r.listener.Principal()
			want(r.listener, o)
		}
	}
	for _, p := range w.processes {
		for _, l := range p.rows {
			want(l, p.owner)
		}
		if len(p.rows) == 0 && p.owner.PID != 0 && !p.ended {
			wanted.Processes = append(wanted.Processes, p.owner) // does it run on?
		}
	}
	return wanted
}

// ShowProbe shows what a look at Wanted told.
func (w *Window) ShowProbe(v ProbeResult) {
	w.ports.showProbe(v)
	for _, p := range w.processes {
		p.showProbe(v)
	}
}

// probeChanged says that there is something new to be looked at.
func (w *Window) probeChanged() {
	if w.OnProbeRequest != nil {
		w.OnProbeRequest()
	}
}
