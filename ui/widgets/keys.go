package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
)

// Chord is a key with the modifiers that are pressed with it.
type Chord struct {
	Key fyne.KeyName
	Mod fyne.KeyModifier
}

// Ctrl returns the chord of a key with Ctrl, or with Command on macOS.
func Ctrl(key fyne.KeyName) Chord { return Chord{key, fyne.KeyModifierShortcutDefault} }

// The chords for which Fyne has shortcut types of their own.
var (
	CopyKeys = Ctrl(fyne.KeyC)
	UndoKeys = Ctrl(fyne.KeyZ)
)

// The chords that zoom. Keyboards have Plus with or without Shift, and on the number block.
var (
	ZoomInKeys    = Ctrl(fyne.KeyPlus)
	ZoomOutKeys   = Ctrl(fyne.KeyMinus)
	ZoomResetKeys = Ctrl(fyne.Key0)
)

// Shortcut returns the Fyne shortcut for c.
func (c Chord) Shortcut() fyne.Shortcut {
	switch c {
	case CopyKeys:
		return &fyne.ShortcutCopy{}
	case UndoKeys:
		return &fyne.ShortcutUndo{}
	}
	return &desktop.CustomShortcut{KeyName: c.Key, Modifier: c.Mod}
}

// String returns the translated names of the keys: "Ctrl+F".
func (c Chord) String() string {
	var parts []string
	for _, m := range []struct {
		mod  fyne.KeyModifier
		name string
	}{{fyne.KeyModifierControl, lang.L("Ctrl")}, {fyne.KeyModifierAlt, lang.L("Alt")}, {fyne.KeyModifierShift, lang.L("Shift")}, {fyne.KeyModifierSuper, "⌘"}} {
		if c.Mod&m.mod != 0 {
			parts = append(parts, m.name)
		}
	}
	return strings.Join(append(parts, c.keyName()), "+")
}

// keyName returns the translated name of the key alone. After a modifier the signs have names,
// because "Ctrl++" is hard to read.
func (c Chord) keyName() string {
	switch {
	case c.Mod != 0 && c.Key == fyne.KeyPlus:
		return lang.L("Plus")
	case c.Mod != 0 && c.Key == fyne.KeyMinus:
		return lang.L("Minus")
	}
	names := map[fyne.KeyName]string{
		fyne.KeyReturn: lang.L("Enter"), fyne.KeyEscape: lang.L("Esc"), fyne.KeySpace: lang.L("Space"), fyne.KeyDelete: lang.L("Del"), fyne.KeyInsert: lang.L("Ins"),
		fyne.KeyPageUp: lang.L("PgUp"), fyne.KeyPageDown: lang.L("PgDn"), fyne.KeyHome: lang.L("Home"), fyne.KeyEnd: lang.L("End"), desktop.KeyMenu: lang.L("Menu"),
		fyne.KeyUp: lang.L("Up"), fyne.KeyDown: lang.L("Down"), fyne.KeyLeft: lang.L("Left"), fyne.KeyRight: lang.L("Right"),
	}
	if name, ok := names[c.Key]; ok {
		return name
	}
	return string(c.Key)
}

// Binding is one line of the keyboard overlay: keys and their action.
type Binding struct {
	Label string
	Keys  []Chord
	Do    func() // nil if a widget handles the keys itself, as the table does

	always bool // works also while a dialog or a menu is open
}

// Also returns a copy of b that works also while a dialog or a menu is open.
func (b Binding) Also() Binding {
	b.always = true
	return b
}

// Names returns the keys as the overlay shows them: "Ctrl+C, Ins".
func (b Binding) Names() string {
	names := make([]string, len(b.Keys))
	for i, c := range b.Keys {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

// KeyGroup is a titled group of bindings in the keyboard overlay.
type KeyGroup struct {
	Title    string
	Bindings []Binding
}

// Bind installs the bindings of groups on a window's canvas. It replaces the
// canvas's OnTypedKey.
func Bind(c fyne.Canvas, groups ...KeyGroup) {
	plain := map[fyne.KeyName]func(){} // Fyne's shortcuts need a modifier
	for _, g := range groups {
		for _, b := range g.Bindings {
			for _, k := range b.Keys {
				switch {
				case b.Do == nil:
				case k.Mod == 0:
					plain[k.Key] = b.Do
				default:
					c.AddShortcut(k.Shortcut(), func(fyne.Shortcut) {
						if b.always || c.Overlays().Top() == nil {
							b.Do()
						}
					})
				}
			}
		}
	}
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if do := plain[e.Name]; do != nil {
			do()
		}
	})
}

// PassKey passes a key that o does not handle to its window.
func PassKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// ShowKeysOn shows the keyboard overlay if r is "?", and reports whether it did.
func ShowKeysOn(c fyne.Canvas, r rune) bool {
	if r != '?' || c.OnTypedKey() == nil {
		return false
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF1})
	return true
}

// KeyColumns returns the groups of keys laid out in columns.
func KeyColumns(parts [][]KeyGroup) *fyne.Container {
	columns := container.New(layout.NewCustomPaddedHBoxLayout(22))
	for _, part := range parts {
		column := container.New(layout.NewCustomPaddedVBoxLayout(14))
		label := labelWidth(part)
		for _, g := range part {
			column.Add(keyList(g, label))
		}
		columns.Add(column)
	}
	return columns
}

// labelWidth returns the width that the labels of groups need, at least 130.
func labelWidth(groups []KeyGroup) float32 {
	width := float32(130)
	for _, g := range groups {
		for _, b := range g.Bindings {
			width = max(width, fyne.MeasureText(b.Label, theme.TextSize(), fyne.TextStyle{}).Width+20)
		}
	}
	return width
}

// keyList returns a heading with the bindings below it; label is the width of the
// labels' column.
func keyList(g KeyGroup, label float32) fyne.CanvasObject {
	title := NewText(g.Title, theme.ColorNameForeground)
	title.TextStyle.Bold = true
	lines := container.New(LabelledRows{Label: label})
	for _, b := range g.Bindings {
		words := NewText(b.Label, table.ColorMuted)
		keys := NewText(b.Names(), theme.ColorNameForeground)
		lines.Add(Follow(words, table.ColorMuted))
		lines.Add(container.New(layout.NewCustomPaddedLayout(7, 6, 6, 6), Follow(keys, theme.ColorNameForeground)))
	}
	return container.New(layout.NewCustomPaddedVBoxLayout(2), container.New(layout.NewCustomPaddedLayout(0, 0, 7, 0), Follow(title, theme.ColorNameForeground)), lines)
}
