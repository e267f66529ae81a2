package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// ShowMenuBelow shows a menu below a button, with their right edges aligned.
func ShowMenuBelow(button fyne.CanvasObject, items ...*fyne.MenuItem) {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(button); c != nil {
		menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
		at := driver.AbsolutePositionForObject(button).Add(fyne.NewPos(button.Size().Width-menu.MinSize().Width, button.Size().Height))
		menu.ShowAtPosition(at)
	}
}

// MenuItem returns a menu item whose label includes its keys. Fyne 2.8.1 shows shortcuts
// untranslated and too faint to read.
func MenuItem(label string, keys Chord, do func()) *fyne.MenuItem {
	return fyne.NewMenuItem(label+"   ("+keys.String()+")", do)
}
