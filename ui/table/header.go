package table

import (
	"cmp"
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/tooltip"
)

// The symbols of the column that the rows are sorted by, and of the direction.
const (
	markUp   = "▲"
	markDown = "▼"
	markGap  = 4 // space before the symbol
)

// edgeTolerance is the distance from a column's edge within which the pointer drags it.
const edgeTolerance = 5

// header shows the columns' labels. A click sorts, an edge can be dragged, and a right
// click opens the menu of columns. With the keyboard, the arrows select a column, Enter
// and Space sort by it, and + and - change its width.
type header[R Row] struct {
	widget.BaseWidget
	table        *Table[R]
	ground, line *canvas.Rectangle
	edge         *canvas.Rectangle // the edge that can be dragged at the pointer
	ring         *canvas.Rectangle // around the column with the keyboard focus
	labels       []*canvas.Text
	mark         *canvas.Text // of the column that the rows are sorted by

	over     int // the column at whose right edge the pointer is; -1
	dragging bool
	held     int     // the column whose edge is dragged; -1 if the drag began elsewhere
	width    float32 // its width without the limits
	clicks   clicks
	current  int // the column with the keyboard focus
	focused  bool
}

func newHeader[R Row](t *Table[R]) *header[R] {
	h := &header[R]{table: t, over: -1, held: -1}
	for _, r := range []**canvas.Rectangle{&h.ground, &h.line, &h.edge, &h.ring} {
		*r = canvas.NewRectangle(color.Transparent)
	}
	h.ring.StrokeWidth, h.ring.CornerRadius = 2, 4
	h.mark = canvas.NewText("", color.Transparent)
	h.mark.TextStyle.Monospace = true // the other fonts lack the symbol
	for range t.columns {
		h.labels = append(h.labels, canvas.NewText("", color.Transparent))
	}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer implements fyne.Widget.
func (h *header[R]) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{h.ground, h.line, h.edge}
	for _, l := range h.labels {
		objects = append(objects, l)
	}
	return &headerRenderer[R]{h, append(objects, h.mark, h.ring)}
}

type headerRenderer[R Row] struct {
	h       *header[R]
	objects []fyne.CanvasObject
}

func (r *headerRenderer[R]) Destroy()                     {}
func (r *headerRenderer[R]) Objects() []fyne.CanvasObject { return r.objects }
func (r *headerRenderer[R]) MinSize() fyne.Size           { return fyne.NewSize(0, RowHeight) }
func (r *headerRenderer[R]) Refresh()                     { r.Layout(r.h.Size()) }

// headerFace returns the font style of a label; sorts is true for the column that the
// rows are sorted by.
func headerFace(sorts bool) (size float32, style fyne.TextStyle) {
	return theme.Size(theme.SizeNameCaptionText) + 1, fyne.TextStyle{Bold: sorts}
}

// Layout places the labels over their columns and the symbol at the sorted one.
func (r *headerRenderer[R]) Layout(s fyne.Size) {
	h := r.h
	h.ground.FillColor = theme.Color(ColorHeader)
	h.ground.Resize(s)
	h.line.FillColor = theme.Color(ColorLine)
	h.line.Move(fyne.NewPos(0, s.Height-1))
	h.line.Resize(fyne.NewSize(s.Width, 1))
	h.edge.FillColor = theme.Color(theme.ColorNamePrimary)
	h.edge.Hidden = h.over < 0
	h.ring.StrokeColor = theme.Color(theme.ColorNamePrimary)
	h.ring.Hidden = !h.focused
	h.mark.Hidden = h.table.sortBy < 0 || h.table.hidden[h.table.sortBy]
	x := float32(0)
	for i := range h.table.columns {
		h.layoutLabel(i, x, s.Height)
		x += h.table.widths[i]
	}
	canvas.Refresh(h)
}

// layoutLabel places the label of a column that begins at x.
func (h *header[R]) layoutLabel(i int, x, height float32) {
	t := h.table
	c, text, width := t.columns[i], h.labels[i], t.widths[i]
	mark := float32(0)
	if i == t.sortBy {
		mark = h.paintSortMark()
	}
	text.TextSize, text.TextStyle = headerFace(i == t.sortBy)
	text.Color = theme.Color(ColorMuted)
	text.Text = Fit(c.Label, width-CellPadding-mark, text.TextSize, text.TextStyle)
	size := fyne.MeasureText(text.Text, text.TextSize, text.TextStyle)
	left := x + CellPadding
	if c.Right {
		left = x + width - CellPadding - mark - size.Width
	}
	text.Move(fyne.NewPos(left, (height-size.Height)/2))
	text.Resize(size)
	if i == t.sortBy {
		if text.Text == "" {
			left -= markGap // a column without a label
		}
		h.mark.Move(fyne.NewPos(left+size.Width+markGap, (height-h.mark.MinSize().Height)/2))
	}
	if i == h.over {
		h.edge.Move(fyne.NewPos(x+width-1, 4))
		h.edge.Resize(fyne.NewSize(2, height-8))
	}
	if i == h.current {
		h.ring.Move(fyne.NewPos(x+1, 2))
		h.ring.Resize(fyne.NewSize(max(width-2, 0), height-4))
	}
}

// paintSortMark sets the symbol's shape and returns its width.
func (h *header[R]) paintSortMark() float32 {
	h.mark.Text = map[bool]string{false: markUp, true: markDown}[h.table.down]
	h.mark.TextSize, _ = headerFace(true)
	h.mark.Color = theme.Color(ColorMuted)
	h.mark.Resize(h.mark.MinSize())
	return markGap + h.mark.MinSize().Width
}

