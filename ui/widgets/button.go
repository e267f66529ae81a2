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
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/tooltip"
)

// Button is a button with full keyboard support: Enter and Space press it, Esc runs
// an action of its container, and other keys are passed to the window. A ring shows
// the keyboard focus; Fyne's own button only changes its background slightly.
type Button struct {
	widget.Button
	onEscape func()            // called for Esc; may be nil
	Scroll   *container.Scroll // scrolled by Up, Down, Page Up and Page Down; may be nil
	OnFocus  func()            // called when the button gains the keyboard focus; may be nil
	Tip      string            // shown beside the resting pointer; "" for the name of an icon
	danger   bool              // the label is red
	name     string            // for screen readers, if the button shows only an icon
	Ring     *canvas.Rectangle // visible while the button has the keyboard focus
}

var _ fyne.Focusable = (*Button)(nil)

// NewKeyButton returns a button. tapped is called when it is pressed, and leave for
// Esc; leave may be nil.
func NewKeyButton(text string, tapped, leave func()) *Button {
	b := &Button{onEscape: leave, Ring: canvas.NewRectangle(color.Transparent)}
	b.Text, b.OnTapped = text, tapped
	b.Ring.StrokeWidth = 2
	b.Ring.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// NewButton returns a button that does nothing for Esc.
func NewButton(text string, tapped func()) *Button { return NewKeyButton(text, tapped, nil) }

// NewIconButton returns a button that shows an icon. name describes its action,
// for screen readers.
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

// MouseIn implements desktop.Hoverable.
func (b *Button) MouseIn(e *desktop.MouseEvent) {
	b.Button.MouseIn(e)
	b.MouseMoved(e)
}

// MouseMoved implements desktop.Hoverable.
func (b *Button) MouseMoved(e *desktop.MouseEvent) {
	tip := b.Tip
	if b.Text == "" {
		tip = cmp.Or(tip, b.name)
	}
	if e != nil && tip != "" {
		tooltip.Point(b, tip, e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (b *Button) MouseOut() {
	b.Button.MouseOut()
	tooltip.Leave(b)
}

// Tapped implements fyne.Tappable.
func (b *Button) Tapped(e *fyne.PointEvent) {
	tooltip.Hide()
	b.Button.Tapped(e)
}

// press runs the button's action for a key. The button keeps the keyboard focus,
// which Fyne's own Tapped would take away, unless the action hides the button.
func (b *Button) press() {
	if b.Disabled() || b.OnTapped == nil {
		return
	}
	b.OnTapped()
	d := fyne.CurrentApp().Driver()
	hidden := d.AbsolutePositionForObject(b).Y <= 0 // Fyne returns no position for hidden objects, and no button touches the window's edge
	if c := d.CanvasForObject(b); c != nil && c.Focused() == fyne.Focusable(b) && hidden {
		c.Unfocus()
	}
}

// ScrollBy scrolls s by a line or a page for a key, and reports whether the key
// scrolls.
func ScrollBy(s *container.Scroll, key fyne.KeyName) bool {
	const line = 40
	by, ok := map[fyne.KeyName]float32{fyne.KeyUp: -line, fyne.KeyDown: line,
		fyne.KeyPageUp: -s.Size().Height, fyne.KeyPageDown: s.Size().Height}[key]
	if ok {
		s.ScrollToOffset(s.Offset.AddXY(0, by))
	}
	return ok
}

// Reveal scrolls s until o, which is inside it, is visible.
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

// FocusGained implements fyne.Focusable. It does not call Fyne's own, which changes
// the background so that a red label cannot be read.
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

// ringRenderer is the renderer of Fyne's button with a ring around it.
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
	r.objects = append(r.WidgetRenderer.Objects(), r.b.Ring) // an icon may have been set meanwhile
	r.WidgetRenderer.Refresh()
	r.paint()
}

// paint gives the ring a colour that contrasts with the button's.
func (r *ringRenderer) paint() {
	name := theme.ColorNamePrimary
	if r.b.Importance != widget.MediumImportance && r.b.Importance != widget.LowImportance {
		name = theme.ColorNameForeground
	}
	r.b.Ring.StrokeColor = theme.Color(name)
	r.b.Ring.CornerRadius = theme.Size(theme.SizeNameInputRadius)
	r.b.Ring.Refresh()
	if r.b.danger && !r.b.Disabled() {
		r.paintLabelRed()
	}
}

// paintLabelRed makes the label red. It sets the colour of the text segments instead of using
// a theme override, because Fyne 2.8.1 never frees an object with a theme of its own,
// or anything reachable from it, and loads the fonts again for it.
func (r *ringRenderer) paintLabelRed() {
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

// NewDangerButton returns a button with a red label. leave is called for Esc; it may be nil.
func NewDangerButton(label string, do, leave func()) *Button {
	b := NewKeyButton(label, do, leave)
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
