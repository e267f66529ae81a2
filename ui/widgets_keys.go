package ui

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

// chord is keys that are pressed together.
type chord struct {
	key fyne.KeyName
	mod fyne.KeyModifier
}

// ctrl is a key with Ctrl, or what stands for it on this system.
func ctrl(key fyne.KeyName) chord { return chord{key, fyne.KeyModifierShortcutDefault} }

// The chords that Fyne knows by name.
var (
	copyKeys = ctrl(fyne.KeyC)
	undoKeys = ctrl(fyne.KeyZ)
)

// shortcut is the chord as Fyne has it, which knows some by name.
func (c chord) shortcut() fyne.Shortcut {
	switch c {
	case copyKeys:
		return &fyne.ShortcutCopy{}
	case undoKeys:
		return &fyne.ShortcutUndo{}
	}
	return &desktop.CustomShortcut{KeyName: c.key, Modifier: c.mod}
}

// String is what stands on the keys: "Ctrl+F".
func (c chord) String() string {
	var parts []string
	for _, m := range []struct {
		mod  fyne.KeyModifier
		name string
	}{{fyne.KeyModifierControl, lang.L("Ctrl")}, {fyne.KeyModifierAlt, lang.L("Alt")}, {fyne.KeyModifierShift, lang.L("Shift")}, {fyne.KeyModifierSuper, "⌘"}} {
		if c.mod&m.mod != 0 {
			parts = append(parts, m.name)
		}
	}
	return strings.Join(append(parts, keyName(c.key)), "+")
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

// binding is what some keys do: a line of the overlay, and what happens.
type binding struct {
	label string
	keys  []chord
	do    func() // nil where a widget has the keys: the table knows its rows

	always bool // also while a question or a menu is over the window
}

// also is b, and also while something is over the window.
func (b binding) also() binding {
	b.always = true
	return b
}

// names are the keys as the overlay says them.
func (b binding) names() string {
	names := make([]string, len(b.keys))
	for i, c := range b.keys {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

// keyGroup is what keys do in one place.
type keyGroup struct {
	title    string
	bindings []binding
}

// bind has the keys on a window do what they are to do.
func bind(c fyne.Canvas, groups ...keyGroup) {
	plain := map[fyne.KeyName]func(){} // Fyne has no shortcuts without Ctrl or Alt
	for _, g := range groups {
		for _, b := range g.bindings {
			for _, k := range b.keys {
				switch {
				case b.do == nil:
				case k.mod == 0:
					plain[k.key] = b.do
				default:
					c.AddShortcut(k.shortcut(), func(fyne.Shortcut) {
						if b.always || c.Overlays().Top() == nil {
							b.do()
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

// passKey gives a key that o has no use for to its window.
func passKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// showKeysFor shows the keys where "?" was typed, whichever key writes that, and
// reports whether it did.
func showKeysFor(c fyne.Canvas, r rune) bool {
	if r != '?' || c.OnTypedKey() == nil {
		return false
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF1})
	return true
}

// keyColumns are groups of keys in columns beside each other.
func keyColumns(parts [][]keyGroup) *fyne.Container {
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
func labelWidth(groups []keyGroup) float32 {
	width := float32(130)
	for _, g := range groups {
		for _, b := range g.bindings {
			width = max(width, fyne.MeasureText(b.label, theme.TextSize(), fyne.TextStyle{}).Width+20)
		}
	}
	return width
}

// keyList is a heading with what keys do below, their words so wide.
func keyList(g keyGroup, label float32) fyne.CanvasObject {
	title := canvas.NewText(g.title, theme.Color(theme.ColorNameForeground))
	title.TextStyle.Bold = true
	lines := container.New(factRows{label: label})
	for _, b := range g.bindings {
		words := canvas.NewText(b.label, theme.Color(table.ColorMuted))
		keys := canvas.NewText(b.names(), theme.Color(theme.ColorNameForeground))
		lines.Add(follow(words, table.ColorMuted))
		lines.Add(container.New(layout.NewCustomPaddedLayout(7, 6, 6, 6), follow(keys, theme.ColorNameForeground)))
	}
	return container.New(layout.NewCustomPaddedVBoxLayout(2), container.New(layout.NewCustomPaddedLayout(0, 0, 7, 0), follow(title, theme.ColorNameForeground)), lines)
}
