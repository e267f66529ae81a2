package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// TopMiddleBottom stacks top, middle and bottom without the padding of Fyne's border
// layout. The middle takes the remaining height.
type TopMiddleBottom struct{}

// MinSize implements fyne.Layout.
func (TopMiddleBottom) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		m := x.MinSize()
		s.Width, s.Height = max(s.Width, m.Width), s.Height+m.Height
	}
	return s
}

// Layout implements fyne.Layout.
func (TopMiddleBottom) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range []fyne.CanvasObject{o[0], o[2]} {
		x.Resize(fyne.NewSize(s.Width, x.MinSize().Height)) // wrapping needs the width first
	}
	top, bottom := o[0].MinSize().Height, o[2].MinSize().Height
	place := func(x fyne.CanvasObject, y, height float32) {
		x.Move(fyne.NewPos(0, y))
		x.Resize(fyne.NewSize(s.Width, height))
	}
	place(o[0], 0, top)
	place(o[1], top, max(s.Height-top-bottom, 0))
	place(o[2], s.Height-bottom, bottom)
}

// Relayout lays out the objects of c again, if c has a size. Fyne's Refresh does that
// too, but also refreshes every object in c, which is expensive for a whole page.
// Nested objects are laid out again only if their size changes.
func Relayout(c *fyne.Container) {
	if !c.Size().IsZero() {
		c.Layout.Layout(c.Objects, c.Size())
	}
}

// LabelledRows lays out pairs of a label and a value. A value may take several lines; the
// label stands beside the first one. Even gives all single-line values the same height,
// regardless of their font.
type LabelledRows struct {
	Label        float32
	EqualHeights bool
}

// Overlap is the part of the padding of Fyne's labels that is removed.
const Overlap = 6

// height returns the height that a value needs at its width.
func (f LabelledRows) height(value fyne.CanvasObject) float32 {
	height := value.MinSize().Height
	if f.EqualHeights {
		height = max(height, fyne.MeasureText("x", theme.Size(theme.SizeNameText), fyne.TextStyle{}).Height+2*theme.Size(theme.SizeNameInnerPadding))
	}
	return height
}

// MinSize implements fyne.Layout.
func (f LabelledRows) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(f.Label, Overlap)
	for i := 1; i < len(o); i += 2 {
		m := o[i].MinSize()
		s.Width = max(s.Width, f.Label+m.Width)
		s.Height += f.height(o[i]) - Overlap
	}
	return s
}

// Layout implements fyne.Layout.
func (f LabelledRows) Layout(o []fyne.CanvasObject, s fyne.Size) {
	y := float32(0)
	for i := 1; i < len(o); i += 2 {
		label, value := o[i-1], o[i]
		value.Resize(fyne.NewSize(s.Width-f.Label, value.MinSize().Height)) // wrapping needs the width first
		height := f.height(value)
		value.Resize(fyne.NewSize(s.Width-f.Label, height))
		value.Move(fyne.NewPos(f.Label, y))
		label.Resize(label.MinSize())
		label.Move(fyne.NewPos(Overlap+1, y+Overlap+1))
		y += height - Overlap
	}
}

// Ends lays out two objects at the left and right ends of a line. If there is not enough
// room, the second is left out.
type Ends struct{}

// endsGap is the minimum distance between the objects of Ends.
const endsGap = 12

// MinSize implements fyne.Layout.
func (Ends) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(o[0].MinSize().Height, o[1].MinSize().Height))
}

// Layout implements fyne.Layout.
func (Ends) Layout(o []fyne.CanvasObject, s fyne.Size) {
	left, right := o[0].MinSize().Width, o[1].MinSize().Width
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSize(min(left, s.Width), s.Height))
	o[1].Resize(fyne.NewSize(right, s.Height))
	x := s.Width - right
	if left+endsGap > x {
		x = s.Width + 10000 // outside; hiding it would change what its owner has set
	}
	o[1].Move(fyne.NewPos(x, 0))
}
