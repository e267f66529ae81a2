package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"
)

// copyText is text that a right click copies. Fyne's own text to be selected takes
// the keyboard at a click and at Tab, shows that nowhere, and keeps every key from
// the window, Esc and Ctrl+W among them.
type copyText struct{ widget.Label }

var _ fyne.SecondaryTappable = (*copyText)(nil)

func newCopyText(text string) *copyText {
	t := &copyText{}
	t.ExtendBaseWidget(t)
	t.Text = text
	return t
}

// TappedSecondary offers to copy the text.
func (t *copyText) TappedSecondary(e *fyne.PointEvent) {
	app := fyne.CurrentApp()
	if c := app.Driver().CanvasForObject(t); c != nil && t.Text != "" {
		item := fyne.NewMenuItem(lang.L("Copy"), func() { app.Clipboard().SetContent(t.Text) })
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", item), c, e.AbsolutePosition)
	}
}
