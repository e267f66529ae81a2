package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	uitheme "porthole/ui/theme"
)

// FramedRectangle is a rectangle with an outline. Both follow the theme.
type FramedRectangle struct {
	*Rectangle
	Line fyne.ThemeColorName
}

// NewFramedRectangle returns a rectangle in the theme's colours of those names.
func NewFramedRectangle(fill, line fyne.ThemeColorName) *FramedRectangle {
	f := &FramedRectangle{Rectangle: NewRectangle(fill, fyne.Size{}, 5), Line: line}
	f.Rect.StrokeWidth = 1
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer implements fyne.Widget.
func (f *FramedRectangle) CreateRenderer() fyne.WidgetRenderer {
	f.Rect.StrokeColor = theme.Color(f.Line)
	return f.Rectangle.CreateRenderer()
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (f *FramedRectangle) Refresh() {
	f.Rect.StrokeColor = theme.Color(f.Line)
	f.Rectangle.Refresh()
}

// Rectangle is a rectangle whose colour follows the theme.
type Rectangle struct {
	widget.BaseWidget
	Rect *canvas.Rectangle
	Fill fyne.ThemeColorName
	min  fyne.Size
}

// NewRectangle returns a rectangle in the theme's colour of that name, at least as large
// as min.
func NewRectangle(fill fyne.ThemeColorName, min fyne.Size, radius float32) *Rectangle {
	t := &Rectangle{Rect: canvas.NewRectangle(color.Transparent), Fill: fill, min: min}
	t.Rect.CornerRadius = radius
	t.ExtendBaseWidget(t)
	return t
}

// CreateRenderer implements fyne.Widget.
func (t *Rectangle) CreateRenderer() fyne.WidgetRenderer {
	t.Rect.FillColor = theme.Color(t.Fill)
	return widget.NewSimpleRenderer(t.Rect)
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (t *Rectangle) Refresh() {
	t.Rect.FillColor = theme.Color(t.Fill)
	t.BaseWidget.Refresh()
}

// MinSize implements fyne.CanvasObject.
func (t *Rectangle) MinSize() fyne.Size { return t.min }

// Line returns a thin separator line.
func Line() fyne.CanvasObject { return NewRectangle(theme.ColorNameSeparator, fyne.NewSize(1, 1), 0) }

// Panel returns o on the background of bars, with a margin above and below.
func Panel(o fyne.CanvasObject, margin float32) fyne.CanvasObject {
	return container.NewStack(NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0),
		container.New(layout.NewCustomPaddedLayout(margin, margin, 12, 12), o))
}

// Fill sets the fill colour, which follows the theme (see Recolour). It refreshes the rectangle only if the colour changed.
func Fill(r *canvas.Rectangle, name fyne.ThemeColorName) {
	remember(themed.rects, r, name)
	c := colorOf(name)
	if r.FillColor != c {
		r.FillColor = c
		r.Refresh()
	}
}
