package process

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// sections is the layout of the window's parts: below each other, and in a wide window
// some of them in two columns, so that lines do not become too long to read.
type sections struct {
	first, second, end int // the left column begins at first, the right one at second; from end on parts have the whole width
	width              float32
}

// Sizes of a sections layout.
const (
	twoColumnsWidth = 1040 // from here on there are two columns
	columnGap       = 16
)

// MinSize implements fyne.Layout. The height depends on the last width.
func (s *sections) MinSize(o []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, x := range o {
		if x.Visible() {
			size.Width = max(size.Width, x.MinSize().Width)
		}
	}
	size.Height = s.arrange(o, func(x fyne.CanvasObject, _, _, _ float32) float32 { return x.MinSize().Height })
	return size
}

// Layout implements fyne.Layout.
func (s *sections) Layout(o []fyne.CanvasObject, size fyne.Size) {
	s.width = size.Width
	s.arrange(o, func(x fyne.CanvasObject, left, top, width float32) float32 {
		x.Resize(fyne.NewSize(width, x.MinSize().Height)) // wrapping needs the width first
		height := x.MinSize().Height
		x.Resize(fyne.NewSize(width, height))
		x.Move(fyne.NewPos(left, top))
		return height
	})
}

// arrange calls place for each visible object, with its place and width. place returns the
// height. arrange returns the height of all.
func (s *sections) arrange(o []fyne.CanvasObject, place func(x fyne.CanvasObject, left, top, width float32) float32) float32 {
	gap := theme.Padding()
	column := func(o []fyne.CanvasObject, left, top, width float32) float32 {
		for _, x := range o {
			if x.Visible() {
				top += place(x, left, top, width) + gap
			}
		}
		return top
	}
	y := column(o[:s.first], 0, 0, s.width)
	if s.width >= twoColumnsWidth {
		half := (s.width - columnGap) / 2
		y = max(column(o[s.first:s.second], 0, y, half), column(o[s.second:s.end], half+columnGap, y, half))
	} else {
		y = column(o[s.first:s.end], 0, y, s.width)
	}
	return max(column(o[s.end:], 0, y, s.width)-gap, 0)
}
