package table

// SetGroup brings rows of the same group together, each group where its first row
// stands, or, with nil, no longer. Rows whose group is "" stand alone.
func (t *Table[R]) SetGroup(group func(R) string) {
	t.group = group
	t.arrange()
	t.RefreshRows()
	t.reveal()
}

// Grouped reports whether the rows are grouped.
func (t *Table[R]) Grouped() bool { return t.group != nil }

// gather brings the rows of each group together and keeps their order else.
func (t *Table[R]) gather() {
	t.follows = t.follows[:0]
	if t.group == nil {
		return
	}
	var order [][]R
	place := map[string]int{} // in order, of each group
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
			t.follows = append(t.follows, i > 0)
		}
	}
}

// joined reports whether the row with that index is of the same group as the one
// above.
func (t *Table[R]) joined(i int) bool { return i < len(t.follows) && t.follows[i] }
