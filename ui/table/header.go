package table

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// header shows the columns' labels; a click sorts.
type header[R Row] struct {
	widget.BaseWidget
	table        *Table[R]
	ground, line *canvas.Rectangle
	labels       []*canvas.Text
}

func newHeader[R Row](t *Table[R]) *header[R] {
	h := &header[R]{table: t, ground: canvas.NewRectangle(color.Transparent), line: canvas.NewRectangle(color.Transparent)}
	for range t.columns {
		h.labels = append(h.labels, canvas.NewText("", color.Transparent))
	}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer is Fyne's.
func (h *header[R]) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{h.ground, h.line}
	for _, l := range h.labels {
		objects = append(objects, l)
	}
	return &headerRenderer[R]{h, objects}
}

type headerRenderer[R Row] struct {
	h       *header[R]
	objects []fyne.CanvasObject
}

func (r *headerRenderer[R]) Destroy()                     {}
func (r *headerRenderer[R]) Objects() []fyne.CanvasObject { return r.objects }
func (r *headerRenderer[R]) MinSize() fyne.Size           { return fyne.NewSize(0, RowHeight) }
func (r *headerRenderer[R]) Refresh()                     { r.Layout(r.h.Size()) }

// Layout places the labels over their columns and marks the one that sorts.
func (r *headerRenderer[R]) Layout(s fyne.Size) {
	h := r.h
	h.ground.FillColor = theme.Color(ColorHeader)
	h.ground.Resize(s)
	h.line.FillColor = theme.Color(ColorLine)
	h.line.Move(fyne.NewPos(0, s.Height-1))
	h.line.Resize(fyne.NewSize(s.Width, 1))
	x := float32(0)
	for i, c := range h.table.columns {
		text, width := h.labels[i], h.table.widths[i]
		label := c.Label
		if i == h.table.sortBy {
			label += map[bool]string{false: " ▲", true: " ▼"}[h.table.down]
		}
		text.TextSize = theme.Size(theme.SizeNameCaptionText) + 1
		text.Color = theme.Color(ColorMuted)
		text.TextStyle.Bold = i == h.table.sortBy
		text.Text = Fit(label, width-cellPadding, text.TextSize, text.TextStyle)
		size := fyne.MeasureText(text.Text, text.TextSize, text.TextStyle)
		left := x + cellPadding
		if c.Right {
			left = x + width - cellPadding - size.Width
		}
		text.Move(fyne.NewPos(left, (s.Height-size.Height)/2))
		text.Resize(size)
		x += width
	}
	canvas.Refresh(h)
}

// Tapped sorts by the column under the pointer.
func (h *header[R]) Tapped(e *fyne.PointEvent) {
	x := e.Position.X
	for i, width := range h.table.widths {
		if x -= width; x < 0 {
			if h.table.columns[i].Compare != nil {
				h.table.cycle(i)
			}
			return
		}
	}
}

// Cursor is Fyne's.
func (h *header[R]) Cursor() desktop.Cursor { return desktop.PointerCursor }

var _ fyne.Tappable = (*header[Row])(nil)
