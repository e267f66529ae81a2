package table

import (
	"fmt"
	"image/color"
	"runtime"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

type row string

func (r row) Key() string            { return string(r) }
func (r row) AccessibleText() string { return string(r) }

// Tint is of rows that have a mark.
func (r row) Tint() fyne.ThemeColorName {
	if r.Mark().Text != "" {
		return theme.ColorNameSuccess
	}
	return ""
}

// Mark is of rows that begin so.
func (r row) Mark() Cell {
	if strings.HasPrefix(string(r), "new") {
		return Cell{Text: "!"}
	}
	return Cell{}
}

func column(id string, width, grow float32) Column[row] {
	return Column[row]{
		ID: id, Label: id, Width: width, Grow: grow,
		Cell:    func(r row) Cell { return Cell{Text: string(r)} },
		Compare: func(a, b row) int { return strings.Compare(string(a), string(b)) },
	}
}

// The cells of a row stand under their headers, however wide the table is and
// was before.
func TestCellsStandInTheirColumns(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1), column("b", 60, 0), column("c", 60, 2)}, "a")
	w := newRowWidget(table)
	table.SetRows([]row{"x"})
	w.show(0)
	for _, width := range []float32{200, 900, 600, 300, 900, 180} {
		table.distributeWidth(width)
		w.Resize(fyne.NewSize(width, RowHeight))
		w.paint()
		x := float32(0)
		for i, v := range w.cells {
			if left := v.text.Position().X; left != x+CellPadding {
				t.Errorf("at %v: cell %d begins at %v; want %v", width, i, left, x+CellPadding)
			}
			x += table.widths[i]
		}
	}
}

// What happened to a row is said in words, whatever columns are hidden.
func TestMarksAreSaidInAColumnThatIsShown(t *testing.T) {
	test.NewTempApp(t)
	marks := column("b", 60, 0)
	marks.Marks = true
	table := New([]Column[row]{column("a", 60, 1), marks, column("c", 60, 0)}, "a")
	table.SetRows([]row{"new", "old"})
	texts := func(index int) (out []string) {
		table.distributeWidth(300)
		w := newRowWidget(table)
		w.show(index)
		for _, v := range w.cells {
			out = append(out, v.text.Text)
		}
		return out
	}
	for _, c := range []struct {
		hide []int
		want string
	}{{nil, "new ! new"}, {[]int{1}, "new  !"}, {[]int{2}, "!  "}} {
		for _, i := range c.hide {
			table.hide(i, true)
		}
		if got := strings.Join(texts(0), " "); got != c.want {
			t.Errorf("without %v: %q; want %q", c.hide, got, c.want)
		}
	}
	if got := strings.Join(texts(1), " "); got != "old  " {
		t.Errorf("a row without a mark says %q", got)
	}
}

// The edge of the selected row says that the keyboard is there, else what its ground
// said before it was selected.
func TestTheSelectedRowKeepsItsTintAtItsEdge(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"new", "old"})
	want := func(what string, edges ...color.Color) {
		t.Helper()
		for i, edge := range edges {
			if got := table.widgets[i].edge.FillColor; got != edge {
				t.Errorf("%s: the edge of %q is %v; want %v", what, table.rows[i], got, edge)
			}
		}
	}
	none, tint, keyboard := color.Color(color.Transparent), theme.Color(theme.ColorNameSuccess), theme.Color(theme.ColorNamePrimary)
	want("none is selected", none, none)
	table.Select("new")
	want("the new one is", tint, none)
	table.Focus()
	want("with the keyboard", keyboard, none)
	w.Canvas().Unfocus()
	want("no longer", tint, none)
	table.Select("old")
	want("the other is", none, none)
}

