package traffic

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"porthole/ui/table"
	"porthole/ui/widgets"
)

// This file contains the parts of the window and their places.

// build makes the parts of the window.
func (w *Window) build() {
	w.entry = widgets.NewFilterEntry(lang.L("Filter: “/api”, “method:post”, “status:5xx”, “slow:500ms”, “body:text”"), w.setFilter, func() { w.table.Focus() })
	w.find = widgets.NewFilterEntry(lang.L("Find in this message"), w.search, w.findNext)
	button := func(label, tip string, do func()) *widgets.Button {
		b := widgets.NewButton(label, do)
		b.Tip = tip
		return b
	}
	w.pauseButton = button(lang.L("Pause"), lang.L("Record no further requests; connections go on")+" ("+pauseKeys.String()+")", w.togglePause)
	w.clearButton = button(lang.L("Clear"), lang.L("Remove all requests from memory")+" ("+clearKeys.String()+")", w.clear)
	w.secretsButton = button(lang.L("Show secrets"), lang.L("Show passwords, cookies and tokens, also in what is copied and saved")+" ("+secretsKeys.String()+")", w.toggleSecrets)
	w.fileButton = button(lang.L("File"), lang.L("Save what the filter shows, or open a file"), func() { widgets.ShowMenuBelow(w.fileButton, w.fileItems()...) })
	w.menuButton = widgets.NewButton(lang.L("Menu"), func() { widgets.ShowMenuBelow(w.menuButton, w.windowItems()...) })
	w.replayButton = button(lang.L("Send again"), lang.L("Send the same request to the server again")+" ("+replayKeys.String()+")", w.sendAgain)
	w.curlButton = button(lang.L("Copy as curl"), lang.L("Copy a command that sends the same request")+" ("+curlKeys.String()+")", w.copyCurl)
	w.copying = button(lang.L("Copy body"), "", w.copyMenu)
	w.actionsButton = widgets.NewButton(lang.L("Menu"), func() { w.showItems(w.actionsButton) })
	w.table = table.New(columns(), "")
	w.table.Label = lang.L("Requests")
	w.table.OnSelect = func(*exchangeRow) { w.replay = nil; w.showSelected() }
	w.table.OnOpen = func(*exchangeRow) { table.FocusOn(w.request) }
	w.table.OnMenu = w.menu
	w.table.OnKey = w.key
	w.table.OnRune = w.entry.Append
	w.empty = widgets.NewEmptyState(func() { w.entry.SetText("") })
	w.request, w.answer, w.again = newPane(lang.L("Request"), w.key), newPane(lang.L("Answer"), w.key), newPane(lang.L("New answer"), w.key)
	w.again.Hide()
	w.left, w.right = widgets.NewCaption(), widgets.NewCaption()
}

// layout arranges them: filter, list above the selected exchange, status line.
func (w *Window) layout() fyne.CanvasObject {
	bar := newToolbar(toolbar{fieldFirst: true, field: filterWidth}, w.entry, w.menuButton, w.buttons()...)
	w.top = container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(bar, 8), widgets.Line())
	list := container.NewStack(w.table, w.empty.Object)
	tools := newToolbar(toolbar{field: findWidth}, w.find, w.actionsButton, w.replayButton, w.curlButton, w.copying)
	panes := container.New(&sideBySide{}, w.request, w.answer, w.again)
	w.details = container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(tools, 6)),
		container.New(layout.NewCustomPaddedLayout(0, 4, 12, 12), panes), container.NewWithoutLayout())
	w.split = container.NewVSplit(list, w.details)
	w.split.Offset = 0.5
	w.chooser = w.chooserBox()
	w.body = container.NewStack(w.split, w.chooser)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(container.New(widgets.Ends{}, w.left, w.right), 4))
	w.content = container.New(widgets.TopMiddleBottom{}, w.top, w.body, status)
	return w.content
}

// buttons returns the buttons beside the filter. A file that is read needs no pause.
func (w *Window) buttons() []*widgets.Button {
	if w.path != "" {
		return []*widgets.Button{w.secretsButton, w.fileButton}
	}
	return []*widgets.Button{w.pauseButton, w.clearButton, w.secretsButton, w.fileButton}
}

// windowItems returns the menu that stands for the buttons in a narrow window.
func (w *Window) windowItems() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	if w.path == "" {
		items = append(items, widgets.MenuItem(w.pauseButton.Text, pauseKeys, w.togglePause), widgets.MenuItem(w.clearButton.Text, clearKeys, w.clear))
	}
	return append(append(items, widgets.MenuItem(w.secretsButton.Text, secretsKeys, w.toggleSecrets)), w.fileItems()...)
}

// showItems shows what can be done with the selected exchange below a button.
func (w *Window) showItems(below fyne.CanvasObject) {
	if r, ok := w.table.Selected(); ok {
		if items := w.items(r.exchange); len(items) > 0 {
			widgets.ShowMenuBelow(below, items...)
		}
	}
}

// sideBySide gives the visible objects the same width.
type sideBySide struct{}

// paneGap is the distance between panes.
const paneGap = 12

// MinSize implements fyne.Layout.
func (*sideBySide) MinSize(o []fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 60) }

// Layout implements fyne.Layout.
func (*sideBySide) Layout(o []fyne.CanvasObject, s fyne.Size) {
	count := 0
	for _, x := range o {
		if x.Visible() {
			count++
		}
	}
	width, x := (s.Width-paneGap*float32(count-1))/float32(max(count, 1)), float32(0)
	for _, object := range o {
		if object.Visible() {
			object.Move(fyne.NewPos(x, 0))
			object.Resize(fyne.NewSize(width, s.Height))
			x += width + paneGap
		}
	}
}
