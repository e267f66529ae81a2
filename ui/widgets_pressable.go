package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
)

// pressable is the part of a widget that is pressed with the mouse, Space or
// Enter, and shows where the pointer and the keyboard are. Who has it sets both
// functions, and itself, so that other keys reach its window.
type pressable struct {
	press   func()
	changed func() // called when hover or focus changed
	self    fyne.CanvasObject
	hover   bool
	focus   bool
}

var (
	_ fyne.Tappable     = (*pressable)(nil)
	_ desktop.Hoverable = (*pressable)(nil)
)

// ring draws a line around the ground of what has the keyboard. Another ground
// alone is too faint for that, or makes the words on it hard to read.
func (p *pressable) ring(ground *themed, name fyne.ThemeColorName) {
	ground.rect.StrokeWidth = 0
	if p.focus {
		ground.rect.StrokeWidth, ground.rect.StrokeColor = 2, theme.Color(name)
	}
}

// Tapped is Fyne's.
func (p *pressable) Tapped(*fyne.PointEvent) { p.press() }

// MouseIn is Fyne's.
func (p *pressable) MouseIn(*desktop.MouseEvent) { p.hover = true; p.changed() }

// MouseMoved is Fyne's.
func (p *pressable) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is Fyne's.
func (p *pressable) MouseOut() { p.hover = false; p.changed() }

// FocusGained is Fyne's.
func (p *pressable) FocusGained() { p.focus = true; p.changed() }

// FocusLost is Fyne's.
func (p *pressable) FocusLost() { p.focus = false; p.changed() }

// TypedRune is Fyne's.
func (p *pressable) TypedRune(r rune) {
	if r == ' ' {
		p.press()
	}
}

// TypedKey is Fyne's.
func (p *pressable) TypedKey(k *fyne.KeyEvent) {
	switch {
	case k.Name == fyne.KeyReturn, k.Name == fyne.KeyEnter:
		p.press()
	case p.self != nil:
		passKey(p.self, k)
	}
}
