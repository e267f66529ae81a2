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

// Tint implements Row. Rows with a mark have a tint.
func (r row) Tint() fyne.ThemeColorName {
	if r.Mark().Text != "" {
		return theme.ColorNameSuccess
	}
	return ""
}

// Mark implements Row. Rows that begin with "new" have a mark.
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

// The cells of a row are below their headers at every width, also after a resize.
func TestCellsAlignWithColumns(t *testing.T) {
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
				t.Errorf("width %v: got cell %d at %v, want %v", width, i, left, x+CellPadding)
			}
			x += table.widths[i]
		}
	}
}

// A row's mark is visible even if columns are hidden.
func TestMarkIsInVisibleColumn(t *testing.T) {
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
			t.Errorf("hidden %v: got %q, want %q", c.hide, got, c.want)
		}
	}
	if got := strings.Join(texts(1), " "); got != "old  " {
		t.Errorf("a row without a mark: got %q, want %q", got, "old  ")
	}
}

// The edge of the selected row has the colour of the keyboard focus, or without the focus
// the tint of the row, whose background shows the selection.
func TestSelectedRowKeepsTintAtEdge(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"new", "old"})
	want := func(what string, edges ...color.Color) {
		t.Helper()
		for i, edge := range edges {
			if got := table.widgets[i].edge.FillColor; got != edge {
				t.Errorf("%s: got edge of %q %v, want %v", what, table.rows[i], got, edge)
			}
		}
	}
	none, tint, keyboard := color.Color(color.Transparent), theme.Color(theme.ColorNameSuccess), theme.Color(theme.ColorNamePrimary)
	want("no selection", none, none)
	table.Select("new")
	want("new selected", tint, none)
	table.Focus()
	want("new focused", keyboard, none)
	w.Canvas().Unfocus()
	want("new unfocused", tint, none)
	table.Select("old")
	want("old selected", none, none)
}

// In a narrow table the columns that grow shrink first, so that the last one stays visible.
func TestGrowingColumnsShrink(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 100, 1), column("b", 60, 0), column("c", 200, 2), column("d", 60, 0)}, "a")
	table.distributeWidth(300)
	if got, want := table.widths, []float32{60, 60, 120, 60}; !slices.Equal(got, want) {
		t.Errorf("got widths %v, want %v", got, want)
	}
	table.distributeWidth(50)
	if got, want := table.widths, []float32{narrowest, 60, narrowest, 60}; !slices.Equal(got, want) {
		t.Errorf("got widths %v, want %v", got, want)
	}
}

// A row that appears above the pointer moves the rows above the pointer up, even if the
// list is too short to scroll. When the pointer leaves, all rows are visible again.
func TestRowsStayUnderPointerInShortList(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"c", "d"})
	table.widgets[1].MouseIn(nil)
	for _, rows := range [][]row{{"b", "c", "d"}, {"a", "b", "c", "d", "e"}, {"b", "c", "d", "e"}} {
		table.SetRows(rows)
		if got := table.rowOffset("d"); got != RowHeight {
			t.Errorf("%v: got d at %v, want it at the pointer, %v", rows, got, RowHeight)
		}
	}
	table.widgets[table.index["d"]].MouseOut()
	table.RefreshRows()
	if got := table.list.GetScrollOffset(); got != 0 || table.spareRows != 0 {
		t.Errorf("after the pointer left: got offset %v and %d empty rows, want 0", got, table.spareRows)
	}
}

// If a row disappears at the upper end of the list, the rows below it must move. A click
// at that moment is meant for the row that was under the pointer before.
func TestClickIsForPreviousRow(t *testing.T) {
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
		t.Fatalf("got b at %v, want it to move to 0", got)
	}
	click := func(x float32) *fyne.PointEvent { // at different positions, or it would be a double click
		return &fyne.PointEvent{AbsolutePosition: fyne.NewPos(x, 0)}
	}
	table.widgets[1].Tapped(click(0))
	if r, _ := table.Selected(); r != "b" {
		t.Errorf("got selection %q, want b", r)
	}
	table.widgets[1].TappedSecondary(click(0))
	if r, _ := table.Selected(); menu != "b" || r != "b" {
		t.Errorf("got the menu of %q and selection %q, want b", menu, r)
	}
	table.SetRows([]row{"c", "d"})
	menu = ""
	table.widgets[1].TappedSecondary(click(0))
	if menu != "" {
		t.Errorf("got the menu of %q, want none, because the row is gone", menu)
	}
	table.clickTarget.moved = table.clickTarget.moved.Add(-reactionTime)
	table.widgets[1].Tapped(click(50))
	if r, _ := table.Selected(); r != "d" {
		t.Errorf("after reactionTime: got selection %q, want d", r)
	}
	table.widgets[0].MouseIn(nil)
	table.SetRows([]row{"d"})
	table.widgets[0].MouseMoved(nil)
	table.widgets[0].Tapped(click(100))
	if r, _ := table.Selected(); r != "d" {
		t.Errorf("after the pointer moved: got selection %q, want d", r)
	}
}

