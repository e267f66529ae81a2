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

// CopyText is a label whose text can be selected with the mouse and copied with
// Ctrl+C or from its context menu. Selection is done by the internal selection widget
// of Fyne's label. That widget takes the focus on Tab without showing it and swallows
// all keys, also Esc and Ctrl+W. CopyText therefore keeps it out of the window's
// object tree, draws its highlights, forwards mouse events to it, and passes all keys
// to the window.
type CopyText struct {
	widget.Label
	selector   selector            // nil until there is a renderer
	highlights fyne.WidgetRenderer // the renderer of selector: the highlights
	selected   bool                // has the keyboard focus and shows its selection
}

// selector is the internal widget of Fyne's label that selects text.
type selector interface {
	fyne.Widget
	fyne.Focusable
	fyne.Draggable
	fyne.DoubleTappable
	desktop.Mouseable
}

// CopyText is Disableable and always disabled, so that Tab skips it; Fyne lets the
// mouse select disabled text.
var (
	_ fyne.Disableable       = (*CopyText)(nil)
	_ fyne.Focusable         = (*CopyText)(nil)
	_ fyne.SecondaryTappable = (*CopyText)(nil)
	_ fyne.DoubleTappable    = (*CopyText)(nil)
	_ fyne.Draggable         = (*CopyText)(nil)
	_ desktop.Mouseable      = (*CopyText)(nil)
	_ desktop.Cursorable     = (*CopyText)(nil)
)

// NewCopyText returns a CopyText that shows text.
func NewCopyText(text string) *CopyText {
	t := &CopyText{}
	t.ExtendBaseWidget(t)
	t.Text, t.Selectable = text, true
	return t
}

// CreateRenderer implements fyne.Widget. It returns the label's renderer without the
// selection widget.
func (t *CopyText) CreateRenderer() fyne.WidgetRenderer {
	r := &copyTextRenderer{t.Label.CreateRenderer(), t}
	for _, o := range r.WidgetRenderer.Objects() {
		if s, ok := o.(selector); ok {
			t.selector, t.highlights = s, s.CreateRenderer()
		}
	}
	return r
}

// forward passes an event to the selection widget and redraws the highlights.
func (t *CopyText) forward(hear func(selector)) {
	if t.selector == nil {
		return
	}
	hear(t.selector)
	t.placeHighlights()
	canvas.Refresh(t)
}

// placeHighlights moves the highlights to the letters: Fyne places them for a text with a border.
func (t *CopyText) placeHighlights() {
	t.highlights.Refresh()
	for _, m := range t.highlights.Objects() {
		m.Move(m.Position().AddXY(0, t.Theme().Size(theme.SizeNameInputBorder)))
	}
}

// MouseDown starts a selection and clears the previous one.
func (t *CopyText) MouseDown(e *desktop.MouseEvent) {
	if e.Button != desktop.MouseButtonPrimary {
		return // the context menu needs the selection
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		c.Focus(t)
	}
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.MouseDown(&at) })
}

// inLine converts a position so that Fyne's selection widget finds the line drawn
// there: it counts the line spacing above each line, but draws it below.
func (t *CopyText) inLine(p fyne.Position) fyne.Position {
	return p.SubtractXY(0, t.Theme().Size(theme.SizeNameLineSpacing))
}

// MouseUp ends a click.
func (t *CopyText) MouseUp(e *desktop.MouseEvent) { t.forward(func(s selector) { s.MouseUp(e) }) }

// Dragged extends the selection to the pointer.
func (t *CopyText) Dragged(e *fyne.DragEvent) {
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.Dragged(&at) })
}

// DragEnd ends the selection.
func (t *CopyText) DragEnd() { t.forward(selector.DragEnd) }

// DoubleTapped selects a word.
func (t *CopyText) DoubleTapped(e *fyne.PointEvent) {
	at := *e
	at.Position = t.inLine(e.Position)
	t.forward(func(s selector) { s.DoubleTapped(&at) })
}

// Cursor returns the text cursor.
func (t *CopyText) Cursor() desktop.Cursor { return desktop.TextCursor }

// FocusGained shows the selection.
func (t *CopyText) FocusGained() {
	t.selected = true
	t.forward(selector.FocusGained)
}

// FocusLost hides the selection.
func (t *CopyText) FocusLost() {
	t.selected = false
	t.forward(selector.FocusLost)
}

// TypedKey passes every key to the window.
func (t *CopyText) TypedKey(e *fyne.KeyEvent) { PassKey(t, e) }

// TypedRune shows the keyboard overlay for "?".
func (t *CopyText) TypedRune(r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		ShowKeysOn(c, r)
	}
}

// Disabled returns true, so that Tab skips the text.
func (t *CopyText) Disabled() bool { return true }

// Disable does nothing.
func (t *CopyText) Disable() {}

// Enable does nothing.
func (t *CopyText) Enable() {}

// TappedSecondary shows a menu that copies the selection or the whole text.
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
	if part := t.Selection(); part != "" {
		menu.Items = []*fyne.MenuItem{item(lang.L("Copy"), part), item(lang.L("Copy all"), t.Text)}
	}
	widget.ShowPopUpMenuAtPosition(menu, c, e.AbsolutePosition)
}

// Selection returns the visible selection, "" if there is none.
func (t *CopyText) Selection() string {
	if !t.selected {
		return ""
	}
	return t.SelectedText()
}

// SelectedText returns the text that is selected in a window, "" if there is none.
func SelectedText(c fyne.Canvas) string {
	if t, ok := c.Focused().(*CopyText); ok {
		return t.Selection()
	}
	return ""
}

type copyTextRenderer struct {
	fyne.WidgetRenderer
	text *CopyText
}

// Objects returns the highlights and the text above them.
func (r *copyTextRenderer) Objects() []fyne.CanvasObject {
	all := r.WidgetRenderer.Objects()
	if r.text.highlights == nil {
		return all
	}
	text := all[len(all)-1:]
	if marks := r.text.highlights.Objects(); len(marks) > 0 {
		return slices.Concat(marks, text)
	}
	return text
}

// Refresh redraws the text and the highlights.
func (r *copyTextRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	if r.text.highlights != nil {
		r.text.placeHighlights()
	}
}

// AccessibilityLabel returns the text.
func (t *CopyText) AccessibilityLabel() string { return t.Text }

// AccessibilityRole implements fyne.Accessible.
func (*CopyText) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
