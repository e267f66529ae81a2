package table

import (
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/tooltip"
)

// Colours that a theme must define in addition to Fyne's.
const (
	ColorMuted    fyne.ThemeColorName = "muted"
	ColorLine     fyne.ThemeColorName = "line"
	ColorSelected fyne.ThemeColorName = "selected"
	ColorHeader   fyne.ThemeColorName = "headerGround"
)

// CellPadding is the space left and right of a cell's text.
const CellPadding = 8

// clicks detects double clicks. A widget that implements fyne.DoubleTappable would get
// its single clicks 300 ms late.
type clicks struct {
	key string
	at  time.Time
	pos fyne.Position
}

// double reports whether this click is the second of a double click. Position and time
// decide. The row is that of the first click, since rows may have moved meanwhile.
func (c *clicks) double(key string, pos fyne.Position, now time.Time, delay time.Duration) (first string, ok bool) {
	near := abs(pos.X-c.pos.X) < 6 && abs(pos.Y-c.pos.Y) < 6
	if c.key != "" && near && now.Sub(c.at) <= delay {
		first, c.key = c.key, ""
		return first, true
	}
	c.key, c.at, c.pos = key, now, pos
	return "", false
}

func abs(x float32) float32 { return max(x, -x) }

// rowWidget shows one row. The list reuses a few of them for all rows.
type rowWidget[R Row] struct {
	widget.BaseWidget
	table *Table[R]
	index int    // the line
	key   string // of the line
	row   R      // for a head, the first row of its group
	head  *group // nil if the line is a row
	shown bool

	ground, line, edge *canvas.Rectangle
	group              *canvas.Rectangle // beside the rows of a group with several rows
	fold, title, note  headText          // of a head
	cells              []*cellView
}

// cellView is a cell on the screen.
type cellView struct {
	cell   Cell
	text   *canvas.Text
	strike *canvas.Line
	badge  *canvas.Rectangle
	x      float32
	width  float32
}

func newRowWidget[R Row](t *Table[R]) *rowWidget[R] {
	w := &rowWidget[R]{
		table:  t,
		ground: canvas.NewRectangle(color.Transparent), line: canvas.NewRectangle(color.Transparent),
		edge: canvas.NewRectangle(color.Transparent), group: canvas.NewRectangle(color.Transparent),
	}
	w.newHead()
	for _, c := range t.columns {
		v := &cellView{text: canvas.NewText("", color.Transparent), strike: canvas.NewLine(color.Transparent), badge: canvas.NewRectangle(color.Transparent)}
		v.text.TextStyle.Monospace = c.Mono
		v.strike.Hide()
		v.badge.Hide()
		v.badge.StrokeWidth = 1
		v.badge.CornerRadius = 10
		w.cells = append(w.cells, v)
	}
	w.ExtendBaseWidget(w)
	return w
}

// CreateRenderer implements fyne.Widget.
func (w *rowWidget[R]) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{w.ground, w.line, w.group, w.edge}
	for _, v := range w.cells {
		objects = append(objects, v.badge, v.text, v.strike)
	}
	objects = append(objects, w.fold.Text, w.title.Text, w.note.Text)
	return &rowRenderer[R]{w, objects}
}

// SetDeviceIsMobile does nothing. Fyne 2.8.1 applies no theme override to objects that
// have this method. An override would load all fonts again, and the row uses the
// program's own theme anyway.
func (w *rowWidget[R]) SetDeviceIsMobile(bool) {}

// MinSize implements fyne.CanvasObject. The list asks a new widget for it at each
// refresh, so it does not create the renderer.
func (w *rowWidget[R]) MinSize() fyne.Size { return fyne.NewSize(0, RowHeight) }

type rowRenderer[R Row] struct {
	w       *rowWidget[R]
	objects []fyne.CanvasObject
}

func (r *rowRenderer[R]) Destroy()                     {}
func (r *rowRenderer[R]) Objects() []fyne.CanvasObject { return r.objects }
func (r *rowRenderer[R]) MinSize() fyne.Size           { return r.w.MinSize() }
func (r *rowRenderer[R]) Layout(s fyne.Size)           { r.w.layout(s) }

// Refresh redraws all cells; Fyne also calls it when the theme changes.
func (r *rowRenderer[R]) Refresh() {
	r.w.shown = false
	r.w.paint()
}

func (w *rowWidget[R]) layout(s fyne.Size) {
	w.ground.Resize(s)
	w.line.Move(fyne.NewPos(0, s.Height-1))
	w.line.Resize(fyne.NewSize(s.Width, 1))
	w.edge.Resize(fyne.NewSize(3, s.Height))
	w.paint()
}

