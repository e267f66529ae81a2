package table

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// This file groups rows. A group with several rows has a head, a line of its own above
// them that folds and unfolds the group. The list shows lines: heads and rows.

// headPrefix begins the keys of heads; the key of the group follows.
const headPrefix = "\x00"

// Head is the text of a group's head.
type Head struct {
	Title  string
	Detail string // after the title, muted
}

// group is the rows of one group, or a single row that is in none.
type group struct {
	key    string
	rows   []int32 // indexes of its rows, in the order of the rows
	folded bool
	line   int        // its first line
	head   *shownHead // nil if it has to be made again
}

// hasHead reports whether the group has a head: a single row needs none.
func (g *group) hasHead() bool { return len(g.rows) > 1 }

// length returns the number of lines of the group.
func (g *group) length() int {
	switch {
	case !g.hasHead() || g.folded:
		return 1
	default:
		return 1 + len(g.rows)
	}
}

// line is a line of the list while the rows are grouped.
type line struct {
	group *group
	row   int32 // index of the row; of the first row of its group for a head
	head  bool
}

// groups is the grouping of the rows. The zero value groups nothing.
type groups[R Row] struct {
	of     func(R) string // nil if the rows are not grouped
	outer  func(R) string // nil unless several groups belong together
	byKey  map[string]*group
	order  []*group // in the order of their first rows
	lines  []line
	lineOf []int32         // the line of each row; that of the head if the group is folded
	folded map[string]bool // keys of folded groups, also of those without rows at present
}

// SetGroup groups the rows: the rows of one group are adjacent, at the place of the
// first of them. A row whose group is "" is not grouped. nil ends the grouping.
func (t *Table[R]) SetGroup(of func(R) string) { t.SetGroups(nil, of) }

// SetGroups is SetGroup for groups that belong together: those with the same outer group
// are adjacent, too. A group whose outer group is "" stands alone.
func (t *Table[R]) SetGroups(outer, of func(R) string) {
	t.groups.of, t.groups.outer = of, outer
	t.groupRows()
	t.list.Refresh()
	t.rearranged()
	t.reveal()
}

// Grouped reports whether the rows are grouped.
func (t *Table[R]) Grouped() bool { return t.groups.of != nil }

// groupRows assigns the rows to their groups.
func (t *Table[R]) groupRows() {
	g := &t.groups
	g.order, g.lines, g.lineOf, g.byKey = g.order[:0], g.lines[:0], g.lineOf[:0], nil
	if g.of == nil {
		return
	}
	g.byKey = make(map[string]*group, len(t.rows))
	all, indexes := make([]group, len(t.rows)), make([]int32, len(t.rows)) // two allocations for all groups
	for i, r := range t.rows {
		key := g.of(r)
		if known := g.byKey[key]; known != nil && key != "" {
			known.rows = append(known.rows, int32(i))
			continue
		}
		indexes[i] = int32(i)
		all[i] = group{key: key, rows: indexes[i : i+1 : i+1], folded: g.folded[key]}
		g.byKey[key] = &all[i]
		g.order = append(g.order, &all[i])
	}
	t.joinGroups()
	g.layout(len(t.rows))
}

// joinGroups moves the groups of each outer group to the first of them.
func (t *Table[R]) joinGroups() {
	g := &t.groups
	if g.outer == nil {
		return
	}
	first := make(map[string]int32, len(g.order))
	place := func(o *group) int32 {
		at, ok := first[g.outer(t.rows[o.rows[0]])]
		if !ok {
			return o.rows[0]
		}
		return at
	}
	for _, o := range g.order {
		if key := g.outer(t.rows[o.rows[0]]); key != "" {
			if _, ok := first[key]; !ok {
				first[key] = o.rows[0]
			}
		}
	}
	slices.SortStableFunc(g.order, func(a, b *group) int { return cmp.Compare(place(a), place(b)) })
}

// layout places n rows and the heads on lines.
func (g *groups[R]) layout(n int) {
	lines := 0
	for _, o := range g.order {
		lines += o.length()
	}
	g.lines, g.lineOf = slices.Grow(g.lines[:0], lines)[:lines], slices.Grow(g.lineOf[:0], n)[:n]
	g.placeAll(g.order, 0)
}

