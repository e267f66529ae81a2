package ports

import (
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/warning"
)

// updateRows handles updates that move no row: owner changes, and new information about
// listeners. It returns false if the page has to be rearranged; the rows that it has updated by
// then are correct.
func (p *Page) updateRows(u monitor.Update, now time.Time) bool {
	if len(u.Snapshot.Listeners) != len(p.snapshot.Listeners) {
		return false
	}
	for _, c := range u.Events {
		before := p.rows.get(c.Listener.ID)
		if before == nil || before.mark == closed || c.Kind == monitor.Closed || c.Before == nil || c.Before.ID != c.Listener.ID {
			return false
		}
		after := p.updatedRow(before, c.Listener, now, false)
		if !p.sameGroup(before, after) {
			return false
		}
		after.ambiguous = before.ambiguous
		p.alike = p.alike || after.branch != before.branch || after.project != before.project || after.process != before.process || after.label != before.label
		p.rows.put(after)
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
	a4, a6 := warning.LoopbackFamilies(a.listener)
	b4, b6 := warning.LoopbackFamilies(b.listener)
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
		same := warning.SamePort(all[first:], all[first])
		for _, l := range same {
			if r := p.rows.get(l.ID); r != nil {
				was := r.ambiguous
				if r.ambiguous = warning.Ambiguous(l, same); r.ambiguous != was {
					p.table.Measure(r)
				}
			}
		}
		first += len(same)
	}
}

// Update shows the listeners and events of a monitor update.
func (p *Page) Update(u monitor.Update) {
	defer p.showTried()
	now := p.now()
	p.lastOwners.Observe(u.Events)
	first := !p.ready || len(u.Events) == 0
	p.stir()
	if !first && p.updateRows(u, now) {
		return
	}
	p.snapshot, p.ready = u.Snapshot, true
	moved := make(map[string]bool) // IDs of rows that took sockets from others: neither opened nor closed
	for _, c := range u.Events {
		if c.Before != nil && c.Before.ID != c.Listener.ID {
			p.rows.remove(c.Before.ID)
			moved[c.Before.ID], moved[c.Listener.ID] = true, true
		}
		switch c.Kind { // a setting changed what is monitored: neither opened nor closed
		case monitor.Discovered:
			moved[c.Listener.ID] = true
		case monitor.Unlisted:
			p.rows.remove(c.Listener.ID)
		}
	}
	present := make(map[string]bool, len(u.Snapshot.Listeners))
	var fresh []*portRow
	for _, l := range u.Snapshot.Listeners {
		if !p.includes(l) {
			continue
		}
		present[l.ID] = true
		if r := p.rows.get(l.ID); r != nil && r.listener == l && r.mark != closed {
			continue
		}
		r := p.updatedRow(p.rows.get(l.ID), l, now, first || moved[l.ID])
		p.rows.put(r)
		fresh = append(fresh, r)
	}
	if first {
		p.rows.removeAll(func(r *portRow) bool { return !present[r.Key()] && r.mark != closed })
	}
	p.rows.replace(func(r *portRow) *portRow {
		if present[r.Key()] || r.mark == closed {
			return r
		}
		return p.closed(r, now)
	})
	p.markAmbiguous()
	p.showDistinguishing()
	p.table.Measure(fresh...) // also in columns that have just appeared
	p.arrange()
}

// includes reports whether the page shows l: loopback reaches it, or the setting all_addresses is
// on. A UDP watch makes the agent report all UDP listeners; the page shows those that are watched.
func (p *Page) includes(l *monitor.Listener) bool {
	return (l.AcceptsLoopback() || p.status.AllAddresses) && (l.Protocol != monitor.UDP || p.status.UDP || p.status.Rules.Matches(l))
}

// showOthers adds and removes rows after a setting changed what the page includes. These rows are
// not marked as opened or closed.
func (p *Page) showOthers() {
	for _, l := range p.snapshot.Listeners {
		switch {
		case !p.includes(l):
			p.rows.remove(l.ID)
		case p.rows.get(l.ID) == nil:
			r := p.updatedRow(nil, l, p.now(), true)
			p.rows.put(r)
			p.table.Measure(r)
		}
	}
}

// updatedRow returns the row of a new or changed listener.
func (p *Page) updatedRow(before *portRow, l *monitor.Listener, now time.Time, first bool) *portRow {
	r := newPortRow(l, p.status.Rules.Matches(l), p.states.of(l), now)
	r.count(p.counts)
	switch {
	case first:
	case before == nil, before.mark == closed:
		r.mark, r.until = opened, now.Add(markTime)
	case before.fingerprint() != r.fingerprint():
		r.mark, r.until = changed, now.Add(markTime)
		if before.mark == opened { // a new row for which more became known stays new
			r.mark, r.until = opened, before.until
		}
	default:
		r.mark, r.until = before.mark, before.until
	}
	return r
}

// closed returns the row of a listener that has closed. It is a copy, because the table may still
// hold the old row.
func (p *Page) closed(r *portRow, now time.Time) *portRow {
	delete(p.replies, replyKey(r.listener))
	closedRow := *r
	closedRow.mark, closedRow.until, closedRow.ambiguous = closed, now.Add(markTime), false
	return &closedRow
}
