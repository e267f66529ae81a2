package traffic

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// longText shows rows of characters. Only those in view are in its grid: Fyne's grid (2.8.1) makes an
// object for each character, in view or not, which takes seconds for 260 kB.
type longText struct {
	scroll *container.Scroll
	grid   *widget.TextGrid
	rows   []widget.TextGridRow
	first  int // the row that is the first in the grid
}

func newLongText() *longText {
	t := &longText{grid: widget.NewTextGrid()}
	t.grid.Scroll = fyne.ScrollNone
	t.scroll = container.NewVScroll(container.New(t, t.grid))
	t.scroll.OnScrolled = func(fyne.Position) { t.showView() }
	return t
}

// set shows other rows, from the first.
func (t *longText) set(rows []widget.TextGridRow) {
	t.rows = rows
	t.scroll.Refresh() // the offset may be too large now
	t.fill()
}

// scrollTo scrolls until row is the first in view, or the last one is in view.
func (t *longText) scrollTo(row int) {
	bottom := max(t.MinSize(nil).Height-t.scroll.Size().Height, 0)
	t.scroll.ScrollToOffset(fyne.NewPos(0, min(float32(row)*t.rowHeight(), bottom)))
	t.showView()
}

// showView fills the grid if other rows are in view.
func (t *longText) showView() {
	if first, last := t.view(); first < t.first || last > t.first+len(t.grid.Rows) {
		t.fill()
	}
}

// extraRows are filled above and below those in view.
const extraRows = 20

// fill fills the grid with the rows in view and some more.
func (t *longText) fill() {
	first, last := t.view()
	t.first = max(first-extraRows, 0)
	t.grid.Rows = t.rows[t.first:min(last+extraRows, len(t.rows))]
	t.place()
	t.grid.Refresh()
}

// view returns the range of rows that are in view.
func (t *longText) view() (first, last int) {
	height := t.rowHeight()
	first = min(max(int(t.scroll.Offset.Y/height), 0), len(t.rows))
	last = int((t.scroll.Offset.Y+t.scroll.Size().Height)/height) + 1
	return first, min(max(last, first), len(t.rows))
}

// rowHeight returns the height of a row in the current text size.
func (t *longText) rowHeight() float32 {
	if n := len(t.grid.Rows); n > 0 {
		return t.grid.MinSize().Height / float32(n)
	}
	return fyne.MeasureText("m", theme.Size(theme.SizeNameText), fyne.TextStyle{Monospace: true}).Height
}

// place puts the grid where its rows are.
func (t *longText) place() {
	t.grid.Move(fyne.NewPos(0, float32(t.first)*t.rowHeight()))
	t.grid.Resize(fyne.NewSize(t.scroll.Size().Width, t.grid.MinSize().Height))
}

// MinSize implements fyne.Layout: the size of all rows.
func (t *longText) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(t.grid.MinSize().Width, float32(len(t.rows))*t.rowHeight())
}

// Layout implements fyne.Layout.
func (t *longText) Layout([]fyne.CanvasObject, fyne.Size) {
	t.place()
	t.showView()
}
