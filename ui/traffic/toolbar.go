package traffic

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"porthole/ui/widgets"
)

// toolbar is the layout of a field with buttons beside it. Where there is no room for all
// of them, a button with a menu takes the place of the others. The objects are the
// field, the button with the menu, and the other buttons.
type toolbar struct {
	fieldFirst bool    // the field is on the left
	field      float32 // its width before the buttons give way
}

const (
	toolbarGap  = 4
	narrowField = 100 // the least width of the field
	filterWidth = 230
	findWidth   = 160
)

// newToolbar returns a bar. items returns the menu that stands for the buttons.
func newToolbar(t toolbar, field fyne.CanvasObject, menu *widgets.Button, buttons ...*widgets.Button) *fyne.Container {
	objects := []fyne.CanvasObject{field, menu}
	for _, b := range buttons {
		objects = append(objects, b)
	}
	return container.New(&t, objects...)
}

// MinSize implements fyne.Layout.
func (t *toolbar) MinSize(o []fyne.CanvasObject) fyne.Size {
	field, menu := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(narrowField+toolbarGap+menu.Width, max(field.Height, menu.Height))
}

// Layout implements fyne.Layout.
func (t *toolbar) Layout(o []fyne.CanvasObject, s fyne.Size) {
	shown, width := o[2:], float32(0)
	for _, b := range shown {
		width += b.MinSize().Width + toolbarGap
	}
	folded := s.Width < t.field+width
	for _, b := range o[2:] {
		widgets.ShowIf(b, !folded)
	}
	widgets.ShowIf(o[1], folded)
	if folded {
		shown, width = o[1:2], o[1].MinSize().Width+toolbarGap
	}
	x := float32(0)
	place := func(object fyne.CanvasObject, width float32) {
		object.Move(fyne.NewPos(x, 0))
		object.Resize(fyne.NewSize(width, s.Height))
		x += width + toolbarGap
	}
	if t.fieldFirst {
		place(o[0], s.Width-width)
	}
	for _, b := range shown {
		place(b, b.MinSize().Width)
	}
	if !t.fieldFirst {
		place(o[0], s.Width-width)
	}
}
