package ui

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
)

func (p *portsPage) star(r *portRow) { p.watch(r.listener.Port) }

// watch makes or removes the simple watch of a port. A port that only a wider
// rule watches gets one of its own, since ★ cannot take a range apart.
func (p *portsPage) watch(port uint16) {
	if p.status.Rules.Simple(port) {
		p.unwatch(port)
		return
	}
	p.actions.Watch(port)
}

// group brings the rows of one process together, or no longer.
func (p *portsPage) group(on bool) {
	if !on {
		p.table.SetGroup(nil)
		return
	}
	p.table.SetGroup(func(r *portRow) string {
		if len(r.listener.Owners) == 0 {
			return "" // nobody knows whether two that are hidden are one
		}
		return processKey(r.listener)
	})
}

// headerItems are the page's own in the menu of columns.
func (p *portsPage) headerItems() []*fyne.MenuItem {
	item := menuItem(lang.L("Group by process"), groupKeys, p.toggleGroup)
	item.Checked = p.table.Grouped()
	return []*fyne.MenuItem{item}
}

func (p *portsPage) toggleGroup() { p.group(!p.table.Grouped()) }

// menu is the context menu of a row.
func (p *portsPage) menu(r *portRow, at fyne.Position) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.content)
	if c == nil {
		return
	}
	l := r.listener
	watchLabel := lang.L("Watch")
	if p.status.Rules.Simple(l.Port) {
		watchLabel = lang.L("Stop watching")
	}
	items := []*fyne.MenuItem{
		menuItem(lang.L("Open process"), openKeys, func() { p.open(l) }),
		menuItem(watchLabel, watchKeys, func() { p.watch(l.Port) }),
		fyne.NewMenuItemSeparator(),
	}
	if l.Protocol == monitor.TCP && l.Loopback() && r.mark != closed {
		address := addressOf(l)
		items = append(items,
			fyne.NewMenuItem(lang.L("Open in browser"), func() { p.browse(l) }),
			fyne.NewMenuItem(lang.L("Copy URL"), func() { p.actions.Copy("http://" + address + "/") }))
	}
	items = append(items,
		menuItem(lang.L("Copy row"), copyKeys, func() { p.actions.Copy(r.line()) }),
		fyne.NewMenuItem(lang.L("Copy address"), func() { p.actions.Copy(addressOf(l)) }))
	if o, ok := l.Principal(); ok {
		items = append(items,
			fyne.NewMenuItem(lang.L("Copy PID"), func() { p.actions.Copy(fmt.Sprint(o.PID)) }),
			fyne.NewMenuItem(lang.L("Copy command"), func() { p.actions.Copy(commandWords(o)) }))
		if o.Folder != "" {
			items = append(items, fyne.NewMenuItem(lang.L("Open folder"), func() { p.actions.OpenFolder(o.Folder) }))
		}
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}

// browse opens l in the browser, where it listens still: else another process may
// have its port by now.
func (p *portsPage) browse(l *monitor.Listener) {
	if r := p.rows[l.ID]; r == nil || r.mark == closed {
		p.say(lang.L("{{.Port}} has closed meanwhile", map[string]any{"Port": l.Port}))
		return
	}
	p.actions.OpenInBrowser(addressOf(l))
}

// menuItem is an item that says its keys.
func menuItem(label string, keys chord, do func()) *fyne.MenuItem {
	item := fyne.NewMenuItem(label, do)
	item.Shortcut = keys.shortcut()
	return item
}

// copyRow copies the selected row as one line.
func (p *portsPage) copyRow() {
	if r, ok := p.table.Selected(); ok {
		p.actions.Copy(r.line())
	}
}
