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

// themedText is a text that follows the theme. A canvas.Text alone keeps the colour it
// was created with.
type themedText struct {
	widget.BaseWidget
	text  *canvas.Text
	color fyne.ThemeColorName
}

// Follow returns an object that shows t in the theme's colour of that name, also after
// the theme changes.
func Follow(t *canvas.Text, name fyne.ThemeColorName) fyne.CanvasObject {
	f := &themedText{text: t, color: name}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer implements fyne.Widget.
func (f *themedText) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(f.text) }

// Visible implements fyne.CanvasObject. It reports the visibility of the text.
func (f *themedText) Visible() bool { return f.text.Visible() }

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (f *themedText) Refresh() {
	f.text.Color = theme.Color(f.color)
	f.BaseWidget.Refresh()
}

// NewCaption returns an empty small, muted text.
func NewCaption() *canvas.Text {
	t := NewText("", table.ColorMuted)
	t.TextSize = theme.Size(theme.SizeNameCaptionText) + 0.5
	return t
}

// SetText sets the text and its colour, which follows the theme (see Recolour). It refreshes t
// only if one of them changed.
func SetText(t *canvas.Text, text string, name fyne.ThemeColorName) {
	remember(themed.texts, t, name)
	c := theme.Color(name)
	if t.Text == text && t.Color == c {
		return
	}
	t.Text, t.Color = text, c
	t.Refresh()
}

// NewMono returns copyable text in the monospaced font.
func NewMono(text string) *CopyText {
	l := NewCopyText(text)
	l.TextStyle.Monospace, l.Wrapping = true, fyne.TextWrapWord
	return l
}

// NewSymbol returns a text for the symbol that marks a state. It is monospaced, because
// only that font has all the symbols.
func NewSymbol() *canvas.Text {
	t := canvas.NewText("", color.Transparent)
	t.TextStyle.Monospace = true
	return t
}

// SplitSymbol splits the text of a state into its symbol and its words.
func SplitSymbol(state string) (mark, words string) {
	mark, words, found := strings.Cut(state, " ")
	if !found {
		return "", state
	}
	return mark, words
}

// AccessibleText joins what an object is and what it shows, which may be "".
func AccessibleText(what, words string) string {
	if words = strings.TrimSpace(words); words == "" {
		return what
	}
	return what + ": " + words
}
