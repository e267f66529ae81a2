package widgets

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

// Follow has t follow the theme in the colour of that name.
func Follow(t *canvas.Text, name fyne.ThemeColorName) fyne.CanvasObject {
	f := &following{text: t, color: name}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer implements fyne.Widget.
func (f *following) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(f.text) }

// Visible is Fyne's: what is hidden is the text.
func (f *following) Visible() bool { return f.text.Visible() }

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (f *following) Refresh() {
	f.text.Color = theme.Color(f.color)
	f.BaseWidget.Refresh()
}

// NewCaption returns an empty small, muted text.
func NewCaption() *canvas.Text {
	t := canvas.NewText("", theme.Color(table.ColorMuted))
	t.TextSize = theme.Size(theme.SizeNameCaptionText) + 0.5
	return t
}

// SetText changes only what differs.
func SetText(t *canvas.Text, text string, name fyne.ThemeColorName) {
	c := theme.Color(name)
	if t.Text == text && t.Color == c {
		return
	}
	t.Text, t.Color = text, c
	t.Refresh()
}

// NewMono is text in the face of machines.
func NewMono(text string) *CopyText {
	l := NewCopyText(text)
	l.TextStyle.Monospace, l.Wrapping = true, fyne.TextWrapWord
	return l
}

// NewMark is a text for the shape that marks a state: only the face of commands
// has them all.
func NewMark() *canvas.Text {
	t := canvas.NewText("", color.Transparent)
	t.TextStyle.Monospace = true
	return t
}

// SplitMark takes the shape before the words of a state from them.
func SplitMark(state string) (mark, words string) {
	mark, words, found := strings.Cut(state, " ")
	if !found {
		return "", state
	}
	return mark, words
}

// AccessibleText is what something is and what it says, which may be nothing.
func AccessibleText(what, words string) string {
	if words = strings.TrimSpace(words); words == "" {
		return what
	}
	return what + ": " + words
}
