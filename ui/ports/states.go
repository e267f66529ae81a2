package ports

import (
	"time"

	"porthole/monitor"
	"porthole/ui/probe"
)

// Some warnings, such as a deleted folder, depend on the state of the process. The page asks for a
// few processes in each probe, so that all are checked in turn at little cost.
const (
	checksPerProbe = 5
	recheckAfter   = time.Minute
)

// processStates is what probes found out about processes.
type processStates struct {
	known map[probe.ProcessID]checkedState
}

// checkedState is the state of a process and when it was read.
type checkedState struct {
	at    time.Time
	state monitor.ProcessState
}

// of returns the state of the owner of l, as far as known.
func (s *processStates) of(l *monitor.Listener) monitor.ProcessState {
	o, _ := l.Principal()
	return s.known[probe.IDOf(o)].state
}

// add stores the states of a probe, and reports whether there were any.
func (s *processStates) add(r probe.Result) bool {
	if s.known == nil {
		s.known = map[probe.ProcessID]checkedState{}
	}
	for id, state := range r.Processes {
		s.known[id] = checkedState{r.At, state}
	}
	return len(r.Processes) > 0
}

// Unchecked returns owners whose state is unknown or old, at most checksPerProbe.
func (p *Page) Unchecked() []monitor.Owner {
	var owners []monitor.Owner
	asked, now := map[probe.ProcessID]bool{}, p.now()
	for _, r := range p.rows {
		o, known := r.listener.Principal()
		id := probe.IDOf(o)
		if !known || r.mark == closed || asked[id] {
			continue
		}
		if last, ok := p.states.known[id]; ok && now.Sub(last.at) < recheckAfter {
			continue
		}
		asked[id] = true
		if owners = append(owners, o); len(owners) == checksPerProbe {
			break
		}
	}
	return owners
}

// updateWarnings updates the rows whose processes were probed.
func (p *Page) updateWarnings(r probe.Result) {
	changed := false
	for key, row := range p.rows {
		o, known := row.listener.Principal()
		if _, probed := r.Processes[probe.IDOf(o)]; !known || !probed {
			continue
		}
		state := p.states.of(row.listener)
		if conns, ok := r.States[row.listener.ID]; ok {
			state.QueueFull, state.QueueLength, state.QueueLimit = conns.QueueFull(), conns.QueueLength, conns.QueueLimit
		}
		if n := countWarnings(row.listener, o, state); n != row.warnings {
			renewed := *row
			renewed.state, renewed.warnings = state, n
			p.rows[key], changed = &renewed, true
		}
	}
	if changed {
		p.arrange()
	}
	p.forgetEnded()
}

// forgetEnded drops the states of processes that listen no more.
func (p *Page) forgetEnded() {
	if len(p.states.known) <= 2*len(p.rows)+checksPerProbe {
		return
	}
	present := map[probe.ProcessID]bool{}
	for _, r := range p.rows {
		o, _ := r.listener.Principal()
		present[probe.IDOf(o)] = true
	}
	for id := range p.states.known {
		if !present[id] {
			delete(p.states.known, id)
		}
	}
}
