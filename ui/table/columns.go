package table

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"
)

// Columns is the user's arrangement of the columns. The zero value is the arrangement
// that the columns declare.
type Columns struct {
	Widths map[string]float32 `json:"widths,omitempty"` // widths that the user set, by column ID
	Hidden []string           `json:"hidden,omitempty"` // column IDs
	Shown  []string           `json:"shown,omitempty"`  // IDs of extra columns
}

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
	for i := range t.columns {
		t.measureAll(i)
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
		t.measureAll(i)
		t.layoutColumns()
	}
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
	t.measureAll(i)
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
