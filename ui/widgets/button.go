// Package widgets has the parts that the pages are built of: buttons, toggles, tabs, links, text that
// can be copied, boxes and layouts. They know nothing about ports. All of it belongs to Fyne's
// goroutine.
package widgets

import (
	"cmp"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Button is a button for the keyboard: Enter presses it too, Esc leaves what
// it is in, other keys are the window's, and a ring shows that the keyboard is
// there. Fyne's own button only changes its ground a little.
type Button struct {
	widget.Button
	onEscape func()            // for Esc; may be nil
	Scroll   *container.Scroll // what Up, Down and a page of them move; may be nil
	OnFocus  func()            // it has the keyboard now; may be nil
	danger   bool              // its words are red
	name     string            // for screen readers, where there is only an icon
	Ring     *canvas.Rectangle
}

var _ fyne.Focusable = (*Button)(nil)

// NewKeyButton returns a button; leave is called for Esc and may be nil.
func NewKeyButton(text string, tapped, leave func()) *Button {
	b := &Button{onEscape: leave, Ring: canvas.NewRectangle(color.Transparent)}
	b.Text, b.OnTapped = text, tapped
	b.Ring.StrokeWidth = 2
	b.Ring.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// NewButton is a button that is in nothing which Esc leaves.
func NewButton(text string, tapped func()) *Button { return NewKeyButton(text, tapped, nil) }

// NewIconButton is newButton with an icon instead of words; name says what it does.
func NewIconButton(icon fyne.Resource, name string, tapped func()) *Button {
	b := NewButton("", tapped)
	b.Icon, b.name = icon, name
	return b
}

// AccessibilityLabel implements fyne.Accessible.
func (b *Button) AccessibilityLabel() string { return cmp.Or(b.Text, b.name) }

// TypedKey implements fyne.Focusable.
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch {
	case e.Name == fyne.KeyEscape && b.onEscape != nil:
		b.onEscape()
	case e.Name == fyne.KeyReturn, e.Name == fyne.KeyEnter, e.Name == fyne.KeySpace:
		b.press()
	case b.Scroll != nil && ScrollBy(b.Scroll, e.Name):
	default:
		PassKey(b, e)
	}
}

// press does what a key asks for. The keyboard stays here, where Fyne's own Tapped
// would take it away, unless the button goes with what it does.
func (b *Button) press() {
	if b.Disabled() || b.OnTapped == nil {
		return
	}
	b.OnTapped()
	d := fyne.CurrentApp().Driver()
	hidden := d.AbsolutePositionForObject(b).Y <= 0 // Fyne has no place for what is hidden, and no button of ours touches the edge
	if c := d.CanvasForObject(b); c != nil && c.Focused() == fyne.Focusable(b) && hidden {
		c.Unfocus()
	}
}

// ScrollBy scrolls by what a key asks for, and reports whether it asks for any.
func ScrollBy(s *container.Scroll, key fyne.KeyName) bool {
	const line = 40
	by, ok := map[fyne.KeyName]float32{fyne.KeyUp: -line, fyne.KeyDown: line,
		fyne.KeyPageUp: -s.Size().Height, fyne.KeyPageDown: s.Size().Height}[key]
	if ok {
		s.ScrollToOffset(s.Offset.AddXY(0, by))
	}
	return ok
}

// Reveal scrolls until o, which is in s, is seen.
func Reveal(s *container.Scroll, o fyne.CanvasObject) {
	const margin = 8
	d := fyne.CurrentApp().Driver()
	top := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(s.Content).Y - margin
	bottom := top + o.Size().Height + 2*margin
	switch {
	case top < s.Offset.Y:
		s.ScrollToOffset(fyne.NewPos(0, max(top, 0)))
	case bottom > s.Offset.Y+s.Size().Height:
		s.ScrollToOffset(fyne.NewPos(0, bottom-s.Size().Height))
	}
}

// FocusGained is Fyne's, whose own button takes another ground then, on which red
// words cannot be read.
func (b *Button) FocusGained() {
	b.Ring.Show()
	b.Ring.Refresh()
	if b.OnFocus != nil {
		b.OnFocus()
	}
}

// FocusLost implements fyne.Focusable.
func (b *Button) FocusLost() {
	b.Ring.Hide()
	b.Ring.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	inner := b.Button.CreateRenderer()
	r := &ringRenderer{inner, b, append(inner.Objects(), b.Ring)}
	r.paint()
	return r
}

// ringRenderer is that of Fyne's button, with the ring around it.
type ringRenderer struct {
	fyne.WidgetRenderer
	b       *Button
	objects []fyne.CanvasObject
}

func (r *ringRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *ringRenderer) Layout(s fyne.Size) {
	r.WidgetRenderer.Layout(s)
	r.b.Ring.Resize(s)
}

func (r *ringRenderer) Refresh() {
	r.objects = append(r.WidgetRenderer.Objects(), r.b.Ring) // it may have got its icon meanwhile
	r.WidgetRenderer.Refresh()
	r.paint()
}

// paint gives the ring a colour that is seen on the button's.
func (r *ringRenderer) paint() {
	name := theme.ColorNamePrimary
	if r.b.Importance != widget.MediumImportance && r.b.Importance != widget.LowImportance {
		name = theme.ColorNameForeground
	}
	r.b.Ring.StrokeColor = theme.Color(name)
	r.b.Ring.CornerRadius = theme.Size(theme.SizeNameInputRadius)
	r.b.Ring.Refresh()
	if r.b.danger && !r.b.Disabled() {
		r.warn()
	}
}

// warn makes the words red. Fyne (2.8.1) keeps what has a theme of its own for ever,
// and all that it leads to, and reads the fonts anew for it.
func (r *ringRenderer) warn() {
	for _, o := range r.WidgetRenderer.Objects() {
		if words, ok := o.(*widget.RichText); ok {
			for _, s := range words.Segments {
				if text, ok := s.(*widget.TextSegment); ok {
					text.Style.ColorName = theme.ColorNameError
				}
			}
			words.Refresh()
		}
	}
}

// NewDangerButton returns a button whose words are red.
func NewDangerButton(label string, do func()) *Button {
	b := NewButton(label, do)
	b.danger = true
	return b
}

// ShowIf shows or hides o.
func ShowIf(o fyne.CanvasObject, shown bool) {
	if shown {
		o.Show()
	} else {
		o.Hide()
	}
}

// SetEnabled enables or disables a widget.
func SetEnabled(w fyne.Disableable, enabled bool) {
	if enabled {
		w.Enable()
	} else {
		w.Disable()
	}
}