// placeAll places groups on the lines from at.
func (g *groups[R]) placeAll(groups []*group, at int) {
	for _, o := range groups {
		o.line = at
		if o.hasHead() {
			g.lines[at] = line{o, o.rows[0], true}
			at++
		}
		for _, i := range o.rows {
			g.lineOf[i] = int32(o.line)
			if !o.folded || !o.hasHead() {
				g.lineOf[i] = int32(at)
				g.lines[at] = line{o, i, false}
				at++
			}
		}
	}
}

// layoutBetween places the groups from the first to the last position of the order again, and
// returns their lines. It returns false, and does nothing, if groups below would move.
func (g *groups[R]) layoutBetween(first, last int) (from, end int, ok bool) {
	last = min(last, len(g.order)-1)
	if first > 0 {
		above := g.order[first-1]
		from = above.line + above.length()
	}
	end = len(g.lines)
	if last+1 < len(g.order) {
		end = g.order[last+1].line
	}
	lines := 0
	for _, o := range g.order[first : last+1] {
		lines += o.length()
	}
	if lines != end-from {
		return 0, 0, false
	}
	g.placeAll(g.order[first:last+1], from)
	return from, end, true
}

// regroup moves row i to the group with key to, and redraws what that changes.
func (t *Table[R]) regroup(i int, to string) {
	if t.groups.outer != nil {
		t.keepInPlace(t.groupRows)
		return
	}
	first, last := t.moveToGroup(i, to)
	from, end, ok := t.groups.layoutBetween(first, last)
	if !ok {
		t.keepInPlace(func() { t.groups.layout(len(t.rows)) })
		return
	}
	for line := range t.widgets {
		if line >= from && line < end {
			t.showLine(line)
		}
	}
}

// moveToGroup moves row i to the group with key to, and returns the first and the last position in
// the order that this changes. It does not build the other groups again, which takes a hundred
// times as long.
func (t *Table[R]) moveToGroup(i int, to string) (first, last int) {
	g, row := &t.groups, int32(i)
	from := g.lines[g.lineOf[i]].group
	from.head = nil
	places := []int{g.remove(from)}
	at, _ := slices.BinarySearch(from.rows, row)
	from.rows = slices.Delete(from.rows, at, at+1)
	if len(from.rows) > 0 {
		places = append(places, g.insert(from))
	} else if g.byKey[from.key] == from {
		delete(g.byKey, from.key)
	}
	target := g.byKey[to]
	if target == nil || to == "" {
		target = &group{key: to, folded: g.folded[to]}
		g.byKey[to] = target
	} else {
		places = append(places, g.remove(target))
	}
	target.head = nil
	at, _ = slices.BinarySearch(target.rows, row)
	target.rows = slices.Insert(target.rows, at, row)
	places = append(places, g.insert(target))
	return slices.Min(places), slices.Max(places) + 1 // the last insertion may have moved the others by one
}

// place returns the position of a group in the order.
func (g *groups[R]) place(o *group) int {
	at, _ := slices.BinarySearchFunc(g.order, o, func(a, b *group) int { return cmp.Compare(a.rows[0], b.rows[0]) })
	return at
}

// insert inserts a group into the order and returns its position.
func (g *groups[R]) insert(o *group) int {
	at := g.place(o)
	g.order = slices.Insert(g.order, at, o)
	return at
}

// remove removes a group from the order and returns its position.
func (g *groups[R]) remove(o *group) int {
	at := g.place(o)
	g.order = slices.Delete(g.order, at, at+1)
	return at
}

// length returns the number of lines.
func (t *Table[R]) length() int {
	if t.groups.of == nil {
		return len(t.rows)
	}
	return len(t.groups.lines)
}

// rowAt returns the row of a line; for a head the first of its group.
func (t *Table[R]) rowAt(i int) R {
	if t.groups.of == nil {
		return t.rows[i]
	}
	return t.rows[t.groups.lines[i].row]
}

// headAt returns the group whose head is on a line; nil if the line is a row.
func (t *Table[R]) headAt(i int) *group {
	if i < 0 || i >= len(t.groups.lines) || !t.groups.lines[i].head {
		return nil
	}
	return t.groups.lines[i].group
}

