package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// framed is a rectangle with a line around it that follows the theme.
type framed struct {
	*themed
	line fyne.ThemeColorName
}

func newFramed(fill, line fyne.ThemeColorName) *framed {
	f := &framed{themed: newThemed(fill, fyne.Size{}, 5), line: line}
	f.rect.StrokeWidth = 1
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer is Fyne's.
func (f *framed) CreateRenderer() fyne.WidgetRenderer {
	f.rect.StrokeColor = theme.Color(f.line)
	return f.themed.CreateRenderer()
}

// Refresh is Fyne's, called when the theme changes.
func (f *framed) Refresh() {
	f.rect.StrokeColor = theme.Color(f.line)
	f.themed.Refresh()
}

// themed is a rectangle that follows the theme.
type themed struct {
	widget.BaseWidget
	rect *canvas.Rectangle
	fill fyne.ThemeColorName
	min  fyne.Size
}

func newThemed(fill fyne.ThemeColorName, min fyne.Size, radius float32) *themed {
	t := &themed{rect: canvas.NewRectangle(color.Transparent), fill: fill, min: min}
	t.rect.CornerRadius = radius
	t.ExtendBaseWidget(t)
	return t
}

// CreateRenderer is Fyne's.
func (t *themed) CreateRenderer() fyne.WidgetRenderer {
	t.rect.FillColor = theme.Color(t.fill)
	return widget.NewSimpleRenderer(t.rect)
}

// Refresh is Fyne's, called when the theme changes.
func (t *themed) Refresh() {
	t.rect.FillColor = theme.Color(t.fill)
	t.BaseWidget.Refresh()
}

// MinSize is Fyne's.
func (t *themed) MinSize() fyne.Size { return t.min }

func line() fyne.CanvasObject { return newThemed(theme.ColorNameSeparator, fyne.NewSize(1, 1), 0) }

// panel puts o on the ground of bars, with a margin above and below.
func panel(o fyne.CanvasObject, margin float32) fyne.CanvasObject {
	return container.NewStack(newThemed(colorPanel, fyne.Size{}, 0),
		container.New(layout.NewCustomPaddedLayout(margin, margin, 12, 12), o))
}

// fill changes only what differs.
func fill(r *canvas.Rectangle, name fyne.ThemeColorName) {
	c := color.Color(color.Transparent)
	if name != "" {
		c = theme.Color(name)
	}
	if r.FillColor != c {
		r.FillColor = c
		r.Refresh()
	}
}
