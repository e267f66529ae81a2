package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
)

// Chord is keys that are pressed together.
type Chord struct {
	Key fyne.KeyName
	Mod fyne.KeyModifier
}

// Ctrl is a key with Ctrl, or what stands for it on this system.
func Ctrl(key fyne.KeyName) Chord { return Chord{key, fyne.KeyModifierShortcutDefault} }

// The chords that Fyne knows by name.
var (
	CopyKeys = Ctrl(fyne.KeyC)
	UndoKeys = Ctrl(fyne.KeyZ)
)

// Shortcut is the chord as Fyne has it, which knows some by name.
func (c Chord) Shortcut() fyne.Shortcut {
	switch c {
	case CopyKeys:
		return &fyne.ShortcutCopy{}
	case UndoKeys:
		return &fyne.ShortcutUndo{}
	}
	return &desktop.CustomShortcut{KeyName: c.Key, Modifier: c.Mod}
}

// String is what stands on the keys: "Ctrl+F".
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
	return strings.Join(append(parts, keyName(c.Key)), "+")
}

// keyName is what stands on a key.
func keyName(key fyne.KeyName) string {
	names := map[fyne.KeyName]string{
		fyne.KeyReturn: lang.L("Enter"), fyne.KeyEscape: lang.L("Esc"), fyne.KeySpace: lang.L("Space"), fyne.KeyDelete: lang.L("Del"), fyne.KeyInsert: lang.L("Ins"),
		fyne.KeyPageUp: lang.L("PgUp"), fyne.KeyPageDown: lang.L("PgDn"), fyne.KeyHome: lang.L("Home"), fyne.KeyEnd: lang.L("End"), desktop.KeyMenu: lang.L("Menu"),
		fyne.KeyUp: lang.L("Up"), fyne.KeyDown: lang.L("Down"), fyne.KeyLeft: lang.L("Left"), fyne.KeyRight: lang.L("Right"),
	}
	if name, ok := names[key]; ok {
		return name
	}
	return string(key)
}

// Binding is what some keys do: a line of the overlay, and what happens.
type Binding struct {
	Label string
	Keys  []Chord
	Do    func() // nil where a widget has the keys: the table knows its rows

	always bool // also while a question or a menu is over the window
}

// Also is b, and also while something is over the window.
func (b Binding) Also() Binding {
	b.always = true
	return b
}

// Names are the keys as the overlay says them.
func (b Binding) Names() string {
	names := make([]string, len(b.Keys))
	for i, c := range b.Keys {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

// KeyGroup is what keys do in one place.
type KeyGroup struct {
	Title    string
	Bindings []Binding
}

// Bind has the keys on a window do what they are to do.
func Bind(c fyne.Canvas, groups ...KeyGroup) {
	plain := map[fyne.KeyName]func(){} // Fyne has no shortcuts without Ctrl or Alt
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

// PassKey gives a key that o has no use for to its window.
func PassKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// ShowKeysOn shows the keys where "?" was typed, whichever key writes that, and
// reports whether it did.
func ShowKeysOn(c fyne.Canvas, r rune) bool {
	if r != '?' || c.OnTypedKey() == nil {
		return false
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF1})
	return true
}

// KeyColumns are groups of keys in columns beside each other.
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

// labelWidth is what the words of groups need, and 130 at least.
func labelWidth(groups []KeyGroup) float32 {
	width := float32(130)
	for _, g := range groups {
		for _, b := range g.Bindings {
			width = max(width, fyne.MeasureText(b.Label, theme.TextSize(), fyne.TextStyle{}).Width+20)
		}
	}
	return width
}

// keyList is a heading with what keys do below, their words so wide.
func keyList(g KeyGroup, label float32) fyne.CanvasObject {
	title := canvas.NewText(g.Title, theme.Color(theme.ColorNameForeground))
	title.TextStyle.Bold = true
	lines := container.New(FactRows{Label: label})
	for _, b := range g.Bindings {
		words := canvas.NewText(b.Label, theme.Color(table.ColorMuted))
		keys := canvas.NewText(b.Names(), theme.Color(theme.ColorNameForeground))
		lines.Add(Follow(words, table.ColorMuted))
		lines.Add(container.New(layout.NewCustomPaddedLayout(7, 6, 6, 6), Follow(keys, theme.ColorNameForeground)))
	}
	return container.New(layout.NewCustomPaddedVBoxLayout(2), container.New(layout.NewCustomPaddedLayout(0, 0, 7, 0), Follow(title, theme.ColorNameForeground)), lines)
}
