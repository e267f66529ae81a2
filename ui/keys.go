package ui

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

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

// focusFilter gives the filter of the page the keyboard.
func (w *Window) focusFilter() {
	c := w.window.Canvas()
	if w.tabs.name() == PageHistory {
		c.Focus(w.history.FilterField())
		return
	}
	w.tabs.open(PagePorts)
	c.Focus(w.ports.FilterField())
}

func (w *Window) clearFilter() {
	switch w.tabs.name() {
	case PagePorts:
		w.ports.FilterField().SetText("")
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
