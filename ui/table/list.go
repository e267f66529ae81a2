package table

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/tooltip"
)

// rowList is the list below the header. It uses the scrolling and row reuse of Fyne's
// list, but not its selection and keys: the table has its own.
type rowList[R Row] struct {
	widget.List
	table   *Table[R]
	focused bool
	offset  float32 // of the rows when one was shown last
}

func newRowList[R Row](t *Table[R]) *rowList[R] {
	l := &rowList[R]{table: t}
	l.Length = func() int { return t.length() + t.spareRows }
	l.CreateItem = func() fyne.CanvasObject { return newRowWidget(t) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		w, ok := o.(*rowWidget[R])
		switch {
		case ok && i < t.length():
			w.Show()
			t.setWidget(i, w)
			w.show(i)
			l.hideTooltip()
		case ok:
			w.Hide()
		}
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// hideTooltip hides the tooltip if the list was scrolled: it belongs to a row that is elsewhere
// now.
func (l *rowList[R]) hideTooltip() {
	if offset := l.GetScrollOffset(); offset != l.offset {
		l.offset = offset
		tooltip.Hide()
	}
}

// FocusGained implements fyne.Focusable.
func (l *rowList[R]) FocusGained() {
	l.focused = true
	l.table.selectFirst()
	l.table.RefreshRows()
}

// FocusLost implements fyne.Focusable.
func (l *rowList[R]) FocusLost() {
	l.focused, l.table.wantFirst = false, false
	l.table.RefreshRows()
}

// TypedKey moves the selection, opens rows and menus.
func (l *rowList[R]) TypedKey(e *fyne.KeyEvent) {
	t := l.table
	tooltip.Hide()
	switch e.Name {
	case fyne.KeyUp:
		t.move(-1)
	case fyne.KeyDown:
		t.move(1)
	case fyne.KeyPageUp:
		t.move(-t.page())
	case fyne.KeyPageDown:
		t.move(t.page())
	case fyne.KeyHome:
		t.move(-t.length())
	case fyne.KeyEnd:
		t.move(t.length())
	case fyne.KeyReturn, fyne.KeyEnter:
		if r, ok := t.Selected(); ok && t.OnOpen != nil {
			t.OnOpen(r)
		}
	case fyne.KeyLeft:
		t.foldSelected(true)
	case fyne.KeyRight:
		t.foldSelected(false)
	case fyne.KeySpace:
		if i, ok := t.lineOf(t.selected); ok && t.headAt(i) != nil {
			t.ToggleFold()
		} else if r, ok := t.Selected(); ok && t.OnSpace != nil && !t.typing.active(time.Now()) {
			t.OnSpace(r)
		}
	case desktop.KeyMenu, fyne.KeyF10: // Fyne reports F10 with and without Shift alike
		l.openMenu()
	default:
		if t.OnKey != nil {
			t.OnKey(e)
		}
	}
}

// openMenu opens the menu of the selected row, below it.
func (l *rowList[R]) openMenu() {
	t := l.table
	r, ok := t.Selected()
	if !ok || t.OnMenu == nil {
		return
	}
	t.reveal()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(l)
	line, _ := t.lineOf(t.selected)
	y := float32(line+1)*RowHeight - l.GetScrollOffset()
	t.OnMenu(r, at.Add(fyne.NewPos(4*CellPadding, y)))
}

// TypedRune implements fyne.Focusable.
func (l *rowList[R]) TypedRune(r rune) { l.table.typed(r, time.Now()) }
