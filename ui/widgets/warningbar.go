package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	uitheme "porthole/ui/theme"
)

// WarningBar shows what is missing on this system, or that no agent is running.
type WarningBar struct {
	text    *widget.Label
	Again   *Button
	Dismiss *Button // visible if a problem is over, and was only to be read
	Object  fyne.CanvasObject
}

// NewWarningBar returns a hidden bar. restart is called when its button is pressed,
// which is visible while no agent is running; dismiss when the user has read a problem that
// is over.
func NewWarningBar(restart, dismiss func()) *WarningBar {
	w := &WarningBar{text: widget.NewLabel(""), Again: NewButton(lang.L("Restart Porthole"), restart), Dismiss: NewButton(lang.L("Dismiss"), dismiss)}
	w.text.Wrapping = fyne.TextWrapWord
	w.Again.Hide()
	w.Dismiss.Hide()
	buttons := container.New(layout.NewCustomPaddedLayout(0, 0, 0, 8), container.NewCenter(container.NewHBox(w.Dismiss, w.Again)))
	bar := container.NewBorder(nil, nil, NewRectangle(uitheme.ColorAlert, fyne.NewSize(4, 1), 0), buttons, w.text)
	w.Object = container.NewStack(NewRectangle(uitheme.TintChanged, fyne.Size{}, 0), bar)
	w.Object.Hide()
	return w
}

// Show sets the bar's text and buttons. It reports whether the page needs a new layout.
func (w *WarningBar) Show(problems []string, live, dismissible bool) bool {
	dismissible = dismissible && live
	if !live {
		problems = []string{lang.L("Porthole has stopped monitoring. This is the last known state.")}
	}
	text := strings.Join(problems, "\n")
	if w.text.Text == text && w.Again.Hidden == live && w.Dismiss.Hidden != dismissible {
		return false
	}
	w.text.SetText(text)
	w.Again.Hidden, w.Dismiss.Hidden = live, !dismissible
	if text == "" {
		w.Object.Hide()
	} else {
		w.Object.Show()
	}
	w.Object.Refresh()
	return true
}
