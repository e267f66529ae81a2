package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// following is a text that follows the theme: a text of Fyne's canvas keeps the
// colour that it was made in.
type following struct {
	widget.BaseWidget
	text  *canvas.Text
	color fyne.ThemeColorName
}

// follow has t follow the theme in the colour of that name.
func follow(t *canvas.Text, name fyne.ThemeColorName) fyne.CanvasObject {
	f := &following{text: t, color: name}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer is Fyne's.
func (f *following) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(f.text) }

// Visible is Fyne's: what is hidden is the text.
func (f *following) Visible() bool { return f.text.Visible() }

// Refresh is Fyne's, called when the theme changes.
func (f *following) Refresh() {
	f.text.Color = theme.Color(f.color)
	f.BaseWidget.Refresh()
}

func caption() *canvas.Text {
	t := canvas.NewText("", theme.Color(table.ColorMuted))
	t.TextSize = theme.Size(theme.SizeNameCaptionText) + 0.5
	return t
}

// setText changes only what differs.
func setText(t *canvas.Text, text string, name fyne.ThemeColorName) {
	c := theme.Color(name)
	if t.Text == text && t.Color == c {
		return
	}
	t.Text, t.Color = text, c
	t.Refresh()
}

// mono is text in the face of machines.
func mono(text string) *copyText {
	l := newCopyText(text)
	l.TextStyle.Monospace, l.Wrapping = true, fyne.TextWrapWord
	return l
}

// newMark is a text for the shape that marks a state: only the face of commands
// has them all.
func newMark() *canvas.Text {
	t := canvas.NewText("", color.Transparent)
	t.TextStyle.Monospace = true
	return t
}

// splitMark takes the shape before the words of a state from them.
func splitMark(state string) (mark, words string) {
	mark, words, found := strings.Cut(state, " ")
	if !found {
		return "", state
	}
	return mark, words
}

// labelWithText is what something is and what it says, which may be nothing.
func labelWithText(what, words string) string {
	if words = strings.TrimSpace(words); words == "" {
		return what
	}
	return what + ": " + words
}