// show sets the line that the widget shows.
func (w *rowWidget[R]) show(index int) {
	w.index, w.row, w.head, w.key = index, w.table.rowAt(index), w.table.headAt(index), w.table.keyOf(index)
	w.paint()
}

// selected reports whether the line is selected: its row or head, or a row of its folded
// group.
func (w *rowWidget[R]) selected() bool {
	if w.key == w.table.selected || w.head == nil {
		return w.key == w.table.selected
	}
	i, ok := w.table.lineOf(w.table.selected)
	return ok && i == w.index
}

// paint updates the cells that changed.
func (w *rowWidget[R]) paint() {
	if w.key == "" {
		return
	}
	all := !w.shown
	w.shown = true
	setFill(w.ground, w.groundColor(), all)
	selected := w.selected()
	edge := fyne.ThemeColorName("")
	if selected && w.table.list.focused {
		edge = theme.ColorNamePrimary
	} else if selected {
		edge = w.tint()
	}
	setFill(w.edge, edge, all)
	w.paintGroup(all)
	w.paintCells(all)
	w.paintHead(all)
}

func (w *rowWidget[R]) groundColor() fyne.ThemeColorName {
	switch {
	case w.selected():
		return ColorSelected
	case w.tint() != "" && !w.table.dim:
		return w.tint()
	case w.key == w.table.hovered:
		return theme.ColorNameHover
	}
	return ""
}

// paintGroup marks the rows of a group: no line between them, and a bar beside them.
func (w *rowWidget[R]) paintGroup(all bool) {
	above, below := w.table.joined(w.index), w.table.joined(w.index+1)
	line, bar := ColorLine, fyne.ThemeColorName("")
	if below {
		line = ""
	}
	if above || below {
		bar = ColorMuted
	}
	setFill(w.line, line, all)
	setFill(w.group, bar, all)
	top, bottom := float32(5), float32(RowHeight-5)
	if above {
		top = 0
	}
	if below {
		bottom = RowHeight
	}
	if pos, size := fyne.NewPos(4, top), fyne.NewSize(2, bottom-top); bar != "" && (pos != w.group.Position() || size != w.group.Size()) {
		w.group.Move(pos)
		w.group.Resize(size)
	}
}

func (w *rowWidget[R]) paintCells(all bool) {
	x, mark, head := float32(0), w.mark(), w.head != nil
	for i, v := range w.cells {
		c, width := w.table.columns[i], w.table.widths[i]
		var cell Cell
		if !head && width > 0 { // the text of a hidden column is not built
			cell = c.Cell(w.row)
		}
		if mark.Text != "" && i == w.table.markColumn() {
			cell = mark
		}
		if w.table.dim {
			cell.Color = ColorMuted
		}
		if all || cell != v.cell || x != v.x || width != v.width {
			v.set(cell, c.Right, x, width)
		}
		x += width
	}
}

// markColumn returns the index of the column that shows the rows' marks.
func (t *Table[R]) markColumn() (last int) {
	for i, c := range t.columns {
		switch {
		case t.widths[i] == 0:
		case c.Marks:
			return i
		default:
			last = i
		}
	}
	return last
}

func setFill(r *canvas.Rectangle, name fyne.ThemeColorName, force bool) {
	var c color.Color = color.Transparent
	if name != "" {
		c = theme.Color(name)
	}
	if force || r.FillColor != c {
		r.FillColor = c
		r.Refresh()
	}
}

func (v *cellView) set(cell Cell, right bool, x, width float32) {
	v.cell, v.x, v.width = cell, x, width
	if width == 0 { // a hidden column
		cell = Cell{}
	}
	name := cell.Color
	if name == "" {
		name = theme.ColorNameForeground
	}
	v.text.Color = theme.Color(name)
	v.text.TextSize = theme.Size(theme.SizeNameText)
	if cell.Badge {
		v.text.TextSize = theme.Size(theme.SizeNameCaptionText)
	}
	if cell.Size > 0 {
		v.text.TextSize = cell.Size
	}
	inner := width - 2*CellPadding
	if cell.Badge {
		inner -= 2 * CellPadding
	}
	v.text.Text = Fit(cell.Text, inner, v.text.TextSize, v.text.TextStyle)
	size := fyne.MeasureText(v.text.Text, v.text.TextSize, v.text.TextStyle)
	left := x + CellPadding
	if cell.Badge {
		left += CellPadding
	}
	if right {
		left = x + width - CellPadding - size.Width
	}
	v.text.Move(fyne.NewPos(left, (RowHeight-size.Height)/2))
	v.text.Resize(size)
	v.setBadge(cell, left, size)
	if v.strike.Hidden == cell.Struck {
		v.strike.Hidden = !cell.Struck
	}
	if cell.Struck {
		v.strike.StrokeColor = v.text.Color
		v.strike.StrokeWidth = 1
		v.strike.Position1 = fyne.NewPos(left, RowHeight/2)
		v.strike.Position2 = fyne.NewPos(left+size.Width, RowHeight/2)
		v.strike.Refresh()
	}
	v.text.Refresh()
}