// edgeAt returns the column whose right edge is at x, -1 if there is none.
func (h *header[R]) edgeAt(x float32) int {
	for i, width := range h.table.widths {
		if x -= width; width > 0 && abs(x) <= edgeTolerance {
			return i
		}
	}
	return -1
}

// Tapped sorts by the column under the pointer. A double click on an edge fits the
// column to its cells.
func (h *header[R]) Tapped(e *fyne.PointEvent) {
	tooltip.Hide()
	t := h.table
	if i := h.edgeAt(e.Position.X); i >= 0 {
		if _, double := h.clicks.double(t.columns[i].ID, e.AbsolutePosition, time.Now(), fyne.CurrentApp().Driver().DoubleTapDelay()); double {
			t.fit(i)
		}
		return
	}
	if i := t.columnAt(e.Position.X); i >= 0 {
		t.cycleSorting(i)
	}
	t.Focus() // the click took the keyboard focus
}

// TappedSecondary opens the menu of columns.
func (h *header[R]) TappedSecondary(e *fyne.PointEvent) { h.table.showMenu(e.AbsolutePosition) }

// Dragged moves the edge that was under the pointer when it began.
func (h *header[R]) Dragged(e *fyne.DragEvent) {
	if !h.dragging {
		h.dragging, h.held = true, h.over
		if h.held < 0 {
			h.held = h.edgeAt(e.Position.X)
		}
		if h.held >= 0 {
			h.width = h.table.widths[h.held]
		}
	}
	if h.held >= 0 {
		h.width += e.Dragged.DX
		h.table.resize(h.held, h.width)
	}
}

// DragEnd implements fyne.Draggable.
func (h *header[R]) DragEnd() { h.dragging, h.held = false, -1 }

// Cursor implements desktop.Cursorable.
func (h *header[R]) Cursor() desktop.Cursor {
	if h.over >= 0 {
		return desktop.HResizeCursor
	}
	return desktop.PointerCursor
}

// MouseIn implements desktop.Hoverable.
func (h *header[R]) MouseIn(e *desktop.MouseEvent) { h.MouseMoved(e) }

// MouseMoved shows the edge that can be dragged.
func (h *header[R]) MouseMoved(e *desktop.MouseEvent) {
	h.hover(h.edgeAt(e.Position.X))
	tooltip.Point(h, h.tip(h.table.columnAt(e.Position.X)), e.AbsolutePosition)
}

// tip returns the tooltip of a column: its name and description.
func (h *header[R]) tip(i int) string {
	if i < 0 || h.dragging {
		return ""
	}
	c := h.table.columns[i]
	name := cmp.Or(c.Label, c.Name)
	if c.About == "" {
		return name
	}
	return name + ": " + c.About
}

// MouseOut implements desktop.Hoverable.
func (h *header[R]) MouseOut() {
	h.hover(-1)
	tooltip.Leave(h)
}

func (h *header[R]) hover(over int) {
	if h.over != over && !h.dragging {
		h.over = over
		h.Refresh()
	}
}

// FocusGained implements fyne.Focusable.
func (h *header[R]) FocusGained() {
	h.focused = true
	h.moveFromHidden()
	h.Refresh()
}

// moveFromHidden moves the focus from a hidden column to the first visible one.
func (h *header[R]) moveFromHidden() {
	if h.table.hidden[h.current] {
		h.current = slices.Index(h.table.hidden, false)
	}
}

// FocusLost implements fyne.Focusable.
func (h *header[R]) FocusLost() {
	h.focused = false
	h.Refresh()
}

// step moves the focus to the next visible column in a direction, if there is one.
func (h *header[R]) step(n int) {
	t := h.table
	for i := h.current + n; i >= 0 && i < len(t.columns); i += n {
		if !t.hidden[i] {
			h.current = i
			break
		}
	}
	h.Refresh()
}

// keyResizeStep is the step of + and -.
const keyResizeStep = 16

// TypedKey implements fyne.Focusable.
func (h *header[R]) TypedKey(e *fyne.KeyEvent) {
	t := h.table
	switch e.Name {
	case fyne.KeyLeft:
		h.step(-1)
	case fyne.KeyRight:
		h.step(1)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.cycleSorting(h.current)
	case fyne.KeyDown:
		t.Focus()
	case desktop.KeyMenu, fyne.KeyF10: // Fyne reports F10 with and without Shift alike
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(h)
		t.showMenu(at.Add(fyne.NewPos(h.ring.Position().X, RowHeight)))
	default:
		if t.OnKey != nil {
			t.OnKey(e)
		}
	}
}

// TypedRune implements fyne.Focusable.
func (h *header[R]) TypedRune(r rune) {
	t := h.table
	switch r {
	case '+':
		t.resize(h.current, t.widths[h.current]+keyResizeStep)
	case '-':
		t.resize(h.current, t.widths[h.current]-keyResizeStep)
	case ' ':
	default:
		if t.OnRune != nil {
			t.OnRune(r)
		}
	}
}

var (
	_ fyne.Tappable          = (*header[Row])(nil)
	_ fyne.SecondaryTappable = (*header[Row])(nil)
	_ fyne.Draggable         = (*header[Row])(nil)
	_ fyne.Focusable         = (*header[Row])(nil)
	_ desktop.Cursorable     = (*header[Row])(nil)
	_ desktop.Hoverable      = (*header[Row])(nil)
)
