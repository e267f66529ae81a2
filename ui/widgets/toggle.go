package widgets

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

// The sizes of a toggle. The position of its knob shows whether it is on.
const (
	toggleWidth  = 36
	toggleHeight = 20
	toggleMargin = 4 // around the knob
)

// Toggle is a switch that is on or off.
type Toggle struct {
	widget.BaseWidget
	Pressable
	label    string // for screen readers
	On       bool
	disabled bool
	track    *canvas.Rectangle
	knob     *canvas.Circle
}

var (
	_ fyne.Tappable     = (*Toggle)(nil)
	_ fyne.Focusable    = (*Toggle)(nil)
	_ fyne.Disableable  = (*Toggle)(nil)
	_ desktop.Hoverable = (*Toggle)(nil)
	_ fyne.Accessible   = (*Toggle)(nil)
)

// NewToggle returns a toggle that is off. chosen is called when the user switches it,
// focused when it gains the keyboard focus.
func NewToggle(label string, chosen func(on bool), focused func()) *Toggle {
	t := &Toggle{label: label, track: canvas.NewRectangle(color.Transparent), knob: canvas.NewCircle(color.Transparent)}
	t.track.CornerRadius = toggleHeight / 2
	t.Pressable = Pressable{
		Press: func() {
			if !t.disabled {
				t.Set(!t.On)
				chosen(t.On)
			}
		},
		Changed: func() {
			t.paint()
			if t.Focused {
				focused()
			}
		},
		Tip: label,
	}
	t.Self = t
	t.ExtendBaseWidget(t)
	t.paint()
	return t
}

// Set shows the toggle on or off, without calling a callback.
func (t *Toggle) Set(on bool) {
	if t.On != on {
		t.On = on
		t.paint()
	}
}

func (t *Toggle) paint() {
	fill, line, knob := table.ColorHeader, table.ColorMuted, table.ColorMuted
	if t.On {
		fill, line, knob = theme.ColorNamePrimary, theme.ColorNamePrimary, theme.ColorNameForegroundOnPrimary
	}
	if t.disabled {
		line = theme.ColorNameDisabled
		if t.On {
			fill = theme.ColorNameDisabled
		} else {
			knob = theme.ColorNameDisabled
		}
	}
	t.track.StrokeWidth = 1.5
	if t.Focused {
		line, t.track.StrokeWidth = theme.ColorNamePrimary, 3
		if t.On { // filled with the primary colour
			line = theme.ColorNameForeground
		}
	}
	t.track.FillColor, t.track.StrokeColor, t.knob.FillColor = theme.Color(fill), theme.Color(line), theme.Color(knob)
	t.placeKnob()
	t.track.Refresh()
	t.knob.Refresh()
}

// placeKnob moves the knob to the left or the right.
func (t *Toggle) placeKnob() {
	const size = toggleHeight - 2*toggleMargin
	x := float32(toggleMargin)
	if t.On {
		x = toggleWidth - toggleMargin - size
	}
	t.track.Resize(fyne.NewSize(toggleWidth, toggleHeight))
	t.knob.Resize(fyne.NewSize(size, size))
	t.knob.Move(fyne.NewPos(x, toggleMargin))
}

// CreateRenderer implements fyne.Widget.
func (t *Toggle) CreateRenderer() fyne.WidgetRenderer {
	return &Renderer{Min: fyne.NewSize(toggleWidth, toggleHeight), Parts: []fyne.CanvasObject{t.track, t.knob}, Place: func(fyne.Size) { t.placeKnob() }, Repaint: t.paint}
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (t *Toggle) Refresh() { t.paint() }

// Enable implements fyne.Disableable.
func (t *Toggle) Enable() { t.disabled = false; t.paint() }

// Disable implements fyne.Disableable.
func (t *Toggle) Disable() { t.disabled = true; t.paint() }

// Disabled implements fyne.Disableable.
func (t *Toggle) Disabled() bool { return t.disabled }

// AccessibilityLabel implements fyne.Accessible.
func (t *Toggle) AccessibilityLabel() string {
	if t.On {
		return lang.L("{{.Setting}}: on", map[string]any{"Setting": t.label})
	}
	return lang.L("{{.Setting}}: off", map[string]any{"Setting": t.label})
}

// AccessibilityRole implements fyne.Accessible.
func (t *Toggle) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
