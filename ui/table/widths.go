package table

import (
	"cmp"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// This file distributes the table's width among the columns.

// The limits of a column's width when it shrinks or is dragged.
const (
	narrowest = 40
	widest    = 1000
)

// dropColumns decides which columns do not fit into a width. They come back when the table is
// wider.
func (t *Table[R]) dropColumns(width float32) {
	clear(t.dropped)
	missing := -width
	for i := range t.columns {
		missing += t.comfortable(i)
	}
	for missing > 0 {
		next := t.nextDropped()
		if next < 0 {
			return
		}
		missing -= t.comfortable(next)
		t.dropped[next] = true
	}
}

// nextDropped returns the column to drop next, -1 for none: that with the highest Drop, then
// those that yield to columns without which rows look alike, and such columns last.
func (t *Table[R]) nextDropped() (next int) {
	const yields, last = -1000, -2000
	next = -1
	keeps := false
	for i, vital := range t.vital {
		keeps = keeps || vital && !t.hidden[i] && !t.dropped[i]
	}
	rank := func(i int) int {
		switch c := t.columns[i]; {
		case t.vital[i]:
			return last + c.Drop
		case c.Drop == 0:
			return yields
		default:
			return c.Drop
		}
	}
	for i, c := range t.columns {
		droppable := c.Drop > 0 || c.Yields && keeps
		if droppable && !t.hidden[i] && !t.dropped[i] && (next < 0 || rank(i) > rank(next)) {
			next = i
		}
	}
	return next
}

// KeepColumn keeps a column in a narrow table longer than the others, because rows would look
// alike without it.
func (t *Table[R]) KeepColumn(id string) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == id })
	if i >= 0 && !t.vital[i] {
		t.vital[i] = true
		t.layoutColumns()
	}
}

// comfortable returns the width below which a column is dropped instead of shrunk.
func (t *Table[R]) comfortable(i int) float32 {
	const enough = 0.75 // of the width of a column that can shrink
	width := t.columns[i].Width
	switch {
	case t.hidden[i]:
		return 0
	case t.dragged[i] > 0:
		return min(t.dragged[i], width)
	case t.columns[i].Grow > 0:
		width *= enough
	}
	if t.adapts(i) {
		return min(width, t.needs(i))
	}
	return width
}

// maxMeasured is the number of different texts of a column that are measured. It bounds the time
// for thousands of rows.
const maxMeasured = 200

// measured is what is known of the texts of a column.
type measured struct {
	texts map[Cell]bool // that were measured
	width float32       // of the widest, with padding
}

// Measure takes into account how much space the texts of rows need: a column that cuts its texts
// gets space that others do not need. It must be called for new and changed rows.
func (t *Table[R]) Measure(rows ...R) {
	wider := false
	for _, r := range rows {
		for i := range t.columns {
			wider = t.measure(i, r) || wider
		}
	}
	if wider {
		t.layoutColumns()
	}
}

// measure measures the text of r in a column. It reports whether it is the widest so far.
func (t *Table[R]) measure(i int, r R) (wider bool) {
	c, m := t.columns[i], &t.measured[i]
	if t.hidden[i] || c.Grow == 0 && !c.Fits || len(m.texts) >= maxMeasured {
		return false
	}
	cell := c.Cell(r)
	cell.Color, cell.Struck = "", false // they do not change the width
	if m.texts[cell] {
		return false
	}
	if m.texts == nil {
		m.texts = map[Cell]bool{}
	}
	m.texts[cell] = true
	width := t.cellWidth(i, cell)
	if width <= m.width {
		return false
	}
	m.width = width
	return true
}

// measureAll measures a column that was hidden.
func (t *Table[R]) measureAll(i int) {
	for _, r := range t.rows {
		t.measure(i, r)
	}
}

// cellWidth returns the width of a cell that does not cut its text.
func (t *Table[R]) cellWidth(i int, cell Cell) float32 {
	style, size, padding := fyne.TextStyle{Monospace: t.columns[i].Mono}, theme.Size(theme.SizeNameText), float32(2*CellPadding)
	if cell.Badge {
		size, padding = theme.Size(theme.SizeNameCaptionText), 4*CellPadding
	}
	if cell.Size > 0 {
		size = cell.Size
	}
	return fyne.MeasureText(cell.Text, size, style).Width + padding + 1
}

// labelWidth returns the width of a header cell that does not cut its label, with the symbol of
// the sorted column.
func (t *Table[R]) labelWidth(i int) float32 {
	size, style := headerFace(true)
	return fyne.MeasureText(t.columns[i].Label, size, style).Width + t.header.paintSortMark() + 2*CellPadding + 1
}

// needs returns the width that a column needs to cut neither its label nor the measured texts. A
// long text does not count completely.
func (t *Table[R]) needs(i int) float32 {
	const most = 3 // times the width of the column
	return min(max(t.measured[i].width, t.labelWidth(i)), most*t.columns[i].Width)
}

