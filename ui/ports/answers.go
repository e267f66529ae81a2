package ports

import (
	"errors"
	"maps"
	"slices"

	"porthole/monitor/inuse"
	"porthole/ui/probe"
)

// errNotAsked is why nothing is known about a port before the first probe.
var errNotAsked = errors.New("not asked yet")

// maxVacant limits the number of ports that the page asks about. More cards do not fit on a screen.
const maxVacant = 16

// VacantPorts returns the ports that the page shows as not listening: the one in the filter, those
// of cards, and that of a selected row that has closed. What else uses them is asked with the next
// probe.
func (p *Page) VacantPorts() []uint16 {
	if !p.live || !p.ready || p.status.Health.Problem != "" {
		return nil
	}
	var ports []uint16
	if port := p.filter.Port(); port != 0 {
		ports = append(ports, port)
	}
	if r, ok := p.table.Selected(); ok && r.mark == closed {
		ports = append(ports, r.listener.Port)
	}
	ports = append(ports, p.cards.vacant...)
	ports = slices.DeleteFunc(ports, p.rows.has)
	asked := make([]uint16, 0, maxVacant)
	for _, port := range ports {
		if len(asked) < maxVacant && !slices.Contains(asked, port) {
			asked = append(asked, port)
		}
	}
	slices.Sort(asked)
	return asked
}

// askVacant asks about the vacant ports if they have changed, and forgets the answers about others.
func (p *Page) askVacant() {
	vacant := p.VacantPorts()
	if slices.Equal(vacant, p.vacant) {
		return
	}
	p.vacant = vacant
	maps.DeleteFunc(p.answers, func(port uint16, _ inuse.Answer) bool { return !slices.Contains(vacant, port) })
	if len(vacant) > 0 {
		p.probeChanged()
	}
}

// answer returns what is known about a port that no row has.
func (p *Page) answer(port uint16) inuse.Answer {
	if a, ok := p.answers[port]; ok {
		return a
	}
	return inuse.Answer{Port: port, Err: errNotAsked}
}

// showAnswers shows the answers of a probe.
func (p *Page) showAnswers(r probe.Result) {
	if r.Vacant == nil {
		return
	}
	p.answers = maps.Clone(r.Vacant)
	p.showCards()
	p.showEmpty(p.table.Len())
	p.showStatus()
}
