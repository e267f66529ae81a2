package ports

import (
	"maps"
	"reflect"
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

// processStates is what probes found out about processes, and about the firewall.
type processStates struct {
	known    map[probe.ProcessID]checkedState
	firewall map[string]monitor.Firewall // by listener ID
}

// checkedState is the state of a process and when it was read.
type checkedState struct {
	at    time.Time
	state monitor.ProcessState
}

// of returns the state of the owner of l, and what the firewall does with connections to l, as far
// as known.
func (s *processStates) of(l *monitor.Listener) monitor.ProcessState {
	o, _ := l.Principal()
	state := s.known[probe.IDOf(o)].state
	state.Firewall = s.firewall[l.ID]
	return state
}

// add stores the states of a probe, and reports whether there were any.
func (s *processStates) add(r probe.Result) bool {
	if s.known == nil {
		s.known = map[probe.ProcessID]checkedState{}
	}
	for id, state := range r.Processes {
		state.Resources = monitor.Resources{} // no warning depends on them
		s.known[id] = checkedState{r.At, state}
	}
	asked := r.Firewall != nil && !maps.EqualFunc(r.Firewall, s.firewall, sameAnswer)
	if asked {
		s.firewall = r.Firewall
	}
	return asked || len(r.Processes) > 0
}

// sameAnswer reports whether two answers of the firewall are shown in the same way.
func sameAnswer(a, b monitor.Firewall) bool {
	return a.State == b.State && (reflect.DeepEqual(a, b) || a.Sentence().String() == b.Sentence().String())
}

// maxAsked limits the listeners whose firewall is asked at once.
const maxAsked = 200

// Exposed returns the listeners on the page whose addresses the network can reach, at most
// maxAsked.
func (p *Page) Exposed() (exposed []*monitor.Listener) {
	for _, l := range p.snapshot.Listeners {
		if r := p.rows.get(l.ID); r != nil && r.mark != closed && l.OnNetwork() && len(exposed) < maxAsked {
			exposed = append(exposed, l)
		}
	}
	return exposed
}

// Unchecked returns owners whose state is unknown or old, at most checksPerProbe.
func (p *Page) Unchecked() []monitor.Owner {
	var owners []monitor.Owner
	asked, now := map[probe.ProcessID]bool{}, p.now()
	for r := range p.rows.listening() {
		o, known := r.listener.Principal()
		id := probe.IDOf(o)
		if !known || asked[id] {
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

// updateWarnings updates the rows whose processes were probed, or whose firewall has another answer.
func (p *Page) updateWarnings(r probe.Result) {
	now, changed := p.now(), false
	p.rows.replace(func(row *portRow) *portRow {
		o, known := row.listener.Principal()
		state := p.states.of(row.listener)
		sameFirewall := sameAnswer(state.Firewall, row.state.Firewall)
		if _, probed := r.Processes[probe.IDOf(o)]; (!known || !probed) && sameFirewall {
			return row
		}
		if conns, ok := r.States[row.listener.ID]; ok {
			state.QueueFull, state.QueueLength, state.QueueLimit = conns.QueueFull(), conns.QueueLength, conns.QueueLimit
		}
		if now.Sub(row.examined) < recheckAfter && reflect.DeepEqual(state, row.state) {
			return row
		}
		renewed := *row
		if renewed.examine(state, now) || !sameFirewall {
			changed = true
			return &renewed
		}
		row.state, row.examined = renewed.state, renewed.examined
		return row
	})
	if changed {
		p.arrange()
	}
	p.forgetEnded()
}

// forgetEnded drops the states of processes that listen no more.
func (p *Page) forgetEnded() {
	if len(p.states.known) <= 2*p.rows.len()+checksPerProbe {
		return
	}
	present := map[probe.ProcessID]bool{}
	for r := range p.rows.all() {
		o, _ := r.listener.Principal()
		present[probe.IDOf(o)] = true
	}
	for id := range p.states.known {
		if !present[id] {
			delete(p.states.known, id)
		}
	}
}
