package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// The measures of a toggle: the place of its knob says whether it is on.
const (
	toggleWidth  = 36
	toggleHeight = 20
	toggleMargin = 4 // around the knob
)

// toggle is a switch that is on or off.
type toggle struct {
	widget.BaseWidget
	pressable
	label    string // for screen readers
	on       bool
	disabled bool
	track    *canvas.Rectangle
	knob     *canvas.Circle
}

var (
	_ fyne.Tappable     = (*toggle)(nil)
	_ fyne.Focusable    = (*toggle)(nil)
	_ fyne.Disableable  = (*toggle)(nil)
	_ desktop.Hoverable = (*toggle)(nil)
	_ fyne.Accessible   = (*toggle)(nil)
)

// newToggle returns a toggle that is off. chosen is called when the user wants
// it otherwise, focused when it gets the keyboard.
func newToggle(label string, chosen func(on bool), focused func()) *toggle {
	t := &toggle{label: label, track: canvas.NewRectangle(color.Transparent), knob: canvas.NewCircle(color.Transparent)}
	t.track.CornerRadius = toggleHeight / 2
	t.pressable = pressable{
		press: func() {
			if !t.disabled {
				t.set(!t.on)
				chosen(t.on)
			}
		},
		changed: func() {
			t.paint()
			if t.focus {
				focused()
			}
		},
	}
	t.ExtendBaseWidget(t)
	t.paint()
	return t
}

// set shows it on or off, without a word to anyone.
func (t *toggle) set(on bool) {
	if t.on != on {
		t.on = on
		t.paint()
	}
}

func (t *toggle) paint() {
	fill, line, knob := table.ColorHeader, table.ColorMuted, table.ColorMuted
	if t.on {
		fill, line, knob = theme.ColorNamePrimary, theme.ColorNamePrimary, theme.ColorNameForegroundOnPrimary
	}
	if t.disabled {
		line = theme.ColorNameDisabled
		if t.on {
			fill = theme.ColorNameDisabled
		} else {
			knob = theme.ColorNameDisabled
		}
	}
	t.track.StrokeWidth = 1.5
	if t.focus {
		line, t.track.StrokeWidth = theme.ColorNamePrimary, 3
		if t.on { // and so filled
			line = theme.ColorNameForeground
		}
	}
	t.track.FillColor, t.track.StrokeColor, t.knob.FillColor = theme.Color(fill), theme.Color(line), theme.Color(knob)
	t.place()
	t.track.Refresh()
	t.knob.Refresh()
}

// place puts the knob left or right.
func (t *toggle) place() {
	const size = toggleHeight - 2*toggleMargin
	x := float32(toggleMargin)
	if t.on {
		x = toggleWidth - toggleMargin - size
	}
	t.track.Resize(fyne.NewSize(toggleWidth, toggleHeight))
	t.knob.Resize(fyne.NewSize(size, size))
	t.knob.Move(fyne.NewPos(x, toggleMargin))
}

// CreateRenderer is Fyne's.
func (t *toggle) CreateRenderer() fyne.WidgetRenderer { return toggleRenderer{t} }

// Refresh is Fyne's, called when the theme changes.
func (t *toggle) Refresh() { t.paint() }

// Enable is Fyne's.
func (t *toggle) Enable() { t.disabled = false; t.paint() }

// Disable is Fyne's.
func (t *toggle) Disable() { t.disabled = true; t.paint() }

// Disabled is Fyne's.
func (t *toggle) Disabled() bool { return t.disabled }

// AccessibilityLabel is Fyne's.
func (t *toggle) AccessibilityLabel() string {
	if t.on {
		return lang.L("{{.Setting}}: on", map[string]any{"Setting": t.label})
	}
	return lang.L("{{.Setting}}: off", map[string]any{"Setting": t.label})
}

// AccessibilityRole is Fyne's.
func (t *toggle) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// toggleRenderer is Fyne's view of a toggle.
type toggleRenderer struct{ t *toggle }

func (r toggleRenderer) Layout(fyne.Size)   { r.t.place() }
func (r toggleRenderer) MinSize() fyne.Size { return fyne.NewSize(toggleWidth, toggleHeight) }
func (r toggleRenderer) Refresh()           { r.t.paint() }
func (r toggleRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.track, r.t.knob}
}
func (r toggleRenderer) Destroy() {}