// In a narrow table the columns that grow give way, and the last is still seen.
func TestColumnsGiveWay(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 100, 1), column("b", 60, 0), column("c", 200, 2), column("d", 60, 0)}, "a")
	table.distributeWidth(300)
	if got, want := table.widths, []float32{60, 60, 120, 60}; !slices.Equal(got, want) {
		t.Errorf("widths %v; want %v", got, want)
	}
	table.distributeWidth(50)
	if got, want := table.widths, []float32{narrowest, 60, narrowest, 60}; !slices.Equal(got, want) {
		t.Errorf("widths %v; want %v", got, want)
	}
}

// A row that comes above the pointer moves those above it up, also where the list is
// too short to scroll by itself; when the pointer has left all are seen again.
func TestRowsStayUnderThePointerInAShortList(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"c", "d"})
	table.widgets[1].MouseIn(nil)
	for _, rows := range [][]row{{"b", "c", "d"}, {"a", "b", "c", "d", "e"}, {"b", "c", "d", "e"}} {
		table.SetRows(rows)
		if got := table.rowOffset("d"); got != RowHeight {
			t.Errorf("%v: d is at %v, and the pointer at %v", rows, got, RowHeight)
		}
	}
	table.widgets[table.index["d"]].MouseOut()
	table.RefreshRows()
	if got := table.list.GetScrollOffset(); got != 0 || table.spareRows != 0 {
		t.Errorf("the pointer has left: scrolled to %v, %d empty rows", got, table.spareRows)
	}
}

// Where a row above goes at the upper end of the list nothing can keep the others in
// their place: who clicks in that moment means the row that was there.
func TestAClickIsForTheRowThatWasThere(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	var menu row
	table.OnMenu = func(r row, _ fyne.Position) { menu = r }
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 400))
	table.SetRows([]row{"a", "b", "c", "d"})
	table.widgets[1].MouseIn(nil)
	table.SetRows([]row{"b", "c", "d"})
	if got := table.rowOffset("b"); got != 0 {
		t.Fatalf("b is at %v: it did not move", got)
	}
	click := func(x float32) *fyne.PointEvent { // each elsewhere, or it is a second click
		return &fyne.PointEvent{AbsolutePosition: fyne.NewPos(x, 0)}
	}
	table.widgets[1].Tapped(click(0))
	if r, _ := table.Selected(); r != "b" {
		t.Errorf("selected %q; want b", r)
	}
	table.widgets[1].TappedSecondary(click(0))
	if r, _ := table.Selected(); menu != "b" || r != "b" {
		t.Errorf("the menu is of %q, and %q is selected; want b", menu, r)
	}
	table.SetRows([]row{"c", "d"})
	menu = ""
	table.widgets[1].TappedSecondary(click(0))
	if menu != "" {
		t.Errorf("the menu is of %q; want none: the row has gone", menu)
	}
	table.clickTarget.moved = table.clickTarget.moved.Add(-reactionTime)
	table.widgets[1].Tapped(click(50))
	if r, _ := table.Selected(); r != "d" {
		t.Errorf("selected %q later; want d, which is there", r)
	}
	table.widgets[0].MouseIn(nil)
	table.SetRows([]row{"d"})
	table.widgets[0].MouseMoved(nil)
	table.widgets[0].Tapped(click(100))
	if r, _ := table.Selected(); r != "d" {
		t.Errorf("selected %q with a pointer that moved; want d, which it is on", r)
	}
}

// Where rows moved under a pointer that stood still, the one that it is on shows so
// as soon as it moves.
func TestThePointerIsShownWhereItMoves(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"a", "b", "c"})
	want := func(what string, row int) {
		t.Helper()
		for i, w := range table.widgets {
			if got := w.ground.FillColor == theme.Color(theme.ColorNameHover); got != (i == row) {
				t.Errorf("%s: row %d looks as if the pointer is there: %v", what, i, got)
			}
		}
	}
	table.widgets[1].MouseIn(nil)
	want("on b", 1)
	table.SetRows([]row{"b", "c", "d"})
	want("b went up", 0)
	table.widgets[1].MouseMoved(nil)
	want("on c", 1)
	table.widgets[1].MouseOut()
	want("nowhere", -1)
}

