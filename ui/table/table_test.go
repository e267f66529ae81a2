package table

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

type row string

func (r row) Key() string               { return string(r) }
func (r row) Tint() fyne.ThemeColorName { return "" }

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
	w.show("x")
	for _, width := range []float32{200, 900, 600, 300, 900, 180} {
		table.share(width)
		w.Resize(fyne.NewSize(width, RowHeight))
		w.paint()
		x := float32(0)
		for i, v := range w.cells {
			if left := v.text.Position().X; left != x+cellPadding {
				t.Errorf("at %v: cell %d begins at %v; want %v", width, i, left, x+cellPadding)
			}
			x += table.widths[i]
		}
	}
}

// In a narrow table the columns that grow give way, and the last is still seen.
func TestColumnsGiveWay(t *testing.T) {
	test.NewTempApp(t)
	table := New([]Column[row]{column("a", 100, 1), column("b", 60, 0), column("c", 200, 2), column("d", 60, 0)}, "a")
	table.share(300)
	if got, want := table.widths, []float32{60, 60, 120, 60}; !slices.Equal(got, want) {
		t.Errorf("widths %v; want %v", got, want)
	}
	table.share(50)
	if got, want := table.widths, []float32{narrowest, 60, narrowest, 60}; !slices.Equal(got, want) {
		t.Errorf("widths %v; want %v", got, want)
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
