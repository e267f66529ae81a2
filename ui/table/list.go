package table

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// rowList is the list under the header. It takes Fyne's scrolling and reuse of
// rows, and leaves its selection and keys alone: the table's are its own.
type rowList[R Row] struct {
	widget.List
	table   *Table[R]
	focused bool
}

func newRowList[R Row](t *Table[R]) *rowList[R] {
	l := &rowList[R]{table: t}
	l.Length = func() int { return len(t.rows) }
	l.CreateItem = func() fyne.CanvasObject { return newRowWidget(t) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if w, ok := o.(*rowWidget[R]); ok && i < len(t.rows) {
			w.show(t.rows[i])
		}
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// FocusGained is Fyne's.
func (l *rowList[R]) FocusGained() {
	l.focused = true
	l.table.chooseFirst()
	l.Refresh()
}

// FocusLost is Fyne's.
func (l *rowList[R]) FocusLost() {
	l.focused, l.table.wantFirst = false, false
	l.Refresh()
}

// TypedKey moves the selection and opens.
func (l *rowList[R]) TypedKey(e *fyne.KeyEvent) {
	t := l.table
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
		t.move(-len(t.rows))
	case fyne.KeyEnd:
		t.move(len(t.rows))
	case fyne.KeyReturn, fyne.KeyEnter:
		if r, ok := t.Selected(); ok && t.OnOpen != nil {
			t.OnOpen(r)
		}
	default:
		if t.OnKey != nil {
			t.OnKey(e)
		}
	}
}

// TypedRune is Fyne's.
func (l *rowList[R]) TypedRune(r rune) {
	if l.table.OnRune != nil {
		l.table.OnRune(r)
	}
}