// A bar that appears above the table moves all rows. A click at that moment is meant for the
// row that was under the pointer before.
func TestClickWhileABarAppears(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 400))
	table.SetRows([]row{"a", "b", "c", "d"})
	table.widgets[2].MouseIn(nil)
	table.Move(fyne.NewPos(0, RowHeight))
	table.Resize(fyne.NewSize(200, table.Size().Height-RowHeight))
	table.widgets[1].Tapped(&fyne.PointEvent{})
	if r, _ := table.Selected(); r != "c" {
		t.Errorf("got selection %q, want c", r)
	}
}

// If rows moved under a resting pointer, the row under it is highlighted once it moves.
func TestHoverFollowsMovingPointer(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	w := test.NewTempWindow(t, table)
	w.Resize(fyne.NewSize(200, 10*RowHeight))
	table.SetRows([]row{"a", "b", "c"})
	want := func(what string, row int) {
		t.Helper()
		for i, w := range table.widgets {
			if got := w.ground.FillColor == theme.Color(theme.ColorNameHover); got != (i == row) {
				t.Errorf("%s: row %d highlighted: got %v, want %v", what, i, got, i == row)
			}
		}
	}
	table.widgets[1].MouseIn(nil)
	want("on b", 1)
	table.SetRows([]row{"b", "c", "d"})
	want("b moved up", 0)
	table.widgets[1].MouseMoved(nil)
	want("on c", 1)
	table.widgets[1].MouseOut()
	want("outside", -1)
}

// Without the pointer, the selected row stays in place, or if that is not visible, the
// first visible row.
func TestSelectedOrFirstVisibleRowStaysInPlace(t *testing.T) {
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
			t.Errorf("with %q selected: got %s at %v, want %v", selected, stays, got, before)
		}
	}
}

// Fyne delays clicks on a widget that implements DoubleTappable by 300 ms, which would
// delay selecting and sorting.
func TestClicksAreNotDelayed(t *testing.T) {
	table := newSizedTable(t, 200, column("a", 60, 1))
	for _, o := range []fyne.Tappable{table.widgets[0], table.header} {
		if _, waits := o.(fyne.DoubleTappable); waits {
			t.Errorf("%T implements DoubleTappable", o)
		}
	}
}

func TestFit(t *testing.T) {
	test.NewTempApp(t)
	const text = "a rather long name of a process"
	whole := fyne.MeasureText(text, 13, fyne.TextStyle{}).Width
	if got := Fit(text, whole, 13, fyne.TextStyle{}); got != text {
		t.Errorf("full width: got %q, want %q", got, text)
	}
	got := Fit(text, whole/2, 13, fyne.TextStyle{})
	if !strings.HasSuffix(got, "…") || fyne.MeasureText(got, 13, fyne.TextStyle{}).Width > whole/2 || len(got) < 8 {
		t.Errorf("half the width: got %q, want a shorter text with an ellipsis", got)
	}
	if got := Fit("one two … …", whole/3, 13, fyne.TextStyle{}); strings.Count(got, "…") > 1 {
		t.Errorf("a text that was cut before: got %q, want one ellipsis", got)
	}
	if got := Fit(text, 1, 13, fyne.TextStyle{}); got != "" {
		t.Errorf("no width: got %q, want nothing", got)
	}
}

