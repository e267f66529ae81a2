package table

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// lines returns the lines of a table: rows, and the keys of heads in brackets.
func lines(t *Table[row]) (all []string) {
	for i := range t.length() {
		if g := t.headAt(i); g != nil {
			all = append(all, "["+g.key+"]")
		} else {
			all = append(all, string(t.rowAt(i)))
		}
	}
	return all
}

// byDigit groups rows by their second letter.
func byDigit(r row) string { return string(r[1:2]) }

func wantLines(t *testing.T, what string, table *Table[row], want ...string) {
	t.Helper()
	if got := lines(table); !slices.Equal(got, want) {
		t.Errorf("%s: got lines %q, want %q", what, got, want)
	}
	for i := range table.length() {
		if line, ok := table.lineOf(table.keyOf(i)); !ok || line != i {
			t.Errorf("%s: line of key %q: got %d, %v, want %d", what, table.keyOf(i), line, ok, i)
		}
	}
}

func typeKey(t *Table[row], keys ...fyne.KeyName) {
	for _, key := range keys {
		t.list.TypedKey(&fyne.KeyEvent{Name: key})
	}
}

// Left and Right fold and unfold the group of the selected row, Space toggles a head.
func TestGroupsFoldByKey(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	table.SetGroup(byDigit)
	wantLines(t, "grouped", table, "[1]", "a1", "b1", "c1", "[2]", "a2", "c2")
	spaces := 0
	table.OnSpace = func(row) { spaces++ }
	table.Select("b1")
	typeKey(table, fyne.KeyLeft)
	wantLines(t, "Left", table, "[1]", "[2]", "a2", "c2")
	if r, ok := table.Selected(); !ok || r != "a1" || len(table.SelectedHead()) != 3 {
		t.Errorf("got selection %q, %v, with %q, want the head and the three rows of its group", r, ok, table.SelectedHead())
	}
	typeKey(table, fyne.KeyDown, fyne.KeySpace)
	wantLines(t, "Space on the second head", table, "[1]", "[2]")
	typeKey(table, fyne.KeySpace, fyne.KeyUp, fyne.KeyRight, fyne.KeyDown)
	wantLines(t, "Space again, Right on the first", table, "[1]", "a1", "b1", "c1", "[2]", "a2", "c2")
	if r, _ := table.Selected(); r != "a1" || table.SelectedHead() != nil || spaces != 0 {
		t.Errorf("got selection %q, head of %q, %d × OnSpace, want row a1", r, table.SelectedHead(), spaces)
	}
	typeKey(table, fyne.KeySpace)
	if spaces != 1 {
		t.Errorf("Space on a row: got OnSpace %d times, want once", spaces)
	}
	table.FoldAll(true)
	wantLines(t, "all folded", table, "[1]", "[2]")
	if got := table.Folded(); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("got folded %q, want 1 and 2", got)
	}
	if !table.widgets[0].selected() || table.widgets[1].selected() {
		t.Error("the head of the selected row's folded group is not drawn as selected")
	}
	table.Select("c2")
	wantLines(t, "a row of a folded group selected", table, "[1]", "[2]", "a2", "c2")
	table.FoldAll(false)
	wantLines(t, "all unfolded", table, "[1]", "a1", "b1", "c1", "[2]", "a2", "c2")
	table.SetGroup(nil)
	wantLines(t, "not grouped", table, "a1", "a2", "b1", "c1", "c2")
}

func TestGroupsFoldByMouse(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	table.SetGroup(byDigit)
	click := func(line int) {
		table.widgets[line].Tapped(&fyne.PointEvent{AbsolutePosition: fyne.NewPos(20, float32(line)*RowHeight)})
	}
	click(0)
	wantLines(t, "click", table, "[1]", "[2]", "a2", "c2")
	click(1)
	wantLines(t, "click on the next", table, "[1]", "[2]")
	click(0)
	wantLines(t, "second click", table, "[1]", "a1", "b1", "c1", "[2]")
}

// Folding survives other rows. A head goes when its group has one row left.
func TestFoldedGroupsStayFolded(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	table.SetGroup(byDigit)
	table.SetFolded([]string{"2", "3"})
	wantLines(t, "one folded", table, "[1]", "a1", "b1", "c1", "[2]")
	table.SetRows([]row{"a1", "a2", "b3", "c3", "d2"})
	wantLines(t, "another appeared", table, "a1", "[2]", "[3]")
	table.SetRows([]row{"a2", "b3", "c3"})
	wantLines(t, "one left", table, "a2", "[3]")
	table.SetRows([]row{"a2", "b2", "c3", "d3"})
	wantLines(t, "back", table, "[2]", "[3]")
}

// moving is a row whose group can change.
type moving struct {
	row
	group *int
}