// adapts reports whether the width of a column adapts to its texts.
func (t *Table[R]) adapts(i int) bool {
	c := t.columns[i]
	return (c.Grow > 0 || c.Fits) && t.dragged[i] == 0 && !t.hidden[i] && !t.dropped[i] && t.measured[i].width > 0
}

// balance moves space from columns that do not need it to columns that cut their texts. Columns
// that need little get it completely, and the others equal parts of the rest.
func (t *Table[R]) balance() {
	missing := func(i int) float32 { return t.needs(i) - t.widths[i] }
	var narrow, wide []int
	spare, needed := float32(0), float32(0)
	for i := range t.columns {
		switch {
		case !t.adapts(i):
		case missing(i) > 0:
			narrow, needed = append(narrow, i), needed+missing(i)
		default:
			wide, spare = append(wide, i), spare-missing(i)
		}
	}
	moved := min(spare, needed)
	for _, i := range wide {
		if spare > 0 {
			t.widths[i] += missing(i) * moved / spare
		}
	}
	slices.SortStableFunc(narrow, func(a, b int) int { return cmp.Compare(missing(a), missing(b)) })
	for n, i := range narrow {
		part := min(missing(i), moved/float32(len(narrow)-n))
		t.widths[i] += part
		moved -= part
	}
}

// distributeWidth distributes the table's width. Each column gets its width and its share of the
// remaining space. If there is too little space, columns that grow shrink first, then
// those whose width the user set. At last, texts that are cut get space that others do not need.
func (t *Table[R]) distributeWidth(width float32) {
	t.width = width
	t.dropColumns(width)
	defer t.balance()
	left, grow := width, float32(0)
	for i := range t.columns {
		t.widths[i] = t.wantedWidth(i)
		left -= t.widths[i]
		grow += t.grows(i)
	}
	if left > 0 && grow > 0 {
		for i := range t.columns {
			t.widths[i] += left * t.grows(i) / grow
		}
		return
	}
	left = t.shrinkColumns(left, func(i int) bool { return t.grows(i) > 0 })
	t.shrinkColumns(left, func(i int) bool { return t.dragged[i] > 0 && !t.hidden[i] && !t.dropped[i] })
}

// shrinkColumns shrinks some columns by their share of the missing space and returns what is
// still missing. Missing space is negative.
func (t *Table[R]) shrinkColumns(missing float32, from func(i int) bool) float32 {
	all := float32(0)
	for i, width := range t.widths {
		if from(i) {
			all += width
		}
	}
	if missing >= 0 || all == 0 {
		return missing
	}
	still := missing
	for i, width := range t.widths {
		if from(i) {
			t.widths[i] = max(width+missing*width/all, t.minWidth(i))
			still += width - t.widths[i]
		}
	}
	return still
}

// wantedWidth returns a column's width if there is enough space for all.
func (t *Table[R]) wantedWidth(i int) float32 {
	switch {
	case t.hidden[i] || t.dropped[i]:
		return 0
	case t.dragged[i] > 0:
		return t.dragged[i]
	}
	return t.columns[i].Width
}

// Widen sets the width of the column with that ID, unless the user set one.
func (t *Table[R]) Widen(id string, width float32) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == id })
	if i >= 0 && t.columns[i].Width != width {
		t.columns[i].Width = width
		t.layoutColumns()
	}
}

// grows returns a column's share of the remaining space, 0 if the user set its width.
func (t *Table[R]) grows(i int) float32 {
	if t.hidden[i] || t.dropped[i] || t.dragged[i] > 0 {
		return 0
	}
	return t.columns[i].Grow
}

func (t *Table[R]) minWidth(i int) float32 { return min(narrowest, t.columns[i].Width) }

// resize sets a column's width. Columns to its left keep theirs, so that the dragged
// edge stays under the pointer; columns to its right make room as far as they can.
func (t *Table[R]) resize(i int, width float32) {
	room := t.width
	for k, w := range t.widths {
		if k < i && (t.grows(k) > 0 || t.adapts(k)) {
			t.dragged[k] = w
		}
		switch {
		case k == i:
		case k > i && t.grows(k) > 0:
			room -= t.minWidth(k)
		default:
			room -= w
		}
	}
	t.dragged[i] = max(min(width, room, widest), t.minWidth(i))
	t.layoutColumns()
}

// fit sets a column's width to that of its widest cell.
func (t *Table[R]) fit(i int) {
	width := t.labelWidth(i)
	seen := map[Cell]bool{} // most cells have the same text as another one
	for _, r := range t.rows {
		if cell := t.columns[i].Cell(r); !seen[cell] {
			seen[cell] = true
			width = max(width, t.cellWidth(i, cell))
		}
	}
	t.resize(i, width)
}