// Without the pointer what is read stays where it is: the selected row, or where that
// is not seen the first that is.
func TestWhatIsReadStaysWhereItIs(t *testing.T) {
	table := newSizedTable(t, 200, column("a", 60, 1))
	var rows []row
	for i := range 100 {
		rows = append(rows, row(fmt.Sprintf("%02d", i)))
	}
	with := func(more ...row) []row { return append(slices.Clone(rows), more...) }
	for selected, stays := range map[row]row{"": "20", "24": "24", "50": "20", "05": "20", "nothing": "20"} {
		table.SetRows(rows)
		table.setSelected(string(selected))
		table.list.ScrollToOffset(20*RowHeight + 7)
		before := table.rowOffset(string(stays))
		table.SetRows(with("04 more", "19 more", "22 more", "23 more", "60 more"))
		if got := table.rowOffset(string(stays)); got != before {
			t.Errorf("%q is selected: %s is at %v; want %v, where it was", selected, stays, got, before)
		}
	}
}

// Fyne would hold back the clicks of what takes double ones: a row could be selected,
// and a column sort, 300 ms later.
func TestNothingWaitsForASecondClick(t *testing.T) {
	table := newSizedTable(t, 200, column("a", 60, 1))
	for _, o := range []fyne.Tappable{table.widgets[0], table.header} {
		if _, waits := o.(fyne.DoubleTappable); waits {
			t.Errorf("a click on a %T waits for a second", o)
		}
	}
}

func TestFit(t *testing.T) {
	test.NewTempApp(t)
	const text = "a rather long name of a process"
	whole := fyne.MeasureText(text, 13, fyne.TextStyle{}).Width
	if got := Fit(text, whole, 13, fyne.TextStyle{}); got != text {
		t.Errorf("what fits became %q", got)
	}
	got := Fit(text, whole/2, 13, fyne.TextStyle{})
	if !strings.HasSuffix(got, "…") || fyne.MeasureText(got, 13, fyne.TextStyle{}).Width > whole/2 || len(got) < 8 {
		t.Errorf("in half the width: %q", got)
	}
	if got := Fit("one two … …", whole/3, 13, fyne.TextStyle{}); strings.Count(got, "…") > 1 {
		t.Errorf("what was cut before has %q at its end", got)
	}
	if got := Fit(text, 1, 13, fyne.TextStyle{}); got != "" {
		t.Errorf("in no width: %q", got)
	}
}

// Whoever presses Down in the filter before the row has come finds it selected
// when it comes; a row that was chosen by then stays.
func TestTheKeyboardIsThereBeforeTheRows(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	table.list.FocusGained()
	table.SetRows([]row{"c", "b"})
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("selected %v, %v; want the first row that came, b", r, ok)
	}
	table.SetRows([]row{"a"})
	if r, ok := table.Selected(); ok {
		t.Errorf("selected %v; want that the selection waits for its row", r)
	}
	chosen := New([]Column[row]{column("a", 60, 1)}, "a")
	chosen.Select("c")
	chosen.list.FocusGained()
	chosen.SetRows([]row{"c", "b"})
	if r, ok := chosen.Selected(); !ok || r != "c" {
		t.Errorf("selected %v, %v; want c, which was chosen before it came", r, ok)
	}
}

