package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// entry is a text field that leaves the window's shortcuts to the window. Fyne gives
// all shortcuts to the focused field.
type entry struct {
	widget.Entry
	self  fyne.Widget // the widget that embeds this entry
	Label string      // for screen readers
	// OnFocus is called when the field gains the keyboard focus; may be nil.
	OnFocus func()
}

// Extend makes e part of self, which embeds it.
func (e *entry) Extend(self fyne.Widget) {
	e.self = self
	e.ExtendBaseWidget(self)
}

// FocusGained implements fyne.Focusable.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	if e.OnFocus != nil {
		e.OnFocus()
	}
}

// TypedKey implements fyne.Focusable. Function keys go to the window.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyF1, fyne.KeyF5:
		PassKey(e.self, k)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut implements fyne.Shortcutable.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	if _, ours := s.(*desktop.CustomShortcut); !ours {
		return // copy, paste and other editing shortcuts
	}
	canvas := fyne.CurrentApp().Driver().CanvasForObject(e.self)
	if window, ok := canvas.(fyne.Shortcutable); ok {
		window.TypedShortcut(s)
	}
}

// FilterEntry is the filter field. Esc clears it; Down and Enter move to the table.
type FilterEntry struct {
	entry
	Hint  string
	leave func()
}

// NewFilterEntry returns an empty filter field. changed is called with the new text,
// leave for Down and Enter.
func NewFilterEntry(hint string, changed func(string), leave func()) *FilterEntry {
	e := &FilterEntry{Hint: hint, leave: leave}
	e.Label = hint
	e.Extend(e)
	e.SetPlaceHolder(hint)
	e.Icon = theme.SearchIcon()
	e.OnChanged = changed
	return e
}

// Resize implements fyne.CanvasObject. It first shortens the placeholder to the width:
// Fyne would scroll it, and keep its scroll bars.
func (e *FilterEntry) Resize(s fyne.Size) {
	room := s.Width - theme.Size(theme.SizeNameInlineIcon) - 4*theme.Size(theme.SizeNameInnerPadding)
	if hint := table.Fit(e.Hint, room, theme.Size(theme.SizeNameText), e.TextStyle); hint != e.PlaceHolder {
		e.SetPlaceHolder(hint)
	}
	e.entry.Resize(s)
}

// TypedKey implements fyne.Focusable.
func (e *FilterEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		e.SetText("")
	case fyne.KeyDown, fyne.KeyReturn, fyne.KeyEnter:
		e.leave()
	default:
		e.entry.TypedKey(k)
	}
}

// Take gives the field the keyboard focus and selects its text, so that typing replaces it.
func (e *FilterEntry) Take() {
	table.FocusOn(e)
	e.Entry.TypedShortcut(&fyne.ShortcutSelectAll{})
}

// Append appends text that was typed elsewhere in the window to the filter.
func (e *FilterEntry) Append(r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil && !ShowKeysOn(c, r) {
		c.Focus(e)
		e.CursorColumn = len([]rune(e.Text)) // a filter that was set rather than typed leaves it at the beginning
		e.TypedRune(r)
	}
}

// FormEntry is a field whose Enter and Esc are the form's.
type FormEntry struct {
	entry
	Keys func(*fyne.KeyEvent) bool
}

// NewFormEntry returns an empty field. keys gets each key first, and reports whether it used it.
func NewFormEntry(changed func(), keys func(*fyne.KeyEvent) bool) *FormEntry {
	e := &FormEntry{Keys: keys}
	e.Extend(e)
	e.OnChanged = func(string) { changed() }
	return e
}

// TypedKey implements fyne.Focusable.
func (e *FormEntry) TypedKey(k *fyne.KeyEvent) {
	if !e.Keys(k) {
		e.entry.TypedKey(k)
	}
}

// AccessibilityLabel returns the name of the field and its text.
func (e *entry) AccessibilityLabel() string { return AccessibleText(e.Label, e.Text) }

// AccessibilityRole implements fyne.Accessible.
func (*entry) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
