package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// popUpUnder shows a menu under a button, right edge to right edge.
func popUpUnder(button fyne.CanvasObject, items ...*fyne.MenuItem) {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(button); c != nil {
		menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
		at := driver.AbsolutePositionForObject(button).Add(fyne.NewPos(button.Size().Width-menu.MinSize().Width, button.Size().Height))
		menu.ShowAtPosition(at)
	}
}

// menuItem is an item that says its keys. Fyne's own way (2.8.1) has them in
// English, and so faint that they cannot be read.
func menuItem(label string, keys chord, do func()) *fyne.MenuItem {
	return fyne.NewMenuItem(label+"   ("+keys.String()+")", do)
}
