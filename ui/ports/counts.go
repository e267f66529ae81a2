package ports

import (
	"maps"

	"porthole/monitor/connection"
	"porthole/ui/probe"
)

// This file shows what probes and the agent count.

// ShowProbe shows connections and process state from a probe.
func (p *Page) ShowProbe(r probe.Result) {
	news := !p.probe.Same(r) || p.details.clientsTitle.Hidden // hidden until the first probe of a listener
	p.probe = r
	if p.states.add(r) {
		p.updateWarnings(r)
	}
	if r.Counts != nil && !maps.Equal(r.Counts, p.counts) {
		p.showCounts(r.Counts)
	}
	p.showAnswers(r)
	if !news {
		return // ages in the details change together with the others: see Tick
	}
	p.showDetails()
	if row, ok := p.table.Selected(); ok {
		p.details.connected(row.listener, r)
	}
}

// showCounts shows the numbers of connections of listeners in the table and the cards.
func (p *Page) showCounts(counts map[string]int) {
	p.counts = counts
	for row := range p.rows.all() {
		row.count(p.counts)
	}
	if column, _ := p.table.Sorting(); column == "conns" {
		p.arrange()
	}
	p.table.RefreshRows()
	p.showCards()
}

// ShowTotals shows the counts of connections of some listeners, by listener ID.
func (p *Page) ShowTotals(totals map[string]connection.Totals) {
	p.totals = totals
	p.showDetails()
}