func TestKeysMoveByRowsAndPages(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	var rows []row
	for i := range 100 {
		rows = append(rows, row(fmt.Sprintf("%02d", i)))
	}
	table.SetRows(rows)
	page := table.page()
	if page < 5 || page > 9 {
		t.Fatalf("a page has %d rows", page)
	}
	for _, step := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyDown, 0}, {fyne.KeyDown, 1}, {fyne.KeyPageDown, 1 + page}, {fyne.KeyPageDown, 1 + 2*page}, {fyne.KeyPageUp, 1 + page},
		{fyne.KeyUp, page}, {fyne.KeyEnd, 99}, {fyne.KeyPageDown, 99}, {fyne.KeyHome, 0}, {fyne.KeyPageUp, 0}} {
		table.list.TypedKey(&fyne.KeyEvent{Name: step.key})
		r, _ := table.Selected()
		if want := rows[step.want]; r != want {
			t.Errorf("%s leads to %q; want %q", step.key, r, want)
		}
		if y := table.rowOffset(string(r)); y < 0 || y+RowHeight > table.list.Size().Height {
			t.Errorf("%s: the selected row is at %v, out of sight", step.key, y)
		}
	}
	var opened row
	table.OnOpen = func(r row) { opened = r }
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter} { // the latter is the keypad's
		opened = ""
		table.list.TypedKey(&fyne.KeyEvent{Name: key})
		if opened != rows[0] {
			t.Errorf("%s opens %q; want %q", key, opened, rows[0])
		}
	}
	seen := func(what string) {
		t.Helper()
		if y := table.rowOffset("00"); y < 0 || y+RowHeight > table.list.Size().Height {
			t.Errorf("%s: the selected row is at %v, out of sight", what, y)
		}
	}
	table.Sort("a", true)
	seen("sorted the other way round")
	table.Sort("a", false)
	for _, key := range []fyne.KeyName{desktop.KeyMenu, fyne.KeyF10} {
		var at fyne.Position
		table.OnMenu = func(_ row, p fyne.Position) { at = p }
		table.list.ScrollToOffset(50 * RowHeight)
		table.list.TypedKey(&fyne.KeyEvent{Name: key})
		seen(string(key))
		if want := fyne.CurrentApp().Driver().AbsolutePositionForObject(table.list).Y + RowHeight; at.Y != want {
			t.Errorf("%s: the menu is at %v; want it below its row, at %v", key, at.Y, want)
		}
	}
}

func TestSortAndSelection(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	table.SetRows([]row{"c", "a", "b"})
	table.Select("b")
	table.Sort("a", true)
	if got := table.Rows(); got[0] != "c" || got[2] != "a" {
		t.Errorf("rows %v", got)
	}
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("selected %v, %v; want b", r, ok)
	}
	table.SetRows([]row{"a"})
	if _, ok := table.Selected(); ok {
		t.Error("a row that is gone is selected")
	}
	table.SetRows([]row{"b", "a"})
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("when it comes again: selected %v, %v; want b", r, ok)
	}
}

// singleColorTheme has a colour for every name.
type singleColorTheme struct{ fyne.Theme }

func (singleColorTheme) Color(fyne.ThemeColorName, fyne.ThemeVariant) color.Color { return color.Black }

// newSizedTable is a table on a canvas of that width, with some rows.
func newSizedTable(t *testing.T, width float32, columns ...Column[row]) *Table[row] {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(singleColorTheme{theme.DefaultTheme()})
	table := New(columns, "a")
	w := test.NewTempWindow(t, table)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(width, 10*RowHeight))
	table.SetRows([]row{"a1", "a2", "b1", "c1", "c2"})
	return table
}

func headerClick(x float32) *fyne.PointEvent {
	return &fyne.PointEvent{Position: fyne.NewPos(x, 10), AbsolutePosition: fyne.NewPos(x, 10)}
}

func TestAHeaderSortsUpDownAndAsAtFirst(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0), column("b", 100, 0), column("c", 100, 0))
	for i, want := range []struct {
		x      float32
		column string
		down   bool
	}{{150, "b", false}, {150, "b", true}, {150, "a", false}, {50, "a", true}, {50, "a", false}, {250, "c", false}, {150, "b", false}} {
		table.header.Tapped(headerClick(want.x))
		if column, down := table.Sorting(); column != want.column || down != want.down {
			t.Errorf("click %d: sorted by %s, down %v; want %s, %v", i, column, down, want.column, want.down)
		}
	}
}