// After Down in the filter while the table is empty, the first row that appears is
// selected, unless another row was selected before.
func TestFocusBeforeRowsAppear(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 60, 1)}, "a")
	table.list.FocusGained()
	table.SetRows([]row{"c", "b"})
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("got selection %v, %v, want the first row, b", r, ok)
	}
	table.SetRows([]row{"a"})
	if r, ok := table.Selected(); ok {
		t.Errorf("got selection %v, want none while the row is gone", r)
	}
	chosen := New([]Column[row]{column("a", 60, 1)}, "a")
	chosen.Select("c")
	chosen.list.FocusGained()
	chosen.SetRows([]row{"c", "b"})
	if r, ok := chosen.Selected(); !ok || r != "c" {
		t.Errorf("got selection %v, %v, want c, which was selected before it appeared", r, ok)
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
		t.Fatalf("got a page of %d rows, want 5 to 9", page)
	}
	for _, step := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyDown, 0}, {fyne.KeyDown, 1}, {fyne.KeyPageDown, 1 + page}, {fyne.KeyPageDown, 1 + 2*page}, {fyne.KeyPageUp, 1 + page},
		{fyne.KeyUp, page}, {fyne.KeyEnd, 99}, {fyne.KeyPageDown, 99}, {fyne.KeyHome, 0}, {fyne.KeyPageUp, 0}} {
		table.list.TypedKey(&fyne.KeyEvent{Name: step.key})
		r, _ := table.Selected()
		if want := rows[step.want]; r != want {
			t.Errorf("%s: got selection %q, want %q", step.key, r, want)
		}
		if y := table.rowOffset(string(r)); y < 0 || y+RowHeight > table.list.Size().Height {
			t.Errorf("%s: the selected row is at %v, not visible", step.key, y)
		}
	}
	var opened row
	table.OnOpen = func(r row) { opened = r }
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter} { // KeyEnter is on the keypad
		opened = ""
		table.list.TypedKey(&fyne.KeyEvent{Name: key})
		if opened != rows[0] {
			t.Errorf("%s: opened %q, want %q", key, opened, rows[0])
		}
	}
	wantVisible := func(what string) {
		t.Helper()
		if y := table.rowOffset("00"); y < 0 || y+RowHeight > table.list.Size().Height {
			t.Errorf("%s: the selected row is at %v, not visible", what, y)
		}
	}
	table.Sort("a", true)
	wantVisible("after reversing the order")
	table.Sort("a", false)
	for _, key := range []fyne.KeyName{desktop.KeyMenu, fyne.KeyF10} {
		var at fyne.Position
		table.OnMenu = func(_ row, p fyne.Position) { at = p }
		table.list.ScrollToOffset(50 * RowHeight)
		table.list.TypedKey(&fyne.KeyEvent{Name: key})
		wantVisible(string(key))
		if want := fyne.CurrentApp().Driver().AbsolutePositionForObject(table.list).Y + RowHeight; at.Y != want {
			t.Errorf("%s: got the menu at %v, want it below its row, at %v", key, at.Y, want)
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
		t.Errorf("got rows %v, want c, b, a", got)
	}
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("got selection %v, %v, want b", r, ok)
	}
	table.SetRows([]row{"a"})
	if _, ok := table.Selected(); ok {
		t.Error("a row that disappeared is selected")
	}
	table.SetRows([]row{"b", "a"})
	if r, ok := table.Selected(); !ok || r != "b" {
		t.Errorf("after the row reappeared: got selection %v, %v, want b", r, ok)
	}
}

// singleColorTheme returns black for every colour name.
type singleColorTheme struct{ fyne.Theme }

func (singleColorTheme) Color(fyne.ThemeColorName, fyne.ThemeVariant) color.Color { return color.Black }

// newSizedTable returns a table with five rows in a window of a width.
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

// headerClick returns a click on the header at x.
func headerClick(x float32) *fyne.PointEvent {
	return &fyne.PointEvent{Position: fyne.NewPos(x, 10), AbsolutePosition: fyne.NewPos(x, 10)}
}

func TestHeaderClicksCycleSorting(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0), column("b", 100, 0), column("c", 100, 0))
	for i, want := range []struct {
		x      float32
		column string
		down   bool
	}{{150, "b", false}, {150, "b", true}, {150, "a", false}, {50, "a", true}, {50, "a", false}, {250, "c", false}, {150, "b", false}} {
		table.header.Tapped(headerClick(want.x))
		if column, down := table.Sorting(); column != want.column || down != want.down {
			t.Errorf("click %d: got order by %s, down %v, want %s, %v", i, column, down, want.column, want.down)
		}
	}
}

