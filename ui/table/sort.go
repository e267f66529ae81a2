package table

import (
	"cmp"
	"slices"
)

// sortRows sorts and groups the rows and indexes their keys.
func (t *Table[R]) sortRows() {
	if t.sortBy >= 0 && t.columns[t.sortBy].Compare != nil {
		slices.SortFunc(t.rows, func(a, b R) int { return cmp.Or(t.compare(a, b), cmp.Compare(a.Key(), b.Key())) })
	}
	t.groupRows()
	clear(t.index)
	for i, r := range t.rows {
		t.index[r.Key()] = i
	}
}

// compare compares two rows by the sorted column.
func (t *Table[R]) compare(a, b R) int {
	if t.sortBy < 0 || t.columns[t.sortBy].Compare == nil {
		return 0
	}
	c := t.columns[t.sortBy].Compare(a, b)
	if t.down {
		return -c
	}
	return c
}

// Sorting returns the column that the rows are sorted by and the direction.
func (t *Table[R]) Sorting() (column string, down bool) {
	if t.sortBy < 0 {
		return "", false
	}
	return t.columns[t.sortBy].ID, t.down
}

// Sort sorts by the column with that ID.
func (t *Table[R]) Sort(column string, down bool) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == column && c.Compare != nil })
	if i < 0 || t.hidden[i] && i != t.defaultSort {
		return
	}
	t.sortBy, t.down = i, down
	t.sortRows()
	t.header.Refresh()
	t.rearranged()
	t.reveal()
}

// cycleSorting does what a click on a header does: sort ascending, then descending, then the
// initial order.
func (t *Table[R]) cycleSorting(column int) {
	switch c := t.columns[column]; {
	case c.Compare == nil:
	case column == t.sortBy && t.down && t.defaultSort >= 0:
		t.Sort(t.columns[t.defaultSort].ID, false)
	default:
		t.Sort(c.ID, column == t.sortBy && !t.down)
	}
}