func TestAnEdgeIsDraggedAndStaysUnderThePointer(t *testing.T) {
	table := newSizedTable(t, 400, column("a", 100, 1), column("b", 100, 0), column("c", 100, 3))
	want := func(what string, widths ...float32) {
		t.Helper()
		if !slices.Equal(table.widths, widths) {
			t.Errorf("%s: widths %v; want %v", what, table.widths, widths)
		}
	}
	want("at first", 125, 100, 175)
	drag := func(x float32, by ...float32) {
		for _, dx := range by {
			table.header.Dragged(&fyne.DragEvent{PointEvent: *headerClick(x), Dragged: fyne.NewDelta(dx, 0)})
		}
		table.header.DragEnd()
	}
	drag(225, 10, 20)
	want("wider", 125, 130, 145)
	drag(255, -500, 450)
	want("beyond the least and half way back", 125, 80, 195)
	drag(205, 1000)
	want("the rest gives way to its least", 125, 235, 40)
	drag(60, 30)
	want("no edge there", 125, 235, 40)
	table.SetColumns(Columns{})
	want("reset", 125, 100, 175)
	table.distributeWidth(3000)
	drag(table.widths[0]+table.widths[1], 2000)
	want("as wide as columns become", 775, widest, 1225)
}

func TestAnEdgeFitsItsColumnToTheCells(t *testing.T) {
	table := newSizedTable(t, 800, column("a", 100, 0), column("b", 100, 0), column("c", 100, 1))
	table.SetRows([]row{"a", "quite a long text that a hundred do not hold"})
	for range 2 {
		table.header.Tapped(headerClick(100))
	}
	whole := fyne.MeasureText("quite a long text that a hundred do not hold", 14, fyne.TextStyle{}).Width
	if got := table.widths[0]; got < whole || got > whole+3*CellPadding {
		t.Errorf("width %v; want just above %v", got, whole)
	}
	if column, _ := table.Sorting(); column != "a" {
		t.Errorf("a click on the edge sorted by %s", column)
	}
	table.columns[1].Label = "a header that is longer than its cells"
	table.SetRows([]row{"b"})
	table.Sort("b", false) // its mark needs room, too
	table.fit(1)
	if got := table.header.labels[1].Text; got != table.columns[1].Label {
		t.Errorf("fitted to short cells the header says %q; want all of it", got)
	}
}

func TestColumnsAreHiddenAndTheLastIsNot(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0), column("b", 100, 0), column("c", 100, 1))
	item := func(label string) *fyne.MenuItem {
		for _, i := range table.columnsMenu().Items {
			if i.Label == label {
				return i
			}
		}
		t.Fatalf("no item %q", label)
		return nil
	}
	item("a").Action()
	item("c").Action()
	if got := table.widths; got[0] != 0 || got[1] != 100 || got[2] != 0 {
		t.Errorf("widths %v; want only the second", got)
	}
	if i := item("b"); !i.Disabled || !i.Checked {
		t.Errorf("the last column can be hidden: %+v", i)
	}
	table.hide(1, true)
	if table.hidden[1] {
		t.Error("the last column was hidden")
	}
	for _, w := range table.widgets {
		if w.cells[0].text.Text != "" || w.cells[1].text.Text == "" {
			t.Errorf("cells say %q, %q; want that only the second says anything", w.cells[0].text.Text, w.cells[1].text.Text)
		}
	}
	item("Reset columns").Action()
	if got := table.shownColumns(); got != 3 {
		t.Errorf("%d columns after a reset; want 3", got)
	}
}

func TestWhatIsRememberedOfColumnsComesBackAndNonsenseDoesNot(t *testing.T) {
	columns := []Column[row]{column("a", 100, 0), column("b", 100, 0), column("c", 100, 1)}
	table := newSizedTable(t, 600, columns...)
	table.resize(1, 150)
	table.hide(0, true)
	next := newSizedTable(t, 600, columns...)
	next.SetColumns(table.Columns())
	if !slices.Equal(next.widths, []float32{0, 150, 450}) {
		t.Errorf("widths %v; want 0, 150, 450", next.widths)
	}
	next.SetColumns(Columns{Widths: map[string]float32{"a": -5, "b": 1e9, "c": 3, "x": 50}, Hidden: []string{"a", "b", "c", "nonsense"}})
	if !slices.Equal(next.widths, []float32{100, 100, 400}) {
		t.Errorf("widths %v; want those declared", next.widths)
	}
}