func TestDraggedEdgeFollowsPointer(t *testing.T) {
	table := newSizedTable(t, 400, column("a", 100, 1), column("b", 100, 0), column("c", 100, 3))
	want := func(what string, widths ...float32) {
		t.Helper()
		if !slices.Equal(table.widths, widths) {
			t.Errorf("%s: got widths %v, want %v", what, table.widths, widths)
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
	want("below the minimum and half way back", 125, 80, 195)
	drag(205, 1000)
	want("other columns shrink to their minimum", 125, 235, 40)
	drag(60, 30)
	want("drag beside an edge", 125, 235, 40)
	table.SetColumns(Columns{})
	want("reset", 125, 100, 175)
	table.distributeWidth(3000)
	drag(table.widths[0]+table.widths[1], 2000)
	want("at the maximum width", 775, widest, 1225)
}

func TestDoubleClickOnEdgeFitsColumn(t *testing.T) {
	table := newSizedTable(t, 800, column("a", 100, 0), column("b", 100, 0), column("c", 100, 1))
	table.SetRows([]row{"a", "quite a long text that a hundred do not hold"})
	for range 2 {
		table.header.Tapped(headerClick(100))
	}
	whole := fyne.MeasureText("quite a long text that a hundred do not hold", 14, fyne.TextStyle{}).Width
	if got := table.widths[0]; got < whole || got > whole+3*CellPadding {
		t.Errorf("got width %v, want slightly more than %v", got, whole)
	}
	if column, _ := table.Sorting(); column != "a" {
		t.Errorf("a click on the edge sorted by %s, want no change", column)
	}
	table.columns[1].Label = "a header that is longer than its cells"
	table.SetRows([]row{"b"})
	table.Sort("b", false) // the sort mark needs space, too
	table.fit(1)
	if got := table.header.labels[1].Text; got != table.columns[1].Label {
		t.Errorf("fitted to short cells: got header %q, want the full label", got)
	}
}

func TestLastColumnCannotBeHidden(t *testing.T) {
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
		t.Errorf("got widths %v, want only the second column", got)
	}
	if i := item("b"); !i.Disabled || !i.Checked {
		t.Errorf("got the last column's menu item %+v, want it disabled and checked", i)
	}
	table.hide(1, true)
	if table.hidden[1] {
		t.Error("the last column was hidden")
	}
	for _, w := range table.widgets {
		if w.cells[0].text.Text != "" || w.cells[1].text.Text == "" {
			t.Errorf("got cells %q, %q, want text only in the second", w.cells[0].text.Text, w.cells[1].text.Text)
		}
	}
	item("Reset columns").Action()
	if got := table.shownColumns(); got != 3 {
		t.Errorf("after a reset: got %d columns, want 3", got)
	}
}

func TestSetColumnsRestoresValidState(t *testing.T) {
	columns := []Column[row]{column("a", 100, 0), column("b", 100, 0), column("c", 100, 1)}
	table := newSizedTable(t, 600, columns...)
	table.resize(1, 150)
	table.hide(0, true)
	next := newSizedTable(t, 600, columns...)
	next.SetColumns(table.Columns())
	if !slices.Equal(next.widths, []float32{0, 150, 450}) {
		t.Errorf("got widths %v, want 0, 150, 450", next.widths)
	}
	next.SetColumns(Columns{Widths: map[string]float32{"a": -5, "b": 1e9, "c": 3, "x": 50}, Hidden: []string{"a", "b", "c", "nonsense"}})
	if !slices.Equal(next.widths, []float32{100, 100, 400}) {
		t.Errorf("invalid state: got widths %v, want the declared ones", next.widths)
	}
}

func TestExtraColumnIsHiddenByDefault(t *testing.T) {
	extra := column("b", 100, 0)
	extra.Extra = true
	columns := []Column[row]{column("a", 100, 0), extra, column("c", 100, 1)}
	table := newSizedTable(t, 600, columns...)
	want := func(when string, table *Table[row], widths ...float32) {
		t.Helper()
		if !slices.Equal(table.widths, widths) {
			t.Errorf("%s: got widths %v, want %v", when, table.widths, widths)
		}
	}
	want("at first", table, 100, 0, 500)
	table.SetColumns(Columns{Hidden: []string{"c"}}) // state of an older version
	want("after an older version", table, 100, 0, 0)
	table.SetColumns(Columns{})
	table.hide(1, false)
	next := newSizedTable(t, 600, columns...)
	next.SetColumns(table.Columns())
	want("remembered", next, 100, 100, 400)
	next.SetColumns(Columns{Hidden: []string{"a", "b", "c"}})
	want("after an invalid state", next, 100, 0, 500)
	next.hide(1, false)
	next.header.FocusGained()
	next.header.step(1)
	next.Sort("b", true)
	next.SetColumns(Columns{}) // Reset columns
	if column, down := next.Sorting(); column != "a" || down || next.header.current != 0 {
		t.Errorf("after a reset hid the sorted column: got order by %s, down %v, focused column %d, want a, false, 0", column, down, next.header.current)
	}
	next.Sort("b", false) // state of an older version
	if column, _ := next.Sorting(); column != "a" {
		t.Errorf("got order by the hidden column %s, want a", column)
	}
	next.hide(0, true)
	next.hide(2, true)
	if next.hidden[2] {
		t.Error("the last visible column was hidden while an extra one is hidden")
	}
}

func TestHeaderKeys(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0), column("b", 100, 0), column("c", 100, 1))
	h, over := table.header, fyne.CurrentApp().Driver().CanvasForObject(table)
	key := func(name fyne.KeyName) { h.TypedKey(&fyne.KeyEvent{Name: name}) }
	h.FocusGained()
	key(fyne.KeyRight)
	key(fyne.KeyReturn)
	h.TypedRune('-')
	if column, _ := table.Sorting(); column != "b" || table.widths[1] != 100-keyResizeStep {
		t.Errorf("got order by %s, width %v, want b and a narrower column", column, table.widths[1])
	}
	h.TypedRune('+')
	if table.widths[1] != 100 {
		t.Errorf("after − and +: got width %v, want 100", table.widths[1])
	}
	key(fyne.KeyLeft)
	key(fyne.KeySpace)
	if column, _ := table.Sorting(); column != "a" {
		t.Errorf("after Left: got order by %s, want a", column)
	}
	key(fyne.KeyRight)
	table.hide(2, true)
	key(fyne.KeyRight)
	if h.current != 1 {
		t.Errorf("got focused column %d, want the last visible one, 1", h.current)
	}
	for _, name := range []fyne.KeyName{fyne.KeyF10, desktop.KeyMenu} {
		key(name)
		menu := over.Overlays().Top()
		if menu == nil {
			t.Fatalf("%s did not open a menu", name)
		}
		over.Overlays().Remove(menu)
	}
	table.hide(2, false)
	table.hide(1, true)
	h.FocusLost()
	h.FocusGained()
	if h.current != 0 {
		t.Errorf("got focused column %d, want the first visible one, 0", h.current)
	}
	over.Focus(h)
	if key(fyne.KeyDown); over.Focused() != fyne.Focusable(table.list) {
		t.Errorf("after Down: got focus on %T, want the list", over.Focused())
	}
}

