package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
	"porthole/ui/widgets"
)

// A page that is narrower or lower than this, in device-independent pixels, is compact: a menu
// takes the place of the quick filters and switches. A low page also leaves out the cards, so
// that rows remain visible. Tiling desktops give windows any size.
const (
	compactWidth  = 560
	compactHeight = 340
)

// compacting is the layout of the page. It makes the page compact if it is small.
type compacting struct {
	widgets.TopMiddleBottom
	page *Page
}

// Layout implements fyne.Layout.
func (c compacting) Layout(o []fyne.CanvasObject, s fyne.Size) {
	low := s.Height < compactHeight
	c.page.setCompact(low || s.Width < compactWidth, low)
	c.TopMiddleBottom.Layout(o, s)
}

// setCompact makes the page compact or not, and shows the cards unless it is low.
func (p *Page) setCompact(compact, low bool) {
	if compact == p.compact && low == p.cards.low {
		return
	}
	p.compact, p.cards.low = compact, low
	p.quick.object.(*fyne.Container).Hidden, p.switches.(*fyne.Container).Hidden = compact, compact
	p.filters.Hidden = !compact
	p.showCards()
	p.showFilters()
}

// openDetails shows the details of the selected row in place of the table, if there is no room for
// them beside it.
func (p *Page) openDetails() {
	if _, ok := p.table.Selected(); !ok || p.details.visible() {
		return
	}
	p.details.page = true
	widgets.Relayout(p.middle)
	p.details.object.Refresh()
	table.FocusOn(p.details.back)
}

// HideDetails shows the table again if the details have taken its place. It reports whether they had.
func (p *Page) HideDetails() bool {
	if !p.details.page {
		return false
	}
	p.details.page = false
	widgets.Relayout(p.middle)
	p.middle.Refresh()
	p.table.Focus()
	return true
}

// newFiltersButton returns the button that takes the place of the quick filters and switches. It
// shows the chosen quick filter.
func newFiltersButton(tapped func()) *widgets.Button {
	b := widgets.NewButton("", tapped)
	b.Icon, b.IconPlacement = theme.MenuDropDownIcon(), 1 // widget.ButtonIconTrailingText
	b.Hide()
	return b
}

// showFilters shows the chosen quick filter in the button of a compact page.
func (p *Page) showFilters() {
	if text := p.quick.segments[p.quick.chosen].Text.Text; p.compact && text != p.filters.Text {
		p.filters.SetText(text)
		widgets.Relayout(p.bar)
	}
}

// filtersMenu shows the quick filters and switches of a compact page.
func (p *Page) filtersMenu() {
	var items []*fyne.MenuItem
	add := func(s *widgets.Segment) {
		item := fyne.NewMenuItem(s.Text.Text, s.Press)
		item.Checked = s.Chosen
		items = append(items, item)
	}
	for _, s := range p.quick.segments {
		if s.Visible() {
			add(s)
		}
	}
	items = append(items, fyne.NewMenuItemSeparator())
	for _, s := range []*widgets.Segment{p.udp, p.allAddresses, p.grouped} {
		add(s)
	}
	widgets.ShowMenuBelow(p.filters, items...)
}