func TestAnExtraColumnIsShownOnlyWhereItIsAskedFor(t *testing.T) {
	extra := column("b", 100, 0)
	extra.Extra = true
	columns := []Column[row]{column("a", 100, 0), extra, column("c", 100, 1)}
	table := newSizedTable(t, 600, columns...)
	want := func(when string, table *Table[row], widths ...float32) {
		t.Helper()
		if !slices.Equal(table.widths, widths) {
			t.Errorf("%s: widths %v; want %v", when, table.widths, widths)
		}
	}
	want("at first", table, 100, 0, 500)
	table.SetColumns(Columns{Hidden: []string{"c"}}) // as an older version left it
	want("after an older version", table, 100, 0, 0)
	table.SetColumns(Columns{})
	table.hide(1, false)
	next := newSizedTable(t, 600, columns...)
	next.SetColumns(table.Columns())
	want("remembered", next, 100, 100, 400)
	next.SetColumns(Columns{Hidden: []string{"a", "b", "c"}})
	want("after nonsense", next, 100, 0, 500)
	next.hide(1, false)
	next.header.FocusGained()
	next.header.step(1)
	next.Sort("b", true)
	next.SetColumns(Columns{}) // Reset columns
	if column, down := next.Sorting(); column != "a" || down || next.header.current != 0 {
		t.Errorf("hidden by a reset, it sorts still: by %s, down %v; the keyboard is at column %d", column, down, next.header.current)
	}
	next.Sort("b", false) // as an older version left it
	if column, _ := next.Sorting(); column != "a" {
		t.Errorf("sorted by the hidden %s", column)
	}
	next.hide(0, true)
	next.hide(2, true)
	if next.hidden[2] {
		t.Error("the last column was hidden beside an extra one that is hidden")
	}
}

func TestTheHeaderIsReachedByKeys(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0), column("b", 100, 0), column("c", 100, 1))
	h, over := table.header, fyne.CurrentApp().Driver().CanvasForObject(table)
	key := func(name fyne.KeyName) { h.TypedKey(&fyne.KeyEvent{Name: name}) }
	h.FocusGained()
	key(fyne.KeyRight)
	key(fyne.KeyReturn)
	h.TypedRune('-')
	if column, _ := table.Sorting(); column != "b" || table.widths[1] != 100-keyResizeStep {
		t.Errorf("sorted by %s, width %v", column, table.widths[1])
	}
	h.TypedRune('+')
	if table.widths[1] != 100 {
		t.Errorf("narrower and wider again it is %v; want 100", table.widths[1])
	}
	key(fyne.KeyLeft)
	key(fyne.KeySpace)
	if column, _ := table.Sorting(); column != "a" {
		t.Errorf("to the left of b it sorted by %s", column)
	}
	key(fyne.KeyRight)
	table.hide(2, true)
	key(fyne.KeyRight)
	if h.current != 1 {
		t.Errorf("the keyboard is at column %d; want that it stays at the last that is shown", h.current)
	}
	for _, name := range []fyne.KeyName{fyne.KeyF10, desktop.KeyMenu} {
		key(name)
		menu := over.Overlays().Top()
		if menu == nil {
			t.Fatalf("%s opened no menu", name)
		}
		over.Overlays().Remove(menu)
	}
	table.hide(2, false)
	table.hide(1, true)
	h.FocusLost()
	h.FocusGained()
	if h.current != 0 {
		t.Errorf("the keyboard comes to column %d; want the first that is shown", h.current)
	}
	over.Focus(h)
	if key(fyne.KeyDown); over.Focused() != fyne.Focusable(table.list) {
		t.Errorf("Down leaves the keyboard at a %T", over.Focused())
	}
}

