package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"
)

// warningBar says what is missing here, or that nobody watches any more.
type warningBar struct {
	text   *widget.Label
	again  *keyButton
	object fyne.CanvasObject
}

// newWarningBar returns a hidden bar. restart is called when its button is pressed, which is
// there while nobody watches.
func newWarningBar(restart func()) *warningBar {
	w := &warningBar{text: widget.NewLabel(""), again: newButton(lang.L("Start Porthole again"), restart)}
	w.text.Wrapping = fyne.TextWrapWord
	w.again.Hide()
	bar := container.NewBorder(nil, nil, newThemed(colorAlert, fyne.NewSize(4, 1), 0), w.again, w.text)
	w.object = container.NewStack(newThemed(tintChanged, fyne.Size{}, 0), bar)
	w.object.Hide()
	return w
}

// show reports whether that changed anything, so that the page is to be laid out
// anew.
func (w *warningBar) show(problems []string, live bool) bool {
	if !live {
		problems = []string{lang.L("Porthole has stopped watching: what you see is the last that it saw")}
	}
	text := strings.Join(problems, "\n")
	if w.text.Text == text && w.again.Hidden == live {
		return false
	}
	w.text.SetText(text)
	w.again.Hidden = live
	if text == "" {
		w.object.Hide()
	} else {
		w.object.Show()
	}
	w.object.Refresh()
	return true
}
