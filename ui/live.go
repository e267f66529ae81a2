package ui

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/peers"
	"porthole/monitor/story"
)

// Wanted is what the window wants to be looked at, as it is open now. Nothing
// else needs a look.
type Wanted struct {
	Count     []*monitor.Listener // how many are connected
	Read      []*monitor.Listener // who is connected
	Processes []monitor.Owner
}

// ProcessID is the identity of a process.
type ProcessID struct {
	PID   int
	Start uint64
}

// Live is what one look at the machine told. A nil map was not looked for, or is
// not to be had here.
type Live struct {
	At        time.Time
	Counts    map[string]int // connections of each TCP listener, by its id
	States    map[string]peers.State
	Processes map[ProcessID]story.Live
}

// process is what was seen of o, with its accept queue on l.
func (v Live) process(l *monitor.Listener, o monitor.Owner) story.Live {
	live := v.Processes[ProcessID{o.PID, o.Start}]
	if st, ok := v.States[l.ID]; ok {
		live.Stuck, live.Queue, live.Limit = st.Stuck(), st.Queue, st.Limit
	}
	return live
}

// Wanted returns what the window wants to be looked at now.
func (w *Window) Wanted() Wanted {
	var wanted Wanted
	if w.stale {
		return wanted
	}
	read := map[string]bool{}
	want := func(l *monitor.Listener, o monitor.Owner) {
		if !read[l.ID] {
			read[l.ID] = true
			wanted.Read = append(wanted.Read, l)
		}
		if o.PID != 0 {
			wanted.Processes = append(wanted.Processes, o)
		}
	}
	if w.tabs.name() == "ports" {
		wanted.Count = w.ports.listeners()
		if r, ok := w.ports.table.Selected(); ok && r.mark != closed && w.ports.side.object.Visible() {
			o, _ := r.listener.Principal()
			want(r.listener, o)
		}
	}
	for _, p := range w.processes {
		for _, l := range p.rows {
			want(l, p.owner)
		}
		if len(p.rows) == 0 && p.owner.PID != 0 && !p.over {
			wanted.Processes = append(wanted.Processes, p.owner) // does it run on?
		}
	}
	return wanted
}

// SetLive shows what a look at Wanted told.
func (w *Window) SetLive(v Live) {
	w.ports.setLive(v)
	for _, p := range w.processes {
		p.setLive(v)
	}
}

// want says that there is something new to be looked at.
func (w *Window) want() {
	if w.OnWanted != nil {
		w.OnWanted()
	}
}
