package ports

import (
	"fmt"

	"porthole/monitor"
)

// ShowPort selects the row of port. If nothing listens there, it sets the filter to the port, which
// shows that it is free.
func (p *Page) ShowPort(port uint16) {
	p.pendingPort = 0
	for r := range p.rows.on(port) {
		if !p.filter.Matches(r.listener) {
			p.entry.SetText("")
		}
		if !p.shows(p.quick.chosen, r) {
			p.setQuick(quickAll)
		}
		if r.listener.Hidden {
			p.entry.SetText(fmt.Sprintf(":%d", port)) // which shows it
		}
		p.table.Select(r.Key())
		p.table.Focus()
		return
	}
	if !p.ready {
		p.pendingPort = port
		return
	}
	p.entry.SetText(fmt.Sprintf(":%d", port))
}

// showDetails shows the selected row in the details pane, or hides the pane.
func (p *Page) showDetails() {
	r, ok := p.table.Selected()
	if ok && p.live {
		o, _ := r.listener.Principal()
		m := p.lastDetails.of(r.listener, r.ambiguous, p.probe.Process(r.listener, o), p.now())
		m.addTotals(p.totals, p.now())
		if r.mark == closed {
			m.close(p.answer(r.listener.Port), p.status.System)
		}
		p.addReply(&m, r)
		m.stop = p.stoppable(r)
		if p.details.unfolded {
			m.explanation = p.explanation(r)
		}
		p.details.show(m)
	} else {
		p.details.clear(p.live && p.table.Len() > 0)
		p.HideDetails()
	}
}

// ofSelected returns a button action that applies do to the selected listener.
func (p *Page) ofSelected(do func(*monitor.Listener)) func() {
	return func() {
		if r, ok := p.table.Selected(); ok {
			do(r.listener)
		}
	}
}

// Detailed returns the open listener in the details pane; nil if the pane is hidden or its listener
// has closed.
func (p *Page) Detailed() *monitor.Listener {
	if r, ok := p.table.Selected(); ok && r.mark != closed && p.details.visible() {
		return r.listener
	}
	return nil
}
