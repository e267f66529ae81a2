package ui

import (
	"cmp"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/ports"
	"porthole/ui/process"
	"porthole/ui/settings"
	"porthole/ui/widgets"
)

// keys returns all key bindings of the window, for the handler and for the list of shortcuts.
func (w *Window) keys() []widgets.KeyGroup {
	one := func(label string, do func(), keys ...widgets.Chord) widgets.Binding {
		return widgets.Binding{Label: label, Keys: keys, Do: do}
	}
	all := widgets.KeyGroup{Title: lang.L("All pages")}
	for i, p := range w.tabs.Pages {
		all.Bindings = append(all.Bindings, one(p.Label, func() { w.tabs.Show(i) }, widgets.Ctrl(fyne.KeyName(fmt.Sprint(i+1)))))
	}
	all.Bindings[len(w.tabs.Pages)-1].Keys = append(all.Bindings[len(w.tabs.Pages)-1].Keys, widgets.Ctrl(fyne.KeyComma)) // the usual shortcut for settings
	all.Bindings = append(all.Bindings,
		one(lang.L("Next page"), func() { w.tabs.Step(1) }, widgets.Ctrl(fyne.KeyPageDown)),
		one(lang.L("Previous page"), func() { w.tabs.Step(-1) }, widgets.Ctrl(fyne.KeyPageUp)),
		one(lang.L("Filter"), w.focusFilter, widgets.Ctrl(fyne.KeyF)),
		one(lang.L("Clear filter"), w.clearFilter, widgets.Chord{Key: fyne.KeyEscape}),
		one(lang.L("Refresh"), w.actions.Refresh, widgets.Chord{Key: fyne.KeyF5}),
		one(lang.L("Undo"), w.undo, widgets.UndoKeys),
		one(lang.L("Zoom in"), func() { w.zoomBy(1) }, widgets.ZoomInKeys),
		one(lang.L("Zoom out"), func() { w.zoomBy(-1) }, widgets.ZoomOutKeys),
		one(lang.L("Zoom to 100 %"), func() { w.actions.Set("zoom", "") }, widgets.ZoomResetKeys),
		one(lang.L("Show shortcuts"), w.showKeys, widgets.Chord{Key: fyne.KeyF1}, widgets.Chord{Key: "?"}),
		one(lang.L("Close window"), w.actions.Close, widgets.Ctrl(fyne.KeyW)).Also(),
		one(lang.L("Quit Porthole"), w.actions.Quit, widgets.Ctrl(fyne.KeyQ)).Also())
	menu := []widgets.Chord{{Key: desktop.KeyMenu}, {Key: fyne.KeyF10, Mod: fyne.KeyModifierShift}}
	rows := widgets.KeyGroup{Title: lang.L("Ports"), Bindings: []widgets.Binding{
		one(lang.L("Select a row"), nil, widgets.Chord{Key: fyne.KeyUp}, widgets.Chord{Key: fyne.KeyDown}),
		one(lang.L("Page up, page down"), nil, widgets.Chord{Key: fyne.KeyPageUp}, widgets.Chord{Key: fyne.KeyPageDown}),
		one(lang.L("First row, last row"), nil, widgets.Chord{Key: fyne.KeyHome}, widgets.Chord{Key: fyne.KeyEnd}),
		one(lang.L("Go to port"), nil, widgets.Chord{Key: "0–9"}),
		one(lang.L("Show process"), nil, ports.OpenKeys),
		one(lang.L("Watch"), nil, ports.WatchKeys),
		one(lang.L("Row menu"), nil, menu...),
		one(lang.L("Copy row"), w.copyRow, widgets.CopyKeys).Also(),
		one(lang.L("Label…"), w.label, ports.LabelKeys),
		one(lang.L("Explain"), w.explain, ports.ExplainKeys),
		one(lang.L("Group by process, project"), w.ports.ToggleGroup, ports.GroupKeys),
		one(lang.L("Fold, unfold a group"), nil, widgets.Chord{Key: fyne.KeyLeft}, widgets.Chord{Key: fyne.KeyRight}),
		one(lang.L("Stop…"), w.stopSelected, ports.StopKeys),
	}}
	header := widgets.KeyGroup{Title: lang.L("Table header"), Bindings: []widgets.Binding{
		one(lang.L("Select a column"), nil, widgets.Chord{Key: fyne.KeyLeft}, widgets.Chord{Key: fyne.KeyRight}),
		one(lang.L("Sort"), nil, widgets.Chord{Key: fyne.KeyReturn}, widgets.Chord{Key: fyne.KeySpace}),
		one(lang.L("Widen, narrow"), nil, widgets.Chord{Key: fyne.KeyPlus}, widgets.Chord{Key: fyne.KeyMinus}),
		one(lang.L("Column menu"), nil, menu...),
	}}
	history := widgets.KeyGroup{Title: lang.L("History"), Bindings: []widgets.Binding{
		one(lang.L("Select an event"), nil, widgets.Chord{Key: fyne.KeyUp}, widgets.Chord{Key: fyne.KeyDown}),
		one(lang.L("Show details"), nil, ports.OpenKeys),
		one(lang.L("Select an hour"), nil, widgets.Chord{Key: fyne.KeyLeft}, widgets.Chord{Key: fyne.KeyRight}),
		one(lang.L("Show the events of that hour"), nil, widgets.Chord{Key: fyne.KeySpace}),
	}}
	watches := widgets.KeyGroup{Title: lang.L("Watches"), Bindings: []widgets.Binding{
		one(lang.L("Edit"), nil, widgets.Chord{Key: fyne.KeyReturn}),
		one(lang.L("Turn on or off"), nil, widgets.Chord{Key: fyne.KeySpace}),
		one(lang.L("Move up"), func() { w.watches.MoveSelected(-1) }, widgets.Chord{Key: fyne.KeyUp, Mod: fyne.KeyModifierAlt}),
		one(lang.L("Move down"), func() { w.watches.MoveSelected(1) }, widgets.Chord{Key: fyne.KeyDown, Mod: fyne.KeyModifierAlt}),
		one(lang.L("Delete"), nil, widgets.Chord{Key: fyne.KeyDelete}),
		one(lang.L("Add watch"), nil, widgets.Chord{Key: fyne.KeyInsert}),
	}}
	return []widgets.KeyGroup{all, rows, header, history, watches}
}

