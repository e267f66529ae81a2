package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/tooltip"
)

// Pressable is embedded in a widget that is pressed with the mouse, Space or Enter and
// shows hover and focus. The widget sets both functions and Self, so that other keys
// reach its window.
type Pressable struct {
	Press   func()
	Changed func() // called when hover or focus changed
	Self    fyne.CanvasObject
	Tip     string // shown beside the resting pointer; "" for none
	Hovered bool
	Focused bool
}

var (
	_ fyne.Tappable     = (*Pressable)(nil)
	_ desktop.Hoverable = (*Pressable)(nil)
)

// ring outlines the background of a widget with the keyboard focus. A different
// background alone is too faint, or makes the text on it hard to read.
func (p *Pressable) ring(ground *Rectangle, name fyne.ThemeColorName) {
	ground.Rect.StrokeWidth = 0
	if p.Focused {
		ground.Rect.StrokeWidth, ground.Rect.StrokeColor = 2, theme.Color(name)
	}
}

// Tapped implements fyne.Tappable.
func (p *Pressable) Tapped(*fyne.PointEvent) {
	tooltip.Hide()
	p.Press()
}

// MouseIn implements desktop.Hoverable.
func (p *Pressable) MouseIn(e *desktop.MouseEvent) {
	p.Hovered = true
	p.Changed()
	p.MouseMoved(e)
}

// MouseMoved implements desktop.Hoverable.
func (p *Pressable) MouseMoved(e *desktop.MouseEvent) {
	if e != nil && p.Tip != "" && p.Self != nil {
		tooltip.Point(p.Self, p.Tip, e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (p *Pressable) MouseOut() {
	p.Hovered = false
	p.Changed()
	if p.Self != nil {
		tooltip.Leave(p.Self)
	}
}

// FocusGained implements fyne.Focusable.
func (p *Pressable) FocusGained() { p.Focused = true; p.Changed() }

// FocusLost implements fyne.Focusable.
func (p *Pressable) FocusLost() { p.Focused = false; p.Changed() }

// TypedRune implements fyne.Focusable.
func (p *Pressable) TypedRune(r rune) {
	if r == ' ' {
		p.Press()
	}
}

// TypedKey implements fyne.Focusable.
func (p *Pressable) TypedKey(k *fyne.KeyEvent) {
	switch {
	case k.Name == fyne.KeyReturn, k.Name == fyne.KeyEnter:
		p.Press()
	case p.Self != nil:
		PassKey(p.Self, k)
	}
}
