package table

// SetGroup groups the rows: the rows of one group are adjacent, at the place of the
// first of them. A row whose group is "" is not grouped. nil ends the grouping.
func (t *Table[R]) SetGroup(group func(R) string) {
	t.group = group
	t.sortRows()
	t.RefreshRows()
	t.reveal()
}

// Grouped reports whether the rows are grouped.
func (t *Table[R]) Grouped() bool { return t.group != nil }

// groupRows moves the rows of each group together and otherwise keeps their order.
func (t *Table[R]) groupRows() {
	t.joinedAbove = t.joinedAbove[:0]
	if t.group == nil {
		return
	}
	var order [][]R
	place := map[string]int{} // the position of each group
	for _, r := range t.rows {
		g := t.group(r)
		i, known := place[g]
		if g == "" || !known {
			place[g] = len(order)
			order = append(order, []R{r})
			continue
		}
		order[i] = append(order[i], r)
	}
	t.rows = t.rows[:0]
	for _, rows := range order {
		for i, r := range rows {
			t.rows = append(t.rows, r)
			t.joinedAbove = append(t.joinedAbove, i > 0)
		}
	}
}

// joined reports whether row i is in the same group as the row above.
func (t *Table[R]) joined(i int) bool { return i < len(t.joinedAbove) && t.joinedAbove[i] }
