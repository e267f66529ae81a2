package history

import (
	"slices"

	"porthole/monitor/history"
)

// chosen returns the selected event; nil if it is not in the list.
func (p *Page) chosen() *history.Event {
	if i := p.index(); i >= 0 {
		return p.rows[i].event
	}
	return nil
}

func (p *Page) index() int {
	if p.selected == 0 {
		return -1
	}
	return slices.IndexFunc(p.rows, func(r historyRow) bool { return r.id() == p.selected })
}

// move moves the selection by n lines and skips headings.
func (p *Page) move(n int) {
	if len(p.rows) == 0 {
		return
	}
	i := p.index()
	if i < 0 && n > 0 {
		i, n = 0, n-1 // start at the first heading
	}
	i = min(max(i+n, 0), len(p.rows)-1)
	if p.rows[i].event == nil && (n >= 0 || i == 0) {
		i++ // a heading always has an event below it
	} else if p.rows[i].event == nil {
		i--
	}
	p.selected = p.rows[i].id()
	if i == 1 {
		p.list.ScrollTo(0) // show its heading too
	}
	p.list.ScrollTo(i)
	if p.details.object.Visible() {
		p.open(p.rows[i].event)
	}
}

// open shows the history of e's listener.
func (p *Page) open(e *history.Event) {
	p.selected = e.ID
	p.list.Refresh()
	p.details.open(e)
}

// reveal scrolls to the selected line.
func (p *Page) reveal() {
	if i := p.index(); i >= 0 {
		p.list.ScrollTo(i)
	}
}
