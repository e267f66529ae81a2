package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// ShowMenuBelow shows a menu under a button, right edge to right edge.
func ShowMenuBelow(button fyne.CanvasObject, items ...*fyne.MenuItem) {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(button); c != nil {
		menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
		at := driver.AbsolutePositionForObject(button).Add(fyne.NewPos(button.Size().Width-menu.MinSize().Width, button.Size().Height))
		menu.ShowAtPosition(at)
	}
}

// MenuItem is an item that says its keys. Fyne's own way (2.8.1) has them in
// English, and so faint that they cannot be read.
func MenuItem(label string, keys Chord, do func()) *fyne.MenuItem {
	return fyne.NewMenuItem(label+"   ("+keys.String()+")", do)
}
