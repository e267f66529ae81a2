package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// EmptyState is shown in place of a table without rows.
type EmptyState struct {
	Title, Last, More *canvas.Text
	Button            *Button
	Object            fyne.CanvasObject
}

// NewEmptyState returns a hidden EmptyState. tapped is called when its button is pressed.
func NewEmptyState(tapped func()) *EmptyState {
	e := &EmptyState{Title: canvas.NewText("", color.Transparent), More: canvas.NewText("", color.Transparent)}
	e.Last = canvas.NewText("", color.Transparent)
	e.Last.TextSize, e.Last.Alignment = 13, fyne.TextAlignCenter
	e.Title.TextSize, e.Title.Alignment = 17, fyne.TextAlignCenter
	e.More.TextSize, e.More.Alignment = 13, fyne.TextAlignCenter
	e.Button = NewButton("", tapped)
	e.Button.Importance = widget.HighImportance
	e.Object = container.NewCenter(container.NewVBox(e.Title, e.Last, e.More, container.NewCenter(e.Button)))
	e.Object.Hide()
	return e
}

// Hide hides the EmptyState.
func (e *EmptyState) Hide() {
	if e.Object.Visible() {
		e.Object.Hide()
	}
}

// Show shows a title and a line of text.
func (e *EmptyState) Show(title, more string) { e.ShowWith(title, "", more, "") }

// ShowWith shows a title, a detail, a line of text and a button. An empty text or label
// is left out.
func (e *EmptyState) ShowWith(title, last, more, button string) {
	SetText(e.Title, title, theme.ColorNameForeground)
	SetText(e.Last, last, theme.ColorNameForeground)
	e.Last.Hidden, e.More.Hidden = last == "", more == ""
	SetText(e.More, more, table.ColorMuted)
	if button == "" {
		e.Button.Hide()
	} else {
		e.Button.SetText(button)
		e.Button.Show()
	}
	e.Object.Show()
	e.Object.Refresh()
}
