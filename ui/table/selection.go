package table

import (
	"strings"

	"fyne.io/fyne/v2"
)

// Selected returns the selected row, and false if there is none or it is not shown. If a
// head is selected, it is the first row of its group.
func (t *Table[R]) Selected() (r R, ok bool) {
	if i, ok := t.index[t.selected]; ok {
		return t.rows[i], true
	}
	i, ok := t.lineOf(t.selected)
	if !ok {
		return r, false
	}
	return t.rowAt(i), true
}

// Select selects the row with key and scrolls to it. It unfolds the row's group. If there
// is no such row yet, it is selected when it appears.
func (t *Table[R]) Select(key string) {
	t.setSelected(key)
	if i, ok := t.lineOf(key); ok && !strings.HasPrefix(key, headPrefix) {
		if g := t.headAt(i); g != nil {
			t.fold(g, false)
		}
	}
	t.reveal()
}

// setSelected selects without scrolling.
func (t *Table[R]) setSelected(key string) {
	t.wantFirst, t.typing = false, typeAhead{}
	if t.selected == key {
		return
	}
	t.selected = key
	t.RefreshRows()
	if r, ok := t.Selected(); ok && t.OnSelect != nil {
		t.OnSelect(r)
	}
}

// selectFirst selects the first row, or the first that appears, if the selected row is
// not shown.
func (t *Table[R]) selectFirst() {
	t.wantFirst = len(t.rows) == 0
	if _, ok := t.Selected(); !ok && !t.wantFirst {
		t.setSelected(t.keyOf(0))
	}
}

// reveal scrolls to the selected row unless it is fully visible.
func (t *Table[R]) reveal() {
	i, ok := t.lineOf(t.selected)
	if !ok {
		return
	}
	if y := float32(i)*RowHeight - t.list.GetScrollOffset(); y < 0 || y+RowHeight > t.list.Size().Height {
		t.list.ScrollTo(i)
	}
}

// move moves the selection by n lines.
func (t *Table[R]) move(n int) {
	if len(t.rows) == 0 {
		return
	}
	i, ok := t.lineOf(t.selected)
	if !ok {
		i = -1
		if n < 0 {
			i = t.length()
		}
	}
	i = min(max(i+n, 0), t.length()-1)
	t.Select(t.keyOf(i))
}

// page returns the number of rows that are visible at once.
func (t *Table[R]) page() int { return max(int(t.list.Size().Height/RowHeight)-1, 1) }

// Focus gives the table the keyboard focus.
func (t *Table[R]) Focus() { FocusOn(t.list) }

// FocusIn is Focus for a table in c that may not have been drawn yet.
func (t *Table[R]) FocusIn(c fyne.Canvas) { c.Focus(t.list) }

// FocusOn gives o the keyboard focus if it is visible in a window. Fyne's driver knows
// only the canvas of objects that it has drawn recently. For an object that is about to
// become visible FocusOn uses the first window, whose pages appear and disappear.
func FocusOn(o fyne.Focusable) {
	x, ok := o.(fyne.CanvasObject)
	if !ok {
		return
	}
	driver := fyne.CurrentApp().Driver()
	c := driver.CanvasForObject(x)
	if all := driver.AllWindows(); c == nil && len(all) > 0 {
		c = all[0].Canvas()
	}
	if c != nil {
		c.Focus(o)
	}
}
