package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// CopyText is text that can be copied: a right click copies it whole, or the part
// that the mouse has selected, which Ctrl+C copies too. The selecting is Fyne's
// label's. But the part of a label that selects takes the keyboard at Tab, shows
// that nowhere, and keeps every key from the window, Esc and Ctrl+W among them. So
// it stays out of the window's tree here: only what it paints is in it, and it
// hears of the mouse from the copyText, which gives all keys on.
type CopyText struct {
	widget.Label
	selector selector            // nil before there is a renderer
	marks    fyne.WidgetRenderer // what selector paints
	selected bool                // it has the keyboard, and its marks are seen
}

// selector is the part of a label that selects.
type selector interface {
	fyne.Widget
	fyne.Focusable
	fyne.Draggable
	fyne.DoubleTappable
	desktop.Mouseable
}

// It is Disableable, and always disabled, so that Tab passes it: Fyne lets the
// mouse select a text that is disabled.
var (
	_ fyne.Disableable       = (*CopyText)(nil)
	_ fyne.Focusable         = (*CopyText)(nil)
	_ fyne.SecondaryTappable = (*CopyText)(nil)
	_ fyne.DoubleTappable    = (*CopyText)(nil)
	_ fyne.Draggable         = (*CopyText)(nil)
	_ desktop.Mouseable      = (*CopyText)(nil)
	_ desktop.Cursorable     = (*CopyText)(nil)
)

// NewCopyText returns text that can be copied.
func NewCopyText(text string) *CopyText {
	t := &CopyText{}
	t.ExtendBaseWidget(t)
	t.Text, t.Selectable = text, true
	return t
}

// CreateRenderer returns the label's, without the part that selects.
func (t *CopyText) CreateRenderer() fyne.WidgetRenderer {
	r := &copyTextRenderer{t.Label.CreateRenderer(), t}
	for _, o := range r.WidgetRenderer.Objects() {
		if s, ok := o.(selector); ok {
			t.selector, t.marks = s, s.CreateRenderer()
		}
	}
	return r
}

// forward lets the part that selects hear of something, and paints what came of it.
func (t *CopyText) forward(hear func(selector)) {
	if t.selector == nil {
		return
	}
	hear(t.selector)
	t.mark()
	canvas.Refresh(t)
}

// mark puts the marks where the letters are: Fyne's are for a text with a border.
func (t *CopyText) mark() {
	t.marks.Refresh()
	for _, m := range t.marks.Objects() {
		m.Move(m.Position().AddXY(0, t.Theme().Size(theme.SizeNameInputBorder)))
	}
}

// MouseDown begins to select, and lets go of what was selected.
func (t *CopyText) MouseDown(e *desktop.MouseEvent) {
	if e.Button != desktop.MouseButtonPrimary {
		return // a menu comes, about what is selected
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		c.Focus(t)
	}
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.MouseDown(&at) })
}

// inLine is where Fyne takes a place for one in the line that is painted there: it
// counts the room between lines above each, and leaves it below.
func (t *CopyText) inLine(p fyne.Position) fyne.Position {
	return p.SubtractXY(0, t.Theme().Size(theme.SizeNameLineSpacing))
}

// MouseUp ends a click.
func (t *CopyText) MouseUp(e *desktop.MouseEvent) { t.forward(func(s selector) { s.MouseUp(e) }) }

// Dragged selects as far as the pointer is.
func (t *CopyText) Dragged(e *fyne.DragEvent) {
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.Dragged(&at) })
}

// DragEnd ends the selecting.
func (t *CopyText) DragEnd() { t.forward(selector.DragEnd) }

// DoubleTapped selects a word.
func (t *CopyText) DoubleTapped(e *fyne.PointEvent) {
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.DoubleTapped(&at) })
}

// Cursor is that of text.
func (t *CopyText) Cursor() desktop.Cursor { return desktop.TextCursor }

// FocusGained shows what is selected.
func (t *CopyText) FocusGained() {
	t.selected = true
	t.forward(selector.FocusGained)
}

// FocusLost hides what was selected.
func (t *CopyText) FocusLost() {
	t.selected = false
	t.forward(selector.FocusLost)
}

// TypedKey gives every key to the window.
func (t *CopyText) TypedKey(e *fyne.KeyEvent) { PassKey(t, e) }

// TypedRune shows the keys where they are asked for.
func (t *CopyText) TypedRune(r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		ShowKeysOn(c, r)
	}
}

// Disabled says that Tab passes this.
func (t *CopyText) Disabled() bool { return true }

// Disable changes nothing.
func (t *CopyText) Disable() {}

// Enable changes nothing.
func (t *CopyText) Enable() {}

// TappedSecondary offers to copy what is selected, or all.
func (t *CopyText) TappedSecondary(e *fyne.PointEvent) {
	app := fyne.CurrentApp()
	c := app.Driver().CanvasForObject(t)
	if c == nil || t.Text == "" {
		return
	}
	item := func(label, text string) *fyne.MenuItem {
		return fyne.NewMenuItem(label, func() { app.Clipboard().SetContent(text) })
	}
	menu := fyne.NewMenu("", item(lang.L("Copy"), t.Text))
	if part := t.Part(); part != "" {
		menu.Items = []*fyne.MenuItem{item(lang.L("Copy"), part), item(lang.L("Copy all"), t.Text)}
	}
	widget.ShowPopUpMenuAtPosition(menu, c, e.AbsolutePosition)
}

// Part is what is seen to be selected.
func (t *CopyText) Part() string {
	if !t.selected {
		return ""
	}
	return t.SelectedText()
}

// SelectedText is the text that is selected in a window.
func SelectedText(c fyne.Canvas) string {
	if t, ok := c.Focused().(*CopyText); ok {
		return t.Part()
	}
	return ""
}

type copyTextRenderer struct {
	fyne.WidgetRenderer
	text *CopyText
}

// Objects are the marks of what is selected, and the text on them.
func (r *copyTextRenderer) Objects() []fyne.CanvasObject {
	all := r.WidgetRenderer.Objects()
	if r.text.marks == nil {
		return all
	}
	text := all[len(all)-1:]
	if marks := r.text.marks.Objects(); len(marks) > 0 {
		return slices.Concat(marks, text)
	}
	return text
}

// Refresh shows another text, of which nothing is selected.
func (r *copyTextRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	if r.text.marks != nil {
		r.text.mark()
	}
}

// AccessibilityLabel is the text.
func (t *CopyText) AccessibilityLabel() string { return t.Text }

// AccessibilityRole implements fyne.Accessible.
func (*CopyText) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
