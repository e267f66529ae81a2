package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// textLink is a word in a line that can be pressed.
type textLink struct {
	widget.BaseWidget
	pressable
	text *canvas.Text
	ring *framed
}

var (
	_ fyne.Tappable     = (*textLink)(nil)
	_ fyne.Focusable    = (*textLink)(nil)
	_ desktop.Hoverable = (*textLink)(nil)
	_ fyne.Accessible   = (*textLink)(nil)
)

func newTextLink(label string, tapped func()) *textLink {
	l := &textLink{text: caption(), ring: newFramed(theme.ColorNameHover, theme.ColorNamePrimary)}
	l.text.Text, l.text.TextStyle.Bold, l.text.Color = label, true, color.Transparent
	l.pressable = pressable{press: tapped, changed: l.paint, self: l}
	l.ExtendBaseWidget(l)
	l.paint()
	return l
}

func (l *textLink) paint() {
	setText(l.text, l.text.Text, theme.ColorNameHyperlink)
	l.ring.Hidden = !l.hover && !l.focus
	l.ring.line = theme.ColorNameHyperlink
	l.ring.Refresh()
}

// say changes the word.
func (l *textLink) say(label string) {
	if l.text.Text != label {
		l.text.Text = label
		l.BaseWidget.Refresh()
	}
}

// CreateRenderer is Fyne's.
func (l *textLink) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(l.ring, container.New(layout.NewCustomPaddedLayout(0, 0, 5, 5), l.text)))
}

// Refresh is Fyne's, called when the theme changes.
func (l *textLink) Refresh() {
	l.paint()
	l.BaseWidget.Refresh()
}

// Cursor is Fyne's.
func (l *textLink) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is Fyne's.
func (l *textLink) AccessibilityLabel() string { return l.text.Text }

// AccessibilityRole is Fyne's.
func (l *textLink) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
