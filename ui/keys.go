package ui

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// chord is keys that are pressed together.
type chord struct {
	key fyne.KeyName
	mod fyne.KeyModifier
}

// ctrl is a key with Ctrl, or what stands for it on this system.
func ctrl(key fyne.KeyName) chord { return chord{key, fyne.KeyModifierShortcutDefault} }

// Keys that menus show too.
var (
	openKeys  = chord{key: fyne.KeyReturn}
	watchKeys = chord{key: fyne.KeySpace}
	copyKeys  = ctrl(fyne.KeyC)
	undoKeys  = ctrl(fyne.KeyZ)
	groupKeys = ctrl(fyne.KeyG)
	stopKeys  = chord{key: fyne.KeyDelete}

	explainKeys = ctrl(fyne.KeyE)
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

// keys are all that the window's keys do.
func (w *Window) keys() []keyGroup {
	one := func(words string, do func(), keys ...chord) binding { return binding{label: words, keys: keys, do: do} }
	all := keyGroup{title: lang.L("Everywhere")}
	for i, p := range w.tabs.pages {
		all.bindings = append(all.bindings, one(p.label, func() { w.tabs.show(i) }, ctrl(fyne.KeyName(fmt.Sprint(i+1)))))
	}
	all.bindings[len(w.tabs.pages)-1].keys = append(all.bindings[len(w.tabs.pages)-1].keys, ctrl(fyne.KeyComma)) // as everywhere
	all.bindings = append(all.bindings,
		one(lang.L("Next page"), func() { w.tabs.step(1) }, ctrl(fyne.KeyPageDown)),
		one(lang.L("Page before"), func() { w.tabs.step(-1) }, ctrl(fyne.KeyPageUp)),
		one(lang.L("Filter"), w.focusFilter, ctrl(fyne.KeyF)),
		one(lang.L("Clear the filter"), w.clearFilter, chord{key: fyne.KeyEscape}),
		one(lang.L("Look now"), w.actions.Refresh, chord{key: fyne.KeyF5}),
		one(lang.L("Undo"), w.undo, undoKeys),
		one(lang.L("These keys"), w.showKeys, chord{key: fyne.KeyF1}, chord{key: "?"}),
		one(lang.L("Close the window"), w.actions.Close, ctrl(fyne.KeyW)).also(),
		one(lang.L("Quit Porthole"), w.actions.Quit, ctrl(fyne.KeyQ)).also())
	menu := []chord{{key: desktop.KeyMenu}, {fyne.KeyF10, fyne.KeyModifierShift}}
	rows := keyGroup{lang.L("Ports"), []binding{
		one(lang.L("Choose a row"), nil, chord{key: fyne.KeyUp}, chord{key: fyne.KeyDown}),
		one(lang.L("A page up, down"), nil, chord{key: fyne.KeyPageUp}, chord{key: fyne.KeyPageDown}),
		one(lang.L("First, last"), nil, chord{key: fyne.KeyHome}, chord{key: fyne.KeyEnd}),
		one(lang.L("Go to a port"), nil, chord{key: "0–9"}),
		one(lang.L("Open process"), nil, openKeys),
		one(lang.L("Watch"), nil, watchKeys),
		one(lang.L("Menu of the row"), nil, menu...),
		one(lang.L("Copy row"), w.copyRow, copyKeys).also(),
		one(lang.L("Explain"), w.explain, explainKeys),
		one(lang.L("Group by process"), w.ports.toggleGroup, groupKeys),
		one(lang.L("Stop the process…"), w.stopSelected, stopKeys),
	}}
	header := keyGroup{lang.L("Header of the table"), []binding{
		one(lang.L("Choose a column"), nil, chord{key: fyne.KeyLeft}, chord{key: fyne.KeyRight}),
		one(lang.L("Sort"), nil, chord{key: fyne.KeyReturn}, chord{key: fyne.KeySpace}),
		one(lang.L("Wider, narrower"), nil, chord{key: fyne.KeyPlus}, chord{key: fyne.KeyMinus}),
		one(lang.L("Menu of columns"), nil, menu...),
	}}
	activity := keyGroup{lang.L("Activity"), []binding{
		one(lang.L("Choose a change"), nil, chord{key: fyne.KeyUp}, chord{key: fyne.KeyDown}),
		one(lang.L("Its whole story"), nil, openKeys),
		one(lang.L("Choose an hour"), nil, chord{key: fyne.KeyLeft}, chord{key: fyne.KeyRight}),
		one(lang.L("Changes until then"), nil, chord{key: fyne.KeySpace}),
	}}
	watches := keyGroup{lang.L("Watches"), []binding{
		one(lang.L("Edit"), nil, chord{key: fyne.KeyReturn}),
		one(lang.L("Switch on or off"), nil, chord{key: fyne.KeySpace}),
		one(lang.L("Move up"), func() { w.watches.shortcut(-1) }, chord{fyne.KeyUp, fyne.KeyModifierAlt}),
		one(lang.L("Move down"), func() { w.watches.shortcut(1) }, chord{fyne.KeyDown, fyne.KeyModifierAlt}),
		one(lang.L("Delete"), nil, chord{key: fyne.KeyDelete}),
		one(lang.L("Add a watch"), nil, chord{key: fyne.KeyInsert}),
	}}
	return []keyGroup{all, rows, header, activity, watches}
}

// processKeys are what the keys of a process window do.
func processKeys(copySelected, closeWindow, quit func()) keyGroup {
	return keyGroup{lang.L("Window of a process"), []binding{
		{label: lang.L("Scroll"), keys: []chord{{key: fyne.KeyUp}, {key: fyne.KeyDown}, {key: fyne.KeyPageUp}, {key: fyne.KeyPageDown}}},
		binding{label: lang.L("Copy the selected text"), keys: []chord{copyKeys}, do: copySelected}.also(),
		binding{label: lang.L("Close the window"), keys: []chord{{key: fyne.KeyEscape}, ctrl(fyne.KeyW)}, do: closeWindow}.also(),
		binding{label: lang.L("Quit Porthole"), keys: []chord{ctrl(fyne.KeyQ)}, do: quit}.also(),
	}}
}

// showKeys shows what all keys do, over the window.
func (w *Window) showKeys() {
	if w.window.Canvas().Overlays().Top() != nil {
		return // it is asked for already, or something else is
	}
	groups := append(w.keys(), processKeys(nil, nil, nil))
	half := (len(groups) + 1) / 2
	room := w.window.Canvas().Size().Subtract(fyne.NewSize(60, 120))
	var columns *fyne.Container
	for _, parts := range [][][]keyGroup{{groups[:1], groups[1:half], groups[half:]}, {groups[:half-1], groups[half-1:]}, {groups}} {
		if columns = keyColumns(parts); columns.MinSize().Width <= room.Width {
			break
		}
	}
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := newKeyButton(lang.L("Close"), hide, hide)
	scroll := container.NewScroll(columns)
	scroll.SetMinSize(columns.MinSize().Min(room))
	done.scroll = scroll
	content := container.NewVBox(scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(14, 12, 16, 16), content), w.window.Canvas())
	popUp.Show()
	w.window.Canvas().Focus(done)
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

// focusFilter gives the filter of the page the keyboard.
func (w *Window) focusFilter() {
	c := w.window.Canvas()
	if w.tabs.name() == PageHistory {
		c.Focus(w.history.entry)
		return
	}
	w.tabs.open(PagePorts)
	c.Focus(w.ports.entry)
}

func (w *Window) clearFilter() {
	switch w.tabs.name() {
	case PagePorts:
		w.ports.entry.SetText("")
	case PageHistory:
		w.history.escape()
	}
}

func (w *Window) undo() {
	switch w.tabs.name() {
	case PagePorts:
		w.ports.undo()
	case PageWatches:
		w.watches.undo()
	}
}

func (w *Window) stopSelected() {
	if w.tabs.name() == PagePorts {
		w.ports.stopSelected()
	}
}

func (w *Window) explain() {
	if w.tabs.name() == PagePorts {
		w.ports.explain()
	}
}

// copyRow copies the text that the mouse has selected, or the selected row.
func (w *Window) copyRow() {
	if text := selectedOn(w.window.Canvas()); text != "" {
		w.actions.Copy(text)
	} else if w.tabs.name() == PagePorts && w.window.Canvas().Overlays().Top() == nil {
		w.ports.copyRow()
	}
}
