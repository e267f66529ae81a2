package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Question asks for confirmation before an action that cannot be undone. Fyne's dialogs
// are not used, because their package links a file browser.
type Question struct {
	PopUp    *widget.PopUp
	Yes, No  *Button
	title    *canvas.Text
	Text     *widget.Label
	answered func() // called after either answer
	release  func() // returns the keys to the window
}

// Ask shows a question over a window, with the keyboard focus on the button that does
// nothing.
func Ask(window fyne.Window, title, text, yes string, do, answered func()) *Question {
	q := &Question{title: NewText(title, theme.ColorNameForeground), Text: widget.NewLabel(text), answered: answered}
	q.title.TextSize, q.title.TextStyle.Bold = theme.Size(theme.SizeNameSubHeadingText), true
	q.Text.Wrapping = fyne.TextWrapWord
	q.Yes = NewKeyButton(yes, func() {
		q.Hide()
		do()
	}, q.Hide)
	q.Yes.Importance = widget.DangerImportance
	q.No = NewKeyButton(lang.L("Cancel"), q.Hide, q.Hide)
	words := container.New(layout.NewCustomPaddedVBoxLayout(4), container.New(layout.NewCustomPaddedLayout(0, 0, 7, 7), q.title),
		container.NewGridWrap(fyne.NewSize(380, 56), q.Text))
	buttons := container.NewHBox(layout.NewSpacer(), q.No, q.Yes)
	q.PopUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 10, 12, 12), container.NewVBox(words, buttons)), window.Canvas())
	q.PopUp.Show()
	window.Canvas().Focus(q.No)
	q.release = CaptureKeys(window.Canvas(), q.Hide)
	return q
}

// Hide closes the question without running the action.
func (q *Question) Hide() {
	q.PopUp.Hide()
	q.release()
	q.answered()
}

// CaptureKeys keeps keys that a dialog does not handle from the window below it, for
// example after a click beside the dialog's buttons. Esc calls leave. The returned
// function returns the keys to the window.
func CaptureKeys(c fyne.Canvas, leave func()) (release func()) {
	key, r := c.OnTypedKey(), c.OnTypedRune()
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape {
			leave()
		}
	})
	c.SetOnTypedRune(func(rune) {})
	return func() {
		c.SetOnTypedKey(key)
		c.SetOnTypedRune(r)
	}
}
