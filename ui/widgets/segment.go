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

	"porthole/ui/table"
	"porthole/ui/words"
)

// NewSegmentBar returns segments side by side in one frame.
func NewSegmentBar(segments ...*Segment) fyne.CanvasObject {
	row := container.New(layout.NewCustomPaddedHBoxLayout(0))
	for _, s := range segments {
		row.Add(s)
	}
	return container.NewStack(NewFramedRectangle(theme.ColorNameInputBackground, theme.ColorNameInputBorder), row)
}

// Segment is one of several buttons side by side, of which one or more are selected.
type Segment struct {
	widget.BaseWidget
	Pressable
	label  string
	Number int // the count shown after the label; -1 for none
	Text   *canvas.Text
	Ground *Rectangle
	Chosen bool
	alone  bool // selected independently of its neighbours
}

var (
	_ fyne.Tappable     = (*Segment)(nil)
	_ fyne.Focusable    = (*Segment)(nil)
	_ desktop.Hoverable = (*Segment)(nil)
	_ fyne.Accessible   = (*Segment)(nil)
)

// NewSegment returns a segment that calls tapped when pressed.
func NewSegment(label string, tapped func()) *Segment {
	s := &Segment{label: label, Text: canvas.NewText("", color.Transparent), Ground: NewRectangle(theme.ColorNameHover, fyne.Size{}, 5)}
	s.Pressable = Pressable{Press: tapped, Changed: s.paint, Self: s}
	s.Text.Alignment = fyne.TextAlignCenter
	s.ExtendBaseWidget(s)
	s.Number = -1
	s.paint()
	return s
}

// NewSwitch returns a segment that is switched on and off by itself.
func NewSwitch(label string, tapped func()) *Segment {
	s := NewSegment(label, tapped)
	s.alone = true
	return s
}

// Choose shows the segment as selected or not.
func (s *Segment) Choose(chosen bool) {
	if s.Chosen != chosen {
		s.Chosen = chosen
		s.paint()
	}
}

// Relabel sets the label, and reports whether the segment's width changed.
func (s *Segment) Relabel(label string) (resized bool) {
	before := s.MinSize()
	s.label = label
	s.paint()
	return s.MinSize() != before
}

// Count sets the number, and reports whether the segment's width changed.
func (s *Segment) Count(n int) (resized bool) {
	if s.Number == n {
		return false
	}
	before := s.MinSize()
	s.Number = n
	s.paint()
	return s.MinSize() != before
}

func (s *Segment) paint() {
	name, ring := table.ColorMuted, theme.ColorNamePrimary
	s.Ground.Fill = theme.ColorNameHover
	switch {
	case s.Chosen && s.alone:
		name, s.Ground.Fill = theme.ColorNameForeground, table.ColorSelected
	case s.Chosen:
		name, s.Ground.Fill = theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary
		ring = theme.ColorNameForeground // the focus stays visible on a selected segment
	}
	s.Ground.Hidden = !s.Chosen && !s.Hovered && !s.Focused
	s.ring(s.Ground, ring)
	s.Ground.Refresh()
	s.Text.TextStyle.Bold = s.Chosen
	text := s.label
	if s.Number >= 0 {
		text += " " + words.Number(s.Number)
	}
	SetText(s.Text, text, name)
}

// MinSize implements fyne.CanvasObject. It is the size of the label in bold, so that
// nothing moves when another segment is selected.
func (s *Segment) MinSize() fyne.Size {
	bold := fyne.MeasureText(s.Text.Text, s.Text.TextSize, fyne.TextStyle{Bold: true})
	return fyne.NewSize(bold.Width+2*segmentPadding, s.BaseWidget.MinSize().Height)
}

// segmentPadding is the padding left and right of a segment's label.
const segmentPadding = 11

// CreateRenderer implements fyne.Widget.
func (s *Segment) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(s.Ground, container.New(layout.NewCustomPaddedLayout(6, 6, segmentPadding, segmentPadding), s.Text)))
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (s *Segment) Refresh() {
	s.paint()
	s.BaseWidget.Refresh()
}

// AccessibilityLabel implements fyne.Accessible.
func (s *Segment) AccessibilityLabel() string { return s.Text.Text }

// AccessibilityRole implements fyne.Accessible.
func (s *Segment) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
