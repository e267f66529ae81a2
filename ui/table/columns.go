package table

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Columns is how the user left the columns. Its zero value is as they were
// declared.
type Columns struct {
	Widths map[string]float32 `json:"widths,omitempty"` // by id, of those that were dragged
	Hidden []string           `json:"hidden,omitempty"` // ids
	Shown  []string           `json:"shown,omitempty"`  // ids of the extra ones
}

// A column that gives way, or is dragged, is no narrower and no wider.
const (
	narrowest = 40
	widest    = 1000
)

// Columns returns how the user left the columns.
func (t *Table[R]) Columns() Columns {
	var left Columns
	for i, c := range t.columns {
		switch {
		case t.hidden[i] && !c.Extra:
			left.Hidden = append(left.Hidden, c.ID)
		case !t.hidden[i] && c.Extra:
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

// SetColumns shows the columns as they were left. What makes no sense, since
// another version wrote it, say, is passed over.
func (t *Table[R]) SetColumns(left Columns) {
	for i, c := range t.columns {
		t.hidden[i] = c.Extra && !slices.Contains(left.Shown, c.ID) || slices.Contains(left.Hidden, c.ID)
		t.dragged[i] = 0
		if width := left.Widths[c.ID]; width >= t.least(i) && width <= widest {
			t.dragged[i] = width
		}
	}
	if t.shown() == 0 {
		t.hideExtra()
	}
	t.placeColumns()
}

// hideExtra hides and shows the columns as they were declared.
func (t *Table[R]) hideExtra() {
	for i, c := range t.columns {
		t.hidden[i] = c.Extra
	}
}

// shown is how many columns are shown.
func (t *Table[R]) shown() int {
	n := 0
	for _, hidden := range t.hidden {
		if !hidden {
			n++
		}
	}
	return n
}

// hide hides or shows a column; the last one stays.
func (t *Table[R]) hide(i int, hide bool) {
	if hide && t.shown() == 1 {
		return
	}
	t.hidden[i] = hide
	t.placeColumns()
}

// placeColumns gives header and rows the columns as they are now.
func (t *Table[R]) placeColumns() {
	t.share(t.width)
	if t.sortBy >= 0 && t.hidden[t.sortBy] && t.byDefault >= 0 && t.sortBy != t.byDefault {
		t.Sort(t.columns[t.byDefault].ID, false) // a hidden column cannot say that it sorts
	}
	t.header.leaveHidden()
	t.header.Refresh()
	t.RefreshRows()
}

// share gives each column its width and its part of what is left over, or, where
// that is too little, takes its part away from those that grow and then from
// those that were dragged.
func (t *Table[R]) share(width float32) {
	t.width = width
	left, grow := width, float32(0)
	for i := range t.columns {
		t.widths[i] = t.wanted(i)
		left -= t.widths[i]
		grow += t.grows(i)
	}
	if left > 0 && grow > 0 {
		for i := range t.columns {
			t.widths[i] += left * t.grows(i) / grow
		}
		return
	}
	left = t.giveWay(left, func(i int) bool { return t.grows(i) > 0 })
	t.giveWay(left, func(i int) bool { return t.dragged[i] > 0 && !t.hidden[i] })
}

// giveWay takes what is missing from some columns, each its part, and returns
// what is missing still. Both are below 0 where anything is.
func (t *Table[R]) giveWay(missing float32, from func(i int) bool) float32 {
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
			t.widths[i] = max(width+missing*width/all, t.least(i))
			still += width - t.widths[i]
		}
	}
	return still
}

// wanted is a column's width where there is room for all.
func (t *Table[R]) wanted(i int) float32 {
	switch {
	case t.hidden[i]:
		return 0
	case t.dragged[i] > 0:
		return t.dragged[i]
	}
	return t.columns[i].Width
}

// Widen gives the column with that id another width, where the user gave it none.
func (t *Table[R]) Widen(id string, width float32) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == id })
	if i >= 0 && t.columns[i].Width != width {
		t.columns[i].Width = width
		t.placeColumns()
	}
}

// grows is a column's share of the space that is left; one that was dragged has
// the width that the user gave it.
func (t *Table[R]) grows(i int) float32 {
	if t.hidden[i] || t.dragged[i] > 0 {
		return 0
	}
	return t.columns[i].Grow
}

func (t *Table[R]) least(i int) float32 { return min(narrowest, t.columns[i].Width) }

// resize gives a column a width. Those to its left keep theirs, or its edge
// would not stay under the pointer; those to its right make room as far as they can.
func (t *Table[R]) resize(i int, width float32) {
	room := t.width
	for k, w := range t.widths {
		if k < i && t.grows(k) > 0 {
			t.dragged[k] = w
		}
		switch {
		case k == i:
		case k > i && t.grows(k) > 0:
			room -= t.least(k)
		default:
			room -= w
		}
	}
	t.dragged[i] = max(min(width, room, widest), t.least(i))
	t.placeColumns()
}

// fit makes a column as wide as its widest cell.
func (t *Table[R]) fit(i int) {
	c := t.columns[i]
	size, style := headerFace(true)
	width := fyne.MeasureText(c.Label, size, style).Width + t.header.dressMark()
	measured := map[Cell]bool{} // most rows say the same as another one
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

// columnsMenu shows and hides columns.
func (t *Table[R]) columnsMenu() *fyne.Menu {
	menu := fyne.NewMenu("")
	for i, c := range t.columns {
		label := c.Label
		if label == "" {
			label = c.Name
		}
		item := fyne.NewMenuItem(label, func() { t.hide(i, !t.hidden[i]) })
		item.Checked = !t.hidden[i]
		item.Disabled = item.Checked && t.shown() == 1
		menu.Items = append(menu.Items, item)
	}
	menu.Items = append(menu.Items, fyne.NewMenuItemSeparator())
	if t.HeaderItems != nil {
		menu.Items = append(menu.Items, t.HeaderItems()...)
	}
	menu.Items = append(menu.Items, fyne.NewMenuItem(lang.L("Reset columns"), func() { t.SetColumns(Columns{}) }))
	return menu
}
