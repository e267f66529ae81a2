package ports

import (
	"fyne.io/fyne/v2"

	"porthole/ui/widgets"
)

// filterBar is the layout of the filter field, the quick filters, the switches, the Pause button
// and the button of a compact page, which has all on one line. The others are on one line
// if the filter field has space enough, and otherwise the field and the button are on the
// first line and the others below.
type filterBar struct {
	width    float32
	fleeting func() float32 // the width of what comes and goes by itself
}

const (
	barGap         = 4   // between two objects
	minFilterWidth = 230 // of the filter field
	// The same beside a quick filter that came by itself. It takes space from the field,
	// because another line of the bar would move all rows under the pointer.
	sharedFilterWidth = 100
)

// lines returns the objects of each line; the first of a line takes the remaining space
// if it is the filter field.
func (b *filterBar) lines(o []fyne.CanvasObject) [][]fyne.CanvasObject {
	filter, quick, switches, pause, filters := o[0], o[1], o[2], o[3], o[4]
	if filters.Visible() {
		return [][]fyne.CanvasObject{{filter, filters, pause}}
	}
	rest := func(o ...fyne.CanvasObject) (width float32) {
		for _, x := range o {
			width += x.MinSize().Width + barGap
		}
		return width
	}
	one := rest(quick, switches, pause)
	switch {
	case b.width >= max(minFilterWidth+one-b.fleeting(), sharedFilterWidth+one):
		return [][]fyne.CanvasObject{{filter, quick, switches, pause}}
	case b.width >= rest(quick, switches)-barGap:
		return [][]fyne.CanvasObject{{filter, pause}, {quick, switches}}
	}
	return [][]fyne.CanvasObject{{filter, pause}, {quick}, {switches}}
}

// MinSize implements fyne.Layout. The height depends on the last width.
func (b *filterBar) MinSize(o []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(0, -barGap) // any width: a narrow page becomes compact
	for _, line := range b.lines(o) {
		size.Height += lineHeight(line) + barGap
	}
	return size
}

// Layout implements fyne.Layout.
func (b *filterBar) Layout(o []fyne.CanvasObject, s fyne.Size) {
	b.width = s.Width
	y := float32(0)
	for _, line := range b.lines(o) {
		height, x, room := lineHeight(line), float32(0), s.Width
		for _, object := range line[1:] {
			room -= object.MinSize().Width + barGap
		}
		for _, object := range line {
			width := object.MinSize().Width
			if object == o[0] {
				width = room
			}
			object.Move(fyne.NewPos(x, y))
			object.Resize(fyne.NewSize(width, height))
			x += width + barGap
		}
		y += height + barGap
	}
}

func lineHeight(line []fyne.CanvasObject) (height float32) {
	for _, x := range line {
		height = max(height, x.MinSize().Height)
	}
	return height
}

// relayoutBar lays out the filter bar after the size of a part changed.
func (p *Page) relayoutBar() {
	before := p.bar.Size().Height
	widgets.Relayout(p.bar)
	if p.bar.MinSize().Height != before {
		widgets.Relayout(p.Content)
	}
}
