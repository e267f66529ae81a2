package process

import (
	"fyne.io/fyne/v2"
)

// sideBySide lays out two boxes side by side, the second a little wider, or stacked
// if the width is below sideBySideWidth. A hidden box takes no space.
type sideBySide struct{ stacked bool }

// Sizes of a sideBySide layout. From sideBySideWidth on, the boxes are side by side.
const (
	sideBySideWidth = 600
	sideBySideGap   = 8
)

// MinSize implements fyne.Layout. It returns the size for the width of the last Layout.
func (b *sideBySide) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		if m := x.MinSize(); x.Visible() {
			s.Width = max(s.Width, m.Width)
			if b.stacked {
				s.Height += m.Height
			} else {
				s.Height = max(s.Height, m.Height)
			}
		}
	}
	return s
}

// Layout implements fyne.Layout.
func (b *sideBySide) Layout(o []fyne.CanvasObject, s fyne.Size) {
	b.stacked = s.Width < sideBySideWidth
	left := (s.Width - sideBySideGap) * 0.44
	switch {
	case !o[1].Visible():
		o[0].Resize(s)
	case b.stacked:
		o[0].Resize(fyne.NewSize(s.Width, o[0].MinSize().Height))
		height := o[0].MinSize().Height // wrapping needs the width first
		o[0].Resize(fyne.NewSize(s.Width, height))
		o[1].Move(fyne.NewPos(0, height))
		o[1].Resize(fyne.NewSize(s.Width, max(s.Height-height, o[1].MinSize().Height)))
	default:
		o[0].Resize(fyne.NewSize(left, s.Height))
		o[1].Move(fyne.NewPos(left+sideBySideGap, 0))
		o[1].Resize(fyne.NewSize(s.Width-left-sideBySideGap, s.Height))
	}
}
