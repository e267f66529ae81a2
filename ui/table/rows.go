package table

// This file sets and redraws the rows.

// SetRows shows rows. The selection stays with its key. Rows that appear or disappear
// above the row under the pointer do not move that row.
func (t *Table[R]) SetRows(rows []R) {
	t.keepInPlace(func() { t.replaceRows(rows) })
}

// ShowRows shows other rows because the user asked for them, such as those of another
// filter. Unlike with SetRows, rows may move under the pointer. The selected row stays in
// place if it was visible.
func (t *Table[R]) ShowRows(rows []R) {
	t.hovered = ""
	anchor, at := t.anchor()
	t.replaceRows(rows)
	t.list.Refresh()
	t.restoreAnchor(anchor, at, 0)
	t.rearranged()
}

// replaceRows sets the rows.
func (t *Table[R]) replaceRows(rows []R) {
	t.rows = append(t.rows[:0], rows...)
	t.sortRows()
	if t.wantFirst {
		t.selectFirst()
	}
}

// keepInPlace changes the rows and keeps the one under the pointer in place.
func (t *Table[R]) keepInPlace(change func()) {
	anchor, at := t.anchor()
	under, before := t.rowOffset(t.hovered), t.length()
	change()
	if t.length() != before {
		t.list.Refresh() // the list is longer or shorter
	} else {
		t.showRows()
	}
	t.restoreAnchor(anchor, at, under)
}

// Update redraws a row that changed in place. It does nothing and returns false if the
// row is not shown or may have to move: in that case call SetRows.
func (t *Table[R]) Update(r R) bool {
	i, ok := t.index[r.Key()]
	if !ok || t.compare(t.rows[i], r) != 0 {
		return false
	}
	if of := t.groups.of; of != nil && of(t.rows[i]) != of(r) {
		t.rows[i] = r
		t.regroup(i, of(r))
		return true
	}
	t.rows[i] = r
	if of := t.groups.of; of != nil {
		g := t.groups.lines[t.groups.lineOf[i]].group
		g.head = nil
		t.showLine(g.line)
	}
	line, _ := t.lineOf(r.Key())
	t.showLine(line)
	return true
}

// showLine redraws a line if it is visible.
func (t *Table[R]) showLine(i int) {
	if w := t.widgets[i]; w != nil {
		w.show(i)
	}
}

// RefreshRows redraws the visible cells that changed, after rows changed in place. It
// does not refresh the list, which would redraw every text.
func (t *Table[R]) RefreshRows() {
	t.groups.forgetHeads()
	t.showRows()
}

// showRows is RefreshRows for rows that did not change in place.
func (t *Table[R]) showRows() {
	if t.spareRows > 0 && t.hovered == "" {
		t.makeRoom(0)
	}
	first := int(t.list.GetScrollOffset()/RowHeight) - 1
	last := first + int(t.list.Size().Height/RowHeight) + 3
	for i, w := range t.widgets {
		if i < first || i > last || i >= t.length() {
			delete(t.widgets, i) // it was scrolled away; the list reuses or drops it
			continue
		}
		w.show(i)
	}
}

// setWidget records the widget in which the list shows a row.
func (t *Table[R]) setWidget(i int, w *rowWidget[R]) {
	if t.widgets[w.index] == w {
		delete(t.widgets, w.index)
	}
	t.widgets[i] = w
}
