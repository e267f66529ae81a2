package ports

import "porthole/ui/filter"

// This file passes the rows that match the filters to the table.

// arrange passes the rows that match the filters to the table after listeners changed.
func (p *Page) arrange() { p.arrangeWith(p.table.SetRows) }

// rearrange does the same after the user changed what is shown.
func (p *Page) rearrange() { p.arrangeWith(p.table.ShowRows) }

func (p *Page) arrangeWith(show func([]*portRow)) {
	rows := make([]*portRow, 0, p.rows.len())
	var counts [quickFilters]int
	for r := range p.rows.all() {
		if !p.filter.Finds(r.searchText) {
			continue
		}
		for q := range counts {
			if r.mark != closed && p.shows(quickFilter(q), r) {
				counts[q]++
			}
		}
		if p.shows(p.quick.chosen, r) {
			rows = append(rows, r)
		}
	}
	show(rows)
	if _, ok := p.table.Selected(); !ok && len(rows) == 1 && !p.filter.Empty() {
		p.table.Select(rows[0].Key()) // the only match
	}
	resized := p.showStopOrphans()
	if p.ready && p.quick.count(counts) || resized {
		p.relayoutBar()
	}
	p.showFilters()
	p.matching, p.concealed = counts[quickAll], counts[quickHidden]
	p.showCards()
	p.askVacant()
	p.showDetails()
	if p.pendingPort != 0 {
		p.ShowPort(p.pendingPort)
	}
	p.showEmpty(len(rows))
	p.showStatus()
}

func (p *Page) setFilter(text string) {
	p.filter = filter.Parse(text)
	p.rearrange()
}

// setQuick applies a quick filter.
func (p *Page) setQuick(q quickFilter) {
	p.quick.choose(q)
	p.rearrange()
}
