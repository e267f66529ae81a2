package table

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Columns is the user's arrangement of the columns. The zero value is the arrangement
// that the columns declare.
type Columns struct {
	Widths map[string]float32 `json:"widths,omitempty"` // widths that the user set, by column ID
	Hidden []string           `json:"hidden,omitempty"` // column IDs
	Shown  []string           `json:"shown,omitempty"`  // IDs of extra columns
}

// The limits of a column's width when it shrinks or is dragged.
const (
	narrowest = 40
	widest    = 1000
)

// Columns returns the present arrangement.
func (t *Table[R]) Columns() Columns {
	var left Columns
	for i, c := range t.columns {
		switch {
		case t.hidden[i] && (!c.Extra || t.chosen[i]):
			left.Hidden = append(left.Hidden, c.ID)
		case !t.hidden[i] && c.Extra && t.chosen[i]:
			left.Shown = append(left.Shown, c.ID)
		}
		if t.dragged[i] > 0 {
			if left.Widths == nil {
				left.Widths = map[string]float32{}
			}
			left.Widths[c.ID] = t.dragged[i]
		}
	}
	return left
}

// SetColumns applies a stored arrangement. It ignores values that are not valid, such
// as those of another version.
func (t *Table[R]) SetColumns(left Columns) {
	for i, c := range t.columns {
		shown, hidden := slices.Contains(left.Shown, c.ID), slices.Contains(left.Hidden, c.ID)
		t.chosen[i] = shown || hidden
		t.hidden[i] = c.Extra && !shown && !t.needed[i] || hidden
		t.dragged[i] = 0
		if width := left.Widths[c.ID]; width >= t.minWidth(i) && width <= widest {
			t.dragged[i] = width
		}
	}
	if t.shownColumns() == 0 {
		t.hideExtra()
	}
	t.layoutColumns()
}

// hideExtra resets the visibility of all columns to their declaration.
func (t *Table[R]) hideExtra() {
	for i, c := range t.columns {
		t.hidden[i] = c.Extra && !t.needed[i]
	}
}

// ShowColumn shows an extra column because rows would look alike without it, unless the
// user has hidden it. It is not part of the stored arrangement.
func (t *Table[R]) ShowColumn(id string) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == id })
	if i < 0 || t.needed[i] {
		return
	}
	t.needed[i] = true
	if t.hidden[i] && !t.chosen[i] {
		t.hidden[i] = false
		t.layoutColumns()
	}
}

// dropColumns decides which columns do not fit into a width. Those with the highest Drop
// go first; they come back when the table is wider.
func (t *Table[R]) dropColumns(width float32) {
	clear(t.dropped)
	missing := -width
	for i := range t.columns {
		missing += t.comfortable(i)
	}
	for missing > 0 {
		next := -1
		for i, c := range t.columns {
			if c.Drop > 0 && !t.hidden[i] && !t.dropped[i] && (next < 0 || c.Drop > t.columns[next].Drop) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		missing -= t.comfortable(next)
		t.dropped[next] = true
	}
}

// comfortable returns the width below which a column is dropped instead of shrunk.
func (t *Table[R]) comfortable(i int) float32 {
	const enough = 0.75 // of the width of a column that can shrink
	switch {
	case t.hidden[i]:
		return 0
	case t.columns[i].Grow > 0 && t.dragged[i] == 0:
		return enough * t.columns[i].Width
	case t.dragged[i] > 0:
		return min(t.dragged[i], t.columns[i].Width)
	}
	return t.columns[i].Width
}

// shownColumns returns the number of visible columns.
func (t *Table[R]) shownColumns() int {
	n := 0
	for _, hidden := range t.hidden {
		if !hidden {
			n++
		}
	}
	return n
}

// hide hides or shows a column. The last visible column is not hidden.
func (t *Table[R]) hide(i int, hide bool) {
	if hide && t.shownColumns() == 1 {
		return
	}
	t.hidden[i], t.chosen[i] = hide, true
	t.layoutColumns()
}

// layoutColumns updates the header and the rows for the present columns.
func (t *Table[R]) layoutColumns() {
	t.distributeWidth(t.width)
	if t.sortBy >= 0 && t.hidden[t.sortBy] && t.defaultSort >= 0 && t.sortBy != t.defaultSort {
		t.Sort(t.columns[t.defaultSort].ID, false) // a hidden column cannot show that the rows are sorted by it
	}
	t.header.moveFromHidden()
	t.header.Refresh()
	t.RefreshRows()
}

// distributeWidth distributes the table's width. Each column gets its width and its share of the
// remaining space. If there is too little space, columns that grow shrink first, then
// those whose width the user set.
func (t *Table[R]) distributeWidth(width float32) {
	t.width = width
	t.dropColumns(width)
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
		if k < i && t.grows(k) > 0 {
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
	c := t.columns[i]
	size, style := headerFace(true)
	width := fyne.MeasureText(c.Label, size, style).Width + t.header.paintSortMark()
	measured := map[Cell]bool{} // most cells have the same text as another one
	for _, r := range t.rows {
		cell := c.Cell(r)
		if measured[cell] {
			continue
		}
		measured[cell] = true
		style, size, extra := fyne.TextStyle{Monospace: c.Mono}, theme.Size(theme.SizeNameText), float32(0)
		if cell.Badge {
			size, extra = theme.Size(theme.SizeNameCaptionText), 2*CellPadding
		}
		width = max(width, fyne.MeasureText(cell.Text, size, style).Width+extra)
	}
	t.resize(i, width+2*CellPadding+1)
}

// showMenu opens the menu of columns.
func (t *Table[R]) showMenu(at fyne.Position) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t.header); c != nil {
		widget.ShowPopUpMenuAtPosition(t.columnsMenu(), c, at)
	}
}

// columnsMenu returns the menu that shows and hides columns.
func (t *Table[R]) columnsMenu() *fyne.Menu {
	menu := fyne.NewMenu("")
	for i, c := range t.columns {
		label := c.Label
		if label == "" {
			label = c.Name
		}
		item := fyne.NewMenuItem(label, func() { t.hide(i, !t.hidden[i]) })
		item.Checked = !t.hidden[i]
		item.Disabled = item.Checked && t.shownColumns() == 1
		menu.Items = append(menu.Items, item)
	}
	menu.Items = append(menu.Items, fyne.NewMenuItemSeparator())
	if t.HeaderItems != nil {
		menu.Items = append(menu.Items, t.HeaderItems()...)
	}
	menu.Items = append(menu.Items, fyne.NewMenuItem(lang.L("Reset columns"), func() { t.SetColumns(Columns{}) }))
	return menu
}
