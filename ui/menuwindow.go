package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	uitheme "porthole/ui/theme"
)

// MenuSeparator is the text of a line between the entries of NewMenuWindow.
const MenuSeparator = "-"

// NewMenuWindow returns a small window with the entries of the tray's menu, for panels that
// show no menus. An empty text leaves out an entry. choose is called once, on Fyne's
// goroutine, with the index of the chosen entry in entries, or with -1 if the user closes the window
// otherwise. It must be called on Fyne's goroutine.
func NewMenuWindow(app fyne.App, entries []string, choose func(n int)) fyne.Window {
	loaded := uitheme.LoadFonts()
	w := app.NewWindow("Porthole")
	<-loaded
	done := false
	once := func(n int) {
		if !done {
			done = true
			choose(n)
		}
	}
	menu := widget.NewMenu(fyne.NewMenu("", menuItems(entries, once)...))
	w.SetContent(container.NewStack(menu))
	w.SetPadded(false)
	w.Resize(menu.MinSize())
	w.SetFixedSize(true) // tiling window managers let it float
	w.SetCloseIntercept(func() { once(-1) })
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		switch e.Name {
		case fyne.KeyEscape:
			once(-1)
		case fyne.KeyDown, fyne.KeyTab:
			menu.ActivateNext()
		case fyne.KeyUp:
			menu.ActivatePrevious()
		case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
			menu.TriggerLast()
		}
	})
	return w
}

// menuItems returns an item for each entry that is not empty, without separators at the
// ends or next to each other.
func menuItems(entries []string, choose func(n int)) (items []*fyne.MenuItem) {
	separate := false
	for n, text := range entries {
		switch text {
		case "":
		case MenuSeparator:
			separate = len(items) > 0
		default:
			if separate {
				items = append(items, fyne.NewMenuItemSeparator())
				separate = false
			}
			items = append(items, fyne.NewMenuItem(text, func() { choose(n) }))
		}
	}
	return items
}
