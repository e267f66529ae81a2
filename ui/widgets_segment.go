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

	"porthole/ui/table"
)

// segmentBar puts segments side by side into one frame.
func segmentBar(segments ...*segment) fyne.CanvasObject {
	row := container.New(layout.NewCustomPaddedHBoxLayout(0))
	for _, s := range segments {
		row.Add(s)
	}
	return container.NewStack(newFramed(theme.ColorNameInputBackground, theme.ColorNameInputBorder), row)
}

// segment is one of several buttons side by side, which is chosen or not.
type segment struct {
	widget.BaseWidget
	pressable
	label  string
	number int // how many things it stands for; -1 where it counts none
	text   *canvas.Text
	ground *themed
	chosen bool
	alone  bool // chosen for itself, whatever its neighbours are
}

var (
	_ fyne.Tappable     = (*segment)(nil)
	_ fyne.Focusable    = (*segment)(nil)
	_ desktop.Hoverable = (*segment)(nil)
	_ fyne.Accessible   = (*segment)(nil)
)

func newSegment(label string, tapped func()) *segment {
	s := &segment{label: label, text: canvas.NewText("", color.Transparent), ground: newThemed(theme.ColorNameHover, fyne.Size{}, 5)}
	s.pressable = pressable{press: tapped, changed: s.paint, self: s}
	s.text.Alignment = fyne.TextAlignCenter
	s.ExtendBaseWidget(s)
	s.number = -1
	s.paint()
	return s
}

// newSwitch is a segment that does not stand for one of several.
func newSwitch(label string, tapped func()) *segment {
	s := newSegment(label, tapped)
	s.alone = true
	return s
}

func (s *segment) choose(chosen bool) {
	if s.chosen != chosen {
		s.chosen = chosen
		s.paint()
	}
}

// count shows a number, and reports whether it takes another room than before.
func (s *segment) count(n int) (resized bool) {
	if s.number == n {
		return false
	}
	before := s.MinSize()
	s.number = n
	s.paint()
	return s.MinSize() != before
}

func (s *segment) paint() {
	name, ring := table.ColorMuted, theme.ColorNamePrimary
	s.ground.fill = theme.ColorNameHover
	switch {
	case s.chosen && s.alone:
		name, s.ground.fill = theme.ColorNameForeground, table.ColorSelected
	case s.chosen:
		name, s.ground.fill = theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary
		ring = theme.ColorNameForeground // the keyboard is seen on the chosen one too
	}
	s.ground.Hidden = !s.chosen && !s.hover && !s.focus
	s.ring(s.ground, ring)
	s.ground.Refresh()
	s.text.TextStyle.Bold = s.chosen
	words := s.label
	if s.number >= 0 {
		words += " " + formatInt(s.number)
	}
	setText(s.text, words, name)
}

// MinSize is Fyne's: that of the words in bold, so that nothing moves when
// another one is chosen.
func (s *segment) MinSize() fyne.Size {
	bold := fyne.MeasureText(s.text.Text, s.text.TextSize, fyne.TextStyle{Bold: true})
	return fyne.NewSize(bold.Width+2*segmentPadding, s.BaseWidget.MinSize().Height)
}

// segmentPadding is left and right of a segment's words.
const segmentPadding = 11

// CreateRenderer is Fyne's.
func (s *segment) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(s.ground, container.New(layout.NewCustomPaddedLayout(6, 6, segmentPadding, segmentPadding), s.text)))
}

// Refresh is Fyne's, called when the theme changes.
func (s *segment) Refresh() {
	s.paint()
	s.BaseWidget.Refresh()
}

// AccessibilityLabel is Fyne's.
func (s *segment) AccessibilityLabel() string { return s.text.Text }

// AccessibilityRole is Fyne's.
func (s *segment) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
