package ports

import (
	"slices"
	"time"

	"porthole/monitor"
	"porthole/ui/words"
)

// updateRows handles updates that move no row: owner changes, and new information about
// listeners. It returns false if the page has to be rearranged; the rows that it has updated by
// then are correct.
func (p *Page) updateRows(u monitor.Update, now time.Time) bool {
	if len(u.Snapshot.Listeners) != len(p.snapshot.Listeners) {
		return false
	}
	for _, c := range u.Events {
		before := p.rows[c.Listener.ID]
		if before == nil || before.mark == closed || c.Kind == monitor.Closed || c.Before == nil || c.Before.ID != c.Listener.ID {
			return false
		}
		after := p.updatedRow(before, c.Listener, now, false)
		if !p.sameGroup(before, after) {
			return false
		}
		after.ambiguous = before.ambiguous
		p.alike = p.alike || after.branch != before.branch || after.project != before.project || after.process != before.process || after.label != before.label
		p.rows[c.Listener.ID] = after
		p.table.Measure(after)
		if p.isShown(after) && !p.table.Update(after) {
			return false
		}
	}
	p.snapshot = u.Snapshot
	if selected, ok := p.table.Selected(); ok && slices.ContainsFunc(u.Events, func(c monitor.Event) bool { return c.Listener == selected.listener }) {
		p.showDetails()
	}
	return true
}

// sameGroup reports whether the two rows of one listener are the same for filters, counts, cards
// and warnings.
func (p *Page) sameGroup(a, b *portRow) bool {
	a4, a6 := words.LoopbackFamilies(a.listener)
	b4, b6 := words.LoopbackFamilies(b.listener)
	return !a.watched && !b.watched && a.warnings == b.warnings && a.listener.AcceptsLoopback() == b.listener.AcceptsLoopback() &&
		a.listener.Port == b.listener.Port && a.listener.Exposure == b.listener.Exposure && a.listener.User == b.listener.User && a.listener.Hidden == b.listener.Hidden && a.development == b.development &&
		a4 == b4 && a6 == b6 && p.filter.Finds(a.searchText) == p.filter.Finds(b.searchText)
}

// isShown reports whether r matches the filters.
func (p *Page) isShown(r *portRow) bool {
	return p.filter.Finds(r.searchText) && p.shows(p.quick.chosen, r)
}

// markAmbiguous marks the rows whose "localhost" may reach another process: one has the port on
// 127.0.0.1, another on [::1].
func (p *Page) markAmbiguous() {
	all := p.snapshot.Listeners // sorted, so listeners of one port are adjacent
	for first := 0; first < len(all); {
		same := words.SamePort(all[first:], all[first])
		for _, l := range same {
			if r := p.rows[l.ID]; r != nil {
				was := r.ambiguous
				if r.ambiguous = words.Ambiguous(l, same); r.ambiguous != was {
					p.table.Measure(r)
				}
			}
		}
		first += len(same)
	}
}