// Moving a row to another group leads to the same lines as grouping all rows again.
func TestMoveToGroup(t *testing.T) {
	columns := []Column[moving]{{ID: "a", Label: "a", Width: 60, Cell: func(moving) Cell { return Cell{} }, Compare: func(a, b moving) int { return 0 }}}
	newSizedTable(t, 300, column("a", 100, 0)) // for the app
	table, again := New(columns, "a"), New(columns, "a")
	var rows []moving
	for i := range 40 {
		g := i % 7
		rows = append(rows, moving{row(fmt.Sprintf("%02d", i)), &g})
	}
	of := func(r moving) string {
		if *r.group == 0 {
			return ""
		}
		return fmt.Sprint(*r.group)
	}
	for _, x := range []*Table[moving]{table, again} {
		x.SetGroup(of)
		x.SetFolded([]string{"2", "3"})
		x.SetRows(rows)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for step := range 3000 {
		i, to := random.IntN(len(rows)), random.IntN(9)
		if step%3 == 0 { // a group of its own, as after a restart
			to = 10 + random.IntN(30)
		}
		rows[i].group = &to
		if !table.Update(rows[i]) {
			t.Fatalf("step %d: row %d was not updated in place", step, i)
		}
		again.SetRows(rows)
		for k := range max(table.length(), again.length()) {
			if k >= table.length() || k >= again.length() || table.keyOf(k) != again.keyOf(k) {
				t.Fatalf("step %d, row %d to group %d: got other lines than after grouping again at line %d", step, i, to, k)
			}
		}
		for _, r := range rows {
			got, _ := table.lineOf(r.Key())
			if want, _ := again.lineOf(r.Key()); got != want {
				t.Fatalf("step %d, row %d to group %d: got row %v on line %d, want %d", step, i, to, r.row, got, want)
			}
		}
	}
}

// The pointer rests on the table while a filter reduces the rows and is cleared. Then no
// row is scrolled out of view.
func TestFilterDoesNotScrollPastTheEnd(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	all := []row{"a1", "a2", "b1", "c1", "c2"}
	for _, under := range []int{0, 2, 4} {
		for _, found := range all {
			table.widgets[under].MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(50, 20)}})
			table.ShowRows([]row{found})
			table.ShowRows(all)
			if got := table.list.GetScrollOffset(); got != 0 || table.spareRows != 0 {
				t.Errorf("pointer on %s, only %s found: got offset %v and %d empty rows, want 0", all[under], found, got, table.spareRows)
			}
			if table.hovered != string(all[under]) {
				t.Errorf("pointer on %s: got %q under it", all[under], table.hovered)
			}
			table.SetRows(all) // as after the next poll
			if got := table.list.GetScrollOffset(); got != 0 {
				t.Errorf("pointer on %s, after the next poll: got offset %v, want 0", all[under], got)
			}
		}
	}
	table.widgets[1].MouseIn(nil)
	table.ShowRows(all[:1])
	if table.hovered != "" {
		t.Errorf("got %q under the pointer, which is below the rows", table.hovered)
	}
	table.SetRows([]row{"a0", "a1"})
	if got := table.list.GetScrollOffset(); got != 0 {
		t.Errorf("pointer below the rows: got offset %v, want 0", got)
	}
}

// Long lists are not scrolled past their end either, whatever the user does.
func TestLongListDoesNotScrollPastTheEnd(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	var all []row
	for i := range 200 {
		all = append(all, row(fmt.Sprintf("%03d", i)))
	}
	table.SetRows(all)
	end := func(what string) {
		t.Helper()
		table.RefreshRows()
		last := max(float32(table.length())*RowHeight-table.list.Size().Height, 0)
		if got := table.list.GetScrollOffset(); got > last {
			t.Errorf("%s: got offset %v, want at most %v", what, got, last)
		}
	}
	for _, keep := range []int{1, 3, 20, 150} {
		table.Select("150")
		table.widgets[table.index["150"]].MouseIn(nil)
		table.ShowRows(all[150-keep+1 : 151])
		end(fmt.Sprintf("%d rows left", keep))
		table.ShowRows(all)
		end("all again")
		table.SetGroup(func(r row) string { return string(r[:1]) })
		table.FoldAll(true)
		end("folded")
		table.FoldAll(false)
		table.Sort("a", keep%2 == 0)
		end("sorted")
		table.SetGroup(nil)
	}
}

// A row that moves to another group makes only the heads of these two be made again.
func TestOtherHeadsAreKept(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	of := map[row]string{"a1": "x", "b1": "x", "c1": "x", "a2": "y", "c2": "y"}
	made := map[string]int{}
	table.GroupHead = func(rows iter.Seq[row], _ bool) Head {
		title := ""
		for r := range rows {
			title += string(r)
		}
		made[title]++
		return Head{Title: title}
	}
	table.SetGroup(func(r row) string { return of[r] })
	heads := func() (titles []string) {
		for _, w := range table.widgets {
			if w.head != nil {
				titles = append(titles, w.title.Text.Text)
			}
		}
		slices.Sort(titles)
		return titles
	}
	if got, want := heads(), []string{"a1b1c1", "a2c2"}; !slices.Equal(got, want) {
		t.Fatalf("got heads %q, want %q", got, want)
	}
	clear(made)
	table.showRows()
	if len(made) > 0 {
		t.Errorf("nothing changed: got %v made again, want none", made)
	}
	table.RefreshRows()
	if made["a1b1c1"] != 1 || made["a2c2"] != 1 {
		t.Errorf("rows may have changed in place: got %v made again, want both heads once", made)
	}
	of["b1"] = "y"
	table.regroup(2, "y")
	if got, want := heads(), []string{"a1c1", "a2b1c2"}; !slices.Equal(got, want) {
		t.Errorf("after a move: got heads %q, want %q", got, want)
	}
}

// Groups of one outer group are adjacent, at the place of the first of them.
func TestOuterGroups(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	outer := func(r row) string { return map[byte]string{'1': "odd", '3': "odd"}[r[1]] }
	table.SetRows([]row{"a1", "b2", "c3", "d1", "e2", "f3", "g4"})
	table.SetGroups(outer, byDigit)
	wantLines(t, "outer groups", table, "[1]", "a1", "d1", "[3]", "c3", "f3", "[2]", "b2", "e2", "g4")
	table.SetGroup(byDigit)
	wantLines(t, "without", table, "[1]", "a1", "d1", "[2]", "b2", "e2", "[3]", "c3", "f3", "g4")
}