// Widgets of rows that are no longer visible are not kept: the list creates new ones as
// needed.
func TestOnlyVisibleWidgetsAreKept(t *testing.T) {
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
			t.Fatalf("at row %d: got %d widgets, want the 9 or 10 visible ones", i, got)
		}
		if w := table.widgets[i]; i < 1980 && (w == nil || w.cells[0].text.Text != string(rows[i])) {
			t.Fatalf("row %d is not visible", i)
		}
	}
}

func TestGroupedRowsAreAdjacent(t *testing.T) {
	table := newSizedTable(t, 300, column("a", 100, 0))
	table.SetRows([]row{"b1", "a2", "c2", "a1", "c1"})
	table.SetGroup(func(r row) string {
		if r[0] == 'b' {
			return ""
		}
		return string(r[1])
	})
	if got, want := table.Rows(), []row{"a1", "c1", "a2", "c2", "b1"}; !slices.Equal(got, want) {
		t.Errorf("grouped: got %v, want %v", got, want)
	}
	if got, want := lines(table), []string{"[1]", "a1", "c1", "[2]", "a2", "c2", "b1"}; !slices.Equal(got, want) {
		t.Errorf("got lines %q, want %q", got, want)
	}
	table.SetGroup(nil)
	if got, want := table.Rows(), []row{"a1", "a2", "b1", "c1", "c2"}; !slices.Equal(got, want) {
		t.Errorf("not grouped: got %v, want %v", got, want)
	}
}

// Typing selects the row that begins with the text, an exact match first. Text that
// matches no row is passed on completely.
func TestTypeAhead(t *testing.T) {
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
			t.Errorf("%q: got selection %q and %q passed on, want %q and %q", c.typed, got, rest, c.selected, c.rest)
		}
	}
	spaces := 0
	table.OnSpace = func(row) { spaces++ }
	space := func() {
		table.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
		table.list.TypedRune(' ')
	}
	rest = ""
	table.list.TypedRune('8')
	if space(); spaces != 0 || rest != "8 " {
		t.Errorf("Space after a digit: got OnSpace %d times, %q passed on, want 0 times and the typed text", spaces, rest)
	}
	if space(); spaces != 1 || rest != "8 " {
		t.Errorf("Space alone: got OnSpace %d times, %q passed on, want once and nothing more", spaces, rest)
	}
	for what, between := range map[string]func(){
		"a while later": func() { table.typing.at = table.typing.at.Add(-2 * typeAheadTime) },
		"after a key":   func() { table.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd}) },
	} {
		table.list.TypedRune('8')
		between()
		table.list.TypedRune('3')
		if got, _ := table.Selected(); got != "port 300" {
			t.Errorf("%s: got selection %q, want port 300", what, got)
		}
	}
}
