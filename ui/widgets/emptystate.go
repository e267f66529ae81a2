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
	Reason            *CopyText // wrapped
	Button            *Button
	Object            fyne.CanvasObject
}

// EmptyMessage is the content of an EmptyState. An empty text or label is left out.
type EmptyMessage struct {
	Title  string
	Reason string // may be long
	Last   string
	More   string
	Button string
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
	e.Reason = NewCopyText("")
	e.Reason.Wrapping, e.Reason.Alignment = fyne.TextWrapWord, fyne.TextAlignCenter
	reason := container.NewCenter(container.New(fixedWidth(reasonWidth), e.Reason))
	e.Object = container.NewCenter(container.NewVBox(e.Title, reason, e.Last, e.More, container.NewCenter(e.Button)))
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
func (e *EmptyState) Show(title, more string) { e.ShowMessage(EmptyMessage{Title: title, More: more}) }

// ShowMessage shows m.
func (e *EmptyState) ShowMessage(m EmptyMessage) {
	SetText(e.Title, m.Title, theme.ColorNameForeground)
	SetText(e.Last, m.Last, theme.ColorNameForeground)
	SetText(e.More, m.More, table.ColorMuted)
	if m.Reason != e.Reason.Text {
		e.Reason.SetText(m.Reason) // otherwise a selection in it stays
	}
	e.Reason.Hidden, e.Last.Hidden, e.More.Hidden = m.Reason == "", m.Last == "", m.More == ""
	if m.Button == "" {
		e.Button.Hide()
	} else {
		e.Button.SetText(m.Button)
		e.Button.Show()
	}
	e.Object.Show()
	e.Object.Refresh()
}

// reasonWidth is the width of a Reason, in device-independent pixels. It fits beside the details
// pane of the smallest window that has one.
const reasonWidth = 560

// fixedWidth is a layout that gives its objects this width and the height that they need for it:
// the height of a wrapped text depends on its width.
type fixedWidth float32

// MinSize implements fyne.Layout.
func (w fixedWidth) MinSize(o []fyne.CanvasObject) fyne.Size {
	height := float32(0)
	for _, one := range o {
		if one.Visible() {
			one.Resize(fyne.NewSize(float32(w), one.Size().Height))
			height = max(height, one.MinSize().Height)
		}
	}
	if height == 0 {
		return fyne.Size{}
	}
	return fyne.NewSize(float32(w), height)
}

// Layout implements fyne.Layout.
func (w fixedWidth) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, one := range o {
		one.Resize(s)
	}
}
