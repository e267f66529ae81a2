package widgets

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

// Link is a word in a line of text that can be clicked.
type Link struct {
	widget.BaseWidget
	Pressable
	Text *canvas.Text
	ring *FramedRectangle
}

var (
	_ fyne.Tappable     = (*Link)(nil)
	_ fyne.Focusable    = (*Link)(nil)
	_ desktop.Hoverable = (*Link)(nil)
	_ fyne.Accessible   = (*Link)(nil)
)

// NewLink returns a link that calls tapped when clicked.
func NewLink(label string, tapped func()) *Link {
	l := &Link{Text: NewCaption(), ring: NewFramedRectangle(theme.ColorNameHover, theme.ColorNamePrimary)}
	l.Text.Text, l.Text.TextStyle.Bold, l.Text.Color = label, true, color.Transparent
	l.Pressable = Pressable{Press: tapped, Changed: l.paint, Self: l}
	l.ExtendBaseWidget(l)
	l.paint()
	return l
}

func (l *Link) paint() {
	SetText(l.Text, l.Text.Text, theme.ColorNameHyperlink)
	l.ring.Hidden = !l.Hovered && !l.Focused
	l.ring.Line = theme.ColorNameHyperlink
	l.ring.Refresh()
}

// SetText sets the link's text.
func (l *Link) SetText(label string) {
	if l.Text.Text != label {
		l.Text.Text = label
		l.BaseWidget.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (l *Link) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(l.ring, container.New(layout.NewCustomPaddedLayout(0, 0, 5, 5), l.Text)))
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (l *Link) Refresh() {
	l.paint()
	l.BaseWidget.Refresh()
}

// Cursor implements desktop.Cursorable.
func (l *Link) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel implements fyne.Accessible.
func (l *Link) AccessibilityLabel() string { return l.Text.Text }

// AccessibilityRole implements fyne.Accessible.
func (l *Link) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
