package ports

import (
	"porthole/monitor"
	"porthole/monitor/orphan"
)

// orphans returns the listeners that the table shows whose owners are orphaned, surely
// or likely.
func (p *Page) orphans() (found []*monitor.Listener) {
	for _, l := range p.snapshot.Listeners {
		r := p.rows.get(l.ID)
		if r != nil && r.mark != closed && r.orphan.Certainty.AtLeast(orphan.Likely) && p.filter.Finds(r.searchText) && mayStop(l) {
			found = append(found, l)
		}
	}
	return found
}

// showStopOrphans shows the button that stops the orphans beside their quick filter. It
// reports whether the bar has another size.
func (p *Page) showStopOrphans() (resized bool) {
	shown := p.live && p.quick.chosen == quickOrphans && len(p.orphans()) > 0
	if shown == p.stopOrphans.Visible() {
		return false
	}
	p.stopOrphans.Hidden = !shown
	return true
}