func (v *cellView) setBadge(cell Cell, left float32, size fyne.Size) {
	v.badge.Hidden = !cell.Badge || cell.Text == ""
	if v.badge.Hidden {
		return
	}
	v.badge.StrokeColor = v.text.Color
	v.badge.Move(fyne.NewPos(left-CellPadding, (RowHeight-20)/2))
	v.badge.Resize(fyne.NewSize(size.Width+2*CellPadding, 20))
	v.badge.Refresh()
}

// Fit returns text, shortened with "…" if it is wider than width.
func Fit(text string, width, size float32, style fyne.TextStyle) string {
	if fyne.MeasureText(text, size, style).Width <= width {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes) // low characters fit, high do not
	for high-low > 1 {
		mid := (low + high) / 2
		if fyne.MeasureText(string(runes[:mid])+"…", size, style).Width <= width {
			low = mid
		} else {
			high = mid
		}
	}
	if low == 0 {
		return ""
	}
	return strings.TrimRight(string(runes[:low]), " …") + "…" // text may have been shortened before
}

// Tapped selects the row immediately, and opens it on a double click.
func (w *rowWidget[R]) Tapped(e *fyne.PointEvent) {
	tooltip.Hide()
	w.table.Focus()
	t := w.table
	key, ok := t.clickedLine(w)
	line, shown := t.lineOf(key)
	if !ok || !shown {
		return
	}
	if g := t.headAt(line); g != nil {
		t.setSelected(headPrefix + g.key)
		t.fold(g, !g.folded)
		return
	}
	row := t.rowAt(line)
	if i := t.columnAt(e.Position.X); i >= 0 && t.columns[i].Tapped != nil {
		t.columns[i].Tapped(row)
		return
	}
	first, double := t.clicks.double(row.Key(), e.AbsolutePosition, time.Now(), fyne.CurrentApp().Driver().DoubleTapDelay())
	if !double {
		t.setSelected(row.Key())
		return
	}
	if i, ok := t.index[first]; ok && t.OnOpen != nil {
		t.setSelected(first)
		t.OnOpen(t.rows[i])
	}
}

// TappedSecondary opens the menu of the row under the pointer.
func (w *rowWidget[R]) TappedSecondary(e *fyne.PointEvent) {
	w.table.Focus()
	key, ok := w.table.clickedLine(w)
	if !ok {
		return
	}
	w.table.setSelected(key)
	if row, ok := w.table.Selected(); ok && w.table.OnMenu != nil {
		w.table.OnMenu(row, e.AbsolutePosition)
	}
}

// tip returns the tooltip at x: that of the column, or a text that is cut.
func (w *rowWidget[R]) tip(x float32) string {
	if w.head != nil {
		if head := w.table.headOf(w.head); w.title.Text.Text != head.Title || w.note.Text.Text != head.Detail {
			return head.Title + " " + head.Detail
		}
		return ""
	}
	i := w.table.columnAt(x)
	if i < 0 {
		return ""
	}
	if c := w.table.columns[i]; c.Tip != nil {
		if tip := c.Tip(w.row); tip != "" {
			return tip
		}
	}
	if v := w.cells[i]; v.text.Text != v.cell.Text {
		return v.cell.Text
	}
	return ""
}

// MouseIn implements desktop.Hoverable.
func (w *rowWidget[R]) MouseIn(e *desktop.MouseEvent) {
	w.table.setPointer(w.key, e)
	w.point(e)
	w.paint()
}

// MouseMoved implements desktop.Hoverable.
func (w *rowWidget[R]) MouseMoved(e *desktop.MouseEvent) {
	w.table.clickTarget = clickTarget{} // the user has seen the row that is there now
	moved := w.table.hovered != w.key   // the rows moved under the resting pointer
	w.table.setPointer(w.key, e)
	if moved {
		w.table.RefreshRows()
	}
	w.point(e)
}

// point announces the tooltip at the pointer.
func (w *rowWidget[R]) point(e *desktop.MouseEvent) {
	if e != nil {
		tooltip.Point(w, w.tip(e.Position.X), e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (w *rowWidget[R]) MouseOut() {
	w.table.hovered, w.table.pointer = "", -1
	tooltip.Leave(w)
	w.paint()
}

var (
	_ fyne.Tappable          = (*rowWidget[Row])(nil)
	_ fyne.SecondaryTappable = (*rowWidget[Row])(nil)
	_ desktop.Hoverable      = (*rowWidget[Row])(nil)
)
