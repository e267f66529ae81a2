package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// question asks before something is done that cannot be undone. Fyne's dialogs
// are not used: they bring a file browser along.
type question struct {
	popUp    *widget.PopUp
	yes, no  *keyButton
	title    *canvas.Text
	text     *widget.Label
	answered func() // after either answer
	release  func() // gives the window its keys back
}

// ask shows a question over window, with the keyboard on what does nothing.
func ask(window fyne.Window, title, text, yes string, do, answered func()) *question {
	q := &question{title: canvas.NewText(title, theme.Color(theme.ColorNameForeground)), text: widget.NewLabel(text), answered: answered}
	q.title.TextSize, q.title.TextStyle.Bold = theme.Size(theme.SizeNameSubHeadingText), true
	q.text.Wrapping = fyne.TextWrapWord
	q.yes = newKeyButton(yes, func() {
		q.hide()
		do()
	}, q.hide)
	q.yes.Importance = widget.DangerImportance
	q.no = newKeyButton(lang.L("Keep"), q.hide, q.hide)
	words := container.New(layout.NewCustomPaddedVBoxLayout(4), container.New(layout.NewCustomPaddedLayout(0, 0, 7, 7), q.title),
		container.NewGridWrap(fyne.NewSize(380, 56), q.text))
	buttons := container.NewHBox(layout.NewSpacer(), q.no, q.yes)
	q.popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 10, 12, 12), container.NewVBox(words, buttons)), window.Canvas())
	q.popUp.Show()
	window.Canvas().Focus(q.no)
	q.release = takeKeys(window.Canvas(), q.hide)
	return q
}

func (q *question) hide() {
	q.popUp.Hide()
	q.release()
	q.answered()
}

// takeKeys keeps from a window the keys that nothing in the dialog has a use for,
// as after a click beside its buttons; Esc leaves it. The window has them back after
// release.
func takeKeys(c fyne.Canvas, leave func()) (release func()) {
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