// keyOf returns the key of a line.
func (t *Table[R]) keyOf(i int) string {
	if g := t.headAt(i); g != nil {
		return headPrefix + g.key
	}
	return t.rowAt(i).Key()
}

// lineOf returns the line with a key. The line of a row in a folded group is the head's.
func (t *Table[R]) lineOf(key string) (int, bool) {
	if head, is := strings.CutPrefix(key, headPrefix); is {
		g := t.groups.byKey[head]
		if g == nil || head == "" {
			return 0, false
		}
		return g.line, true
	}
	i, ok := t.index[key]
	if ok && t.groups.of != nil {
		i = int(t.groups.lineOf[i])
	}
	return i, ok
}

// joined reports whether line i is a row of the same group as the line above.
func (t *Table[R]) joined(i int) bool {
	return i > 0 && i < len(t.groups.lines) && !t.groups.lines[i].head && t.groups.lines[i].group == t.groups.lines[i-1].group
}

// rowsOf returns the rows of a group.
func (t *Table[R]) rowsOf(g *group) iter.Seq[R] {
	return func(yield func(R) bool) {
		for _, i := range g.rows {
			if !yield(t.rows[i]) {
				return
			}
		}
	}
}

// SelectedHead returns the rows of the group whose head is selected, also if a row of the
// folded group is selected; nil if no head is.
func (t *Table[R]) SelectedHead() []R {
	i, ok := t.lineOf(t.selected)
	if g := t.headAt(i); ok && g != nil {
		return slices.Collect(t.rowsOf(g))
	}
	return nil
}

// Folded returns the keys of the groups that are folded.
func (t *Table[R]) Folded() []string {
	var keys []string
	for _, g := range t.groups.order {
		if g.folded && g.hasHead() {
			keys = append(keys, g.key)
		}
	}
	return keys
}

// SetFolded folds the groups with these keys, now or when they appear, and unfolds all
// others.
func (t *Table[R]) SetFolded(keys []string) {
	t.groups.folded = map[string]bool{}
	for _, key := range keys {
		t.groups.folded[key] = true
	}
	for _, g := range t.groups.order {
		g.folded = t.groups.folded[g.key]
	}
	t.showFolding()
}

// FoldAll folds or unfolds all groups.
func (t *Table[R]) FoldAll(fold bool) {
	var keys []string
	for _, g := range t.groups.order {
		if fold && g.hasHead() {
			keys = append(keys, g.key)
		}
	}
	t.SetFolded(keys)
}

// fold folds or unfolds one group.
func (t *Table[R]) fold(g *group, fold bool) {
	if g.folded == fold {
		return
	}
	if t.groups.folded == nil {
		t.groups.folded = map[string]bool{}
	}
	g.folded = fold
	if fold {
		t.groups.folded[g.key] = true
	} else {
		delete(t.groups.folded, g.key)
	}
	t.showFolding()
}

// forgetHeads makes the texts of all heads be made again.
func (g *groups[R]) forgetHeads() {
	for _, o := range g.order {
		o.head = nil
	}
}

// showFolding shows the lines after groups were folded or unfolded.
func (t *Table[R]) showFolding() {
	if t.groups.of == nil {
		return
	}
	t.groups.forgetHeads()
	t.groups.layout(len(t.rows))
	t.list.Refresh()
	t.rearranged()
	t.reveal()
}

// ToggleFold folds or unfolds the group whose head is selected.
func (t *Table[R]) ToggleFold() {
	if i, ok := t.lineOf(t.selected); ok && t.headAt(i) != nil {
		t.fold(t.headAt(i), !t.headAt(i).folded)
	}
}

// foldSelected folds the group of the selected line and selects its head, or unfolds it.
func (t *Table[R]) foldSelected(fold bool) {
	i, ok := t.lineOf(t.selected)
	if !ok || i >= len(t.groups.lines) {
		return
	}
	g := t.groups.lines[i].group
	if !g.hasHead() {
		return
	}
	if fold {
		t.setSelected(headPrefix + g.key)
	}
	t.fold(g, fold)
}
