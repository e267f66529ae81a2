package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// emptyState says something useful where the table has no rows.
type emptyState struct {
	title, last, more *canvas.Text
	button            *keyButton
	object            fyne.CanvasObject
}

// newEmptyState returns a hidden emptyState. tapped is called when its button is pressed.
func newEmptyState(tapped func()) *emptyState {
	e := &emptyState{title: canvas.NewText("", color.Transparent), more: canvas.NewText("", color.Transparent)}
	e.last = canvas.NewText("", color.Transparent)
	e.last.TextSize, e.last.Alignment = 13, fyne.TextAlignCenter
	e.title.TextSize, e.title.Alignment = 17, fyne.TextAlignCenter
	e.more.TextSize, e.more.Alignment = 13, fyne.TextAlignCenter
	e.button = newButton("", tapped)
	e.button.Importance = widget.HighImportance
	e.object = container.NewCenter(container.NewVBox(e.title, e.last, e.more, container.NewCenter(e.button)))
	e.object.Hide()
	return e
}

func (e *emptyState) hide() {
	if e.object.Visible() {
		e.object.Hide()
	}
}

// show shows two lines.
func (e *emptyState) show(title, more string) { e.showWith(title, "", more, "") }

// showWith shows two lines, with another one between them, and a button. An empty line or
// label is left out.
func (e *emptyState) showWith(title, last, more, button string) {
	setText(e.title, title, theme.ColorNameForeground)
	setText(e.last, last, theme.ColorNameForeground)
	e.last.Hidden, e.more.Hidden = last == "", more == ""
	setText(e.more, more, table.ColorMuted)
	if button == "" {
		e.button.Hide()
	} else {
		e.button.SetText(button)
		e.button.Show()
	}
	e.object.Show()
	e.object.Refresh()
}
