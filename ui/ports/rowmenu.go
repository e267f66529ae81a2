package ports

import (
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// The keys of the page that its menus show too.
var (
	OpenKeys    = widgets.Chord{Key: fyne.KeyReturn}
	WatchKeys   = widgets.Chord{Key: fyne.KeySpace}
	GroupKeys   = widgets.Ctrl(fyne.KeyG)
	StopKeys    = widgets.Chord{Key: fyne.KeyDelete}
	ExplainKeys = widgets.Ctrl(fyne.KeyE)
)

func (p *Page) star(r *portRow) { p.watch(r.listener.Port) }

// watch makes or removes the simple watch of a port. A port that only a wider
// rule watches gets one of its own, since ★ cannot take a range apart.
func (p *Page) watch(port uint16) {
	if !p.agentRunning() {
		return
	}
	if p.status.Rules.HasSimple(port) {
		p.unwatch(port)
		return
	}
	p.actions.Watch(port)
}

// group brings the rows of one process together, or no longer.
func (p *Page) group(on bool) {
	p.grouped.Choose(on)
	if !on {
		p.table.SetGroup(nil)
		return
	}
	p.table.SetGroup(func(r *portRow) string {
		if len(r.listener.Owners) == 0 {
			return "" // nobody knows whether two that are hidden are one
		}
		o, _ := r.listener.Principal()
		return fmt.Sprintf("%d %d", o.PID, o.Start)
	})
}

// headerItems are the page's own in the menu of columns.
func (p *Page) headerItems() []*fyne.MenuItem {
	item := widgets.MenuItem(lang.L("Group by process"), GroupKeys, p.ToggleGroup)
	item.Checked = p.table.Grouped()
	return []*fyne.MenuItem{item}
}

// ToggleGroup groups the rows by process, or no longer.
func (p *Page) ToggleGroup() { p.group(!p.table.Grouped()) }

// menu is the context menu of a row.
func (p *Page) menu(r *portRow, at fyne.Position) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.Content)
	if c == nil {
		return
	}
	l := r.listener
	watchLabel := lang.L("Watch")
	if p.status.Rules.HasSimple(l.Port) {
		watchLabel = lang.L("Stop watching")
	}
	items := []*fyne.MenuItem{
		widgets.MenuItem(lang.L("Show process"), OpenKeys, func() { p.open(l) }),
		widgets.MenuItem(watchLabel, WatchKeys, func() { p.watch(l.Port) }),
		widgets.MenuItem(lang.L("Explain"), ExplainKeys, p.Explain),
		fyne.NewMenuItemSeparator(),
	}
	if l.Protocol == monitor.TCP && l.AcceptsLoopback() && r.mark != closed {
		items = append(items,
			fyne.NewMenuItem(lang.L("Open in browser"), func() { p.browse(l) }),
			fyne.NewMenuItem(lang.L("Copy URL"), func() { p.copyURL(l) }))
	}
	items = append(items,
		widgets.MenuItem(lang.L("Copy row"), widgets.CopyKeys, func() { p.copy(r.line()) }),
		fyne.NewMenuItem(lang.L("Copy address"), func() { p.copy(words.ClientAddress(l)) }))
	if r.mark != closed {
		items = append(items, fyne.NewMenuItem(lang.L("Inspect traffic"), func() { p.actions.InspectTraffic(l) }))
	}
	if o, ok := l.Principal(); ok {
		items = append(items,
			fyne.NewMenuItem(lang.L("Copy PID"), func() { p.copy(fmt.Sprint(o.PID)) }),
			fyne.NewMenuItem(lang.L("Copy command"), func() { p.copy(words.Command(o)) }))
		if o.Folder != "" {
			items = append(items, fyne.NewMenuItem(lang.L("Open folder"), func() { p.actions.OpenFolder(o.Folder) }))
		}
	}
	if p.stoppable(r) {
		items = append(items, fyne.NewMenuItemSeparator(), widgets.MenuItem(lang.L("Stop…"), StopKeys, func() { p.stop(l) }))
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}

// stoppable reports whether it makes sense to ask for the end of r's owners.
func (p *Page) stoppable(r *portRow) bool {
	return p.live && r.mark != closed && mayStop(r.listener)
}

// StopSelected asks whether the owners of the selected row are to be stopped.
func (p *Page) StopSelected() {
	r, ok := p.table.Selected()
	switch {
	case !ok || !p.live || r.mark == closed:
	case p.stoppable(r):
		p.stop(r.listener)
	case len(r.listener.Owners) == 0:
		p.ShowNotice(lang.L("Can't stop the owner of {{.Port}}: the process is unknown", map[string]any{"Port": r.listener.Port}))
	default:
		p.ShowNotice(lang.L("Can't stop {{.Name}}: it is a critical system process", map[string]any{"Name": r.process}))
	}
}

// browse opens l in the browser, where it listens still: else another process may
// have its port by now.
func (p *Page) browse(l *monitor.Listener) {
	if p.stillOpen(l) {
		p.actions.OpenInBrowser(words.ClientAddress(l))
	}
}

// copyURL copies the URL of l, for which it is asked what it speaks.
func (p *Page) copyURL(l *monitor.Listener) {
	if p.stillOpen(l) {
		p.actions.CopyURL(words.ClientAddress(l))
	}
}

// stillOpen reports whether l listens still, and says so where it does not.
func (p *Page) stillOpen(l *monitor.Listener) bool {
	r := p.rows[l.ID]
	if r == nil || r.mark == closed {
		p.ShowNotice(lang.L("{{.Port}} is already closed", map[string]any{"Port": l.Port}))
		return false
	}
	return true
}

// CopyRow copies the selected row as one line.
func (p *Page) CopyRow() {
	if r, ok := p.table.Selected(); ok {
		p.copy(r.line())
	}
}

// copy copies text, and says so: else nothing is to be seen of it.
func (p *Page) copy(text string) {
	p.actions.Copy(text)
	p.ShowNotice(words.Copied(text))
}

// mayStop reports whether any owner of l can be stopped: one that is hidden cannot,
// and without the first process the machine stops.
func mayStop(l *monitor.Listener) bool {
	return slices.ContainsFunc(l.Owners, func(o monitor.Owner) bool { return o.PID > 1 })
}