// bindUsualZoomKeys binds the other keys with which people zoom in: on many keyboards Plus
// needs Shift, or is the key of =.
func (w *Window) bindUsualZoomKeys() {
	for _, c := range []widgets.Chord{widgets.Ctrl(fyne.KeyEqual), {Key: fyne.KeyEqual, Mod: fyne.KeyModifierControl | fyne.KeyModifierShift}, {Key: fyne.KeyPlus, Mod: fyne.KeyModifierControl | fyne.KeyModifierShift}} {
		w.window.Canvas().AddShortcut(c.Shortcut(), func(fyne.Shortcut) { w.zoomBy(1) })
	}
}

// zoomBy requests the next step of the zoom.
func (w *Window) zoomBy(direction int) {
	zoom := cmp.Or(w.status.Settings.Zoom, 100)
	if next := settings.NextZoom(zoom, direction); next != zoom {
		w.actions.Set("zoom", settings.ZoomValue(next))
	}
}

// showKeys shows the list of shortcuts over the window.
func (w *Window) showKeys() {
	if w.window.Canvas().Overlays().Top() != nil {
		return // the list or another overlay is open
	}
	groups := append(w.keys(), process.Keys(nil, nil, nil))
	half := (len(groups) + 1) / 2
	available := w.window.Canvas().Size().Subtract(fyne.NewSize(60, 120))
	var columns *fyne.Container
	for _, parts := range [][][]widgets.KeyGroup{{groups[:1], groups[1:half], groups[half:]}, {groups[:half-1], groups[half-1:]}, {groups}} {
		if columns = widgets.KeyColumns(parts); columns.MinSize().Width <= available.Width {
			break
		}
	}
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := widgets.NewKeyButton(lang.L("Close"), hide, hide)
	scroll := container.NewScroll(columns)
	scroll.SetMinSize(columns.MinSize().Min(available))
	done.Scroll = scroll
	content := container.NewVBox(scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(14, 12, 16, 16), content), w.window.Canvas())
	popUp.Show()
	w.window.Canvas().Focus(done)
}

// focusFilter focuses the filter field of the page. Pages without one lead to the Ports page.
func (w *Window) focusFilter() {
	if w.tabs.Name() == PageHistory {
		w.history.FilterField().Take()
		return
	}
	w.tabs.Open(PagePorts)
	w.ports.FilterField().Take()
}

func (w *Window) clearFilter() {
	switch w.tabs.Name() {
	case PagePorts:
		if !w.ports.HideDetails() {
			w.ports.FilterField().SetText("")
		}
	case PageHistory:
		w.history.Escape()
	}
}

func (w *Window) undo() {
	switch w.tabs.Name() {
	case PagePorts:
		w.ports.Undo()
	case PageWatches:
		w.watches.Undo()
	}
}

func (w *Window) stopSelected() {
	if w.tabs.Name() == PagePorts {
		w.ports.StopSelected()
	}
}

func (w *Window) label() {
	if w.tabs.Name() == PagePorts {
		w.ports.EditLabel()
	}
}

func (w *Window) explain() {
	if w.tabs.Name() == PagePorts {
		w.ports.Explain()
	}
}

// copyRow copies the text selected with the mouse, or else the selected row.
func (w *Window) copyRow() {
	if text := widgets.SelectedText(w.window.Canvas()); text != "" {
		w.actions.Copy(text)
	} else if w.tabs.Name() == PagePorts && w.window.Canvas().Overlays().Top() == nil {
		w.ports.CopyRow()
	}
}