// Widgets that were scrolled away are not kept: the list makes new ones when it
// likes.
func TestOnlyWhatIsSeenIsHeldAndPainted(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	rows := make([]row, 2000)
	for i := range rows {
		rows[i] = row(fmt.Sprintf("%04d", i))
	}
	table.SetRows(rows)
	for i := 0; i < 2000; i += 90 {
		table.list.ScrollToOffset(float32(i) * RowHeight)
		runtime.GC()
		table.RefreshRows()
		if got := len(table.widgets); got < 9 || got > 13 {
			t.Fatalf("at row %d %d widgets are held; want the 9 or 10 that are seen", i, got)
		}
		if w := table.widgets[i]; i < 1980 && (w == nil || w.cells[0].text.Text != string(rows[i])) {
			t.Fatalf("row %d is not shown", i)
		}
	}
}

func TestGroupsStandTogether(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	table.SetRows([]row{"b1", "a2", "c2", "a1", "c1"})
	table.SetGroup(func(r row) string {
		if r[0] == 'b' {
			return ""
		}
		return string(r[1])
	})
	if got, want := table.Rows(), []row{"a1", "c1", "a2", "c2", "b1"}; !slices.Equal(got, want) {
		t.Errorf("grouped: %v; want %v", got, want)
	}
	if want := []bool{false, true, false, true, false}; !slices.Equal(table.joinedAbove, want) {
		t.Errorf("joined to the one above: %v; want %v", table.joinedAbove, want)
	}
	table.SetGroup(nil)
	if got, want := table.Rows(), []row{"a1", "a2", "b1", "c1", "c2"}; !slices.Equal(got, want) {
		t.Errorf("no longer: %v; want %v", got, want)
	}
}

// What is typed goes to the row that it begins, to the exact one first; what leads
// nowhere is handed on, whole.
func TestTypingGoesToTheRowThatItBegins(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 0)}, "a")
	table.TypeAhead = func(r row) string { return strings.TrimPrefix(string(r), "port ") }
	rest := ""
	table.OnRune = func(r rune) { rest += string(r) }
	table.SetRows([]row{"port 3000", "port 300", "port 5433", "port 80", "port 8080"})
	for _, c := range []struct{ typed, selected, rest string }{
		{"3", "port 300", ""}, {"3000", "port 3000", ""}, {"300", "port 300", ""}, {"80", "port 80", ""}, {"808", "port 8080", ""},
		{"5432", "port 5433", "5432"}, {"node", "port 5433", "node"}, {"80 8", "port 80", "80 "}, {"?", "port 80", "?"},
	} {
		table.typing, rest = typeAhead{}, ""
		for _, r := range c.typed {
			table.list.TypedRune(r)
		}
		if got, _ := table.Selected(); string(got) != c.selected || rest != c.rest {
			t.Errorf("after %q %q is selected and %q handed on; want %q and %q", c.typed, got, rest, c.selected, c.rest)
		}
	}
	starred := 0
	table.OnSpace = func(row) { starred++ }
	space := func() {
		table.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
		table.list.TypedRune(' ')
	}
	rest = ""
	table.list.TypedRune('8')
	if space(); starred != 0 || rest != "8 " {
		t.Errorf("a space behind a digit: %d stars, %q handed on; want none, and what was typed", starred, rest)
	}
	if space(); starred != 1 || rest != "8 " {
		t.Errorf("a space alone: %d stars, %q handed on; want one, and nothing more", starred, rest)
	}
	for what, between := range map[string]func(){
		"a while later": func() { table.typing.at = table.typing.at.Add(-2 * typeAheadTime) },
		"after a key":   func() { table.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd}) },
	} {
		table.list.TypedRune('8')
		between()
		table.list.TypedRune('3')
		if got, _ := table.Selected(); got != "port 300" {
			t.Errorf("%s %q is selected; want port 300", what, got)
		}
	}
}
