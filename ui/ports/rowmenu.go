package ports

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/watch"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Shortcuts of the page that its menus show too.
var (
	OpenKeys    = widgets.Chord{Key: fyne.KeyReturn}
	WatchKeys   = widgets.Chord{Key: fyne.KeySpace}
	GroupKeys   = widgets.Ctrl(fyne.KeyG)
	LabelKeys   = widgets.Chord{Key: fyne.KeyF2}
	StopKeys    = widgets.Chord{Key: fyne.KeyDelete}
	ExplainKeys = widgets.Ctrl(fyne.KeyE)
)

func (p *Page) star(r *portRow) { p.watch(r.listener) }

// watch watches l, or stops watching it if its star is filled.
func (p *Page) watch(l *monitor.Listener) {
	if !p.agentRunning() {
		return
	}
	rules := p.status.Rules
	if p.watched(l) {
		p.unwatch(l)
		return
	}
	after := rules.Watch(l)
	if l.Protocol != monitor.UDP && slices.EqualFunc(after, rules.WithPort(l.Port), watch.Rule.Equal) {
		p.actions.Watch(l.Port)
		return
	}
	p.actions.SetWatches(rules, after)
}

// watched reports whether a watch matches l. Watches do not match what loopback cannot reach, but
// their ports can be watched.
func (p *Page) watched(l *monitor.Listener) bool {
	return p.status.Rules.Matches(l) || !l.AcceptsLoopback() && l.Protocol != monitor.UDP && p.status.Rules.HasSimple(l.Port)
}

// menu opens the context menu of a row.
func (p *Page) menu(r *portRow, at fyne.Position) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.Content)
	if c == nil {
		return
	}
	if p.table.SelectedHead() != nil {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", p.headMenu(r)...), c, at)
		return
	}
	l := r.listener
	watchLabel := lang.L("Watch")
	if p.watched(l) {
		watchLabel = lang.L("Stop watching")
	}
	items := []*fyne.MenuItem{
		widgets.MenuItem(lang.L("Show process"), OpenKeys, func() { p.open(l) }),
		fyne.NewMenuItem(lang.L("Show details"), p.openDetails),
		widgets.MenuItem(watchLabel, WatchKeys, func() { p.watch(l) }),
		widgets.MenuItem(lang.L("Explain"), ExplainKeys, p.Explain),
		widgets.MenuItem(lang.L("Label…"), LabelKeys, p.EditLabel),
		p.hideItem(l),
		fyne.NewMenuItemSeparator(),
	}
	if p.details.visible() {
		items = slices.Delete(items, 1, 2) // they are beside the table
	}
	if l.Protocol == monitor.TCP && l.AcceptsLoopback() && r.mark != closed {
		items = append(items,
			fyne.NewMenuItem(lang.L("Open in browser"), func() { p.browse(l) }),
			fyne.NewMenuItem(lang.L("Copy URL"), func() { p.copyURL(l) }))
	}
	if p.mayAsk(r) {
		items = append(items, fyne.NewMenuItem(lang.L("What answers there?"), func() { p.askPort(l) }))
	}
	items = append(items,
		widgets.MenuItem(lang.L("Copy row"), widgets.CopyKeys, func() { p.copy(r.line()) }),
		fyne.NewMenuItem(lang.L("Copy address"), func() { p.copy(words.ClientAddress(l)) }))
	if r.mark != closed {
		if l.Protocol == monitor.TCP {
			items = append(items, fyne.NewMenuItem(lang.L("Show traffic…"), func() { p.traffic(l) }))
		}
		items = append(items, fyne.NewMenuItem(lang.L("Inspect traffic"), func() { p.actions.InspectTraffic(l) }))
	}
	if o, ok := l.Principal(); ok {
		if words.HasTerminal(ancestry.Explain(o, l.CgroupInfo, r.state), p.status.RaisesWindows) && r.mark != closed {
			items = append(items, fyne.NewMenuItem(lang.L("Go to its terminal"), func() { p.actions.GoToTerminal(o) }))
		}
		items = append(items,
			fyne.NewMenuItem(lang.L("Copy PID"), func() { p.copy(fmt.Sprint(o.PID)) }),
			fyne.NewMenuItem(lang.L("Copy command"), func() { p.copy(words.ShellCommand(o)) }))
		if o.Folder != "" {
			folder := fyne.NewMenuItem(lang.L("Open folder"), func() { p.actions.OpenFolder(o.Folder) })
			if words.FolderProblem(o) != "" {
				folder.Label, folder.Disabled = lang.L("Open folder (inside its container or mount namespace)"), true
			}
			items = append(items, folder)
		}
	}
	if p.mayAccept(r) {
		items = append(items, fyne.NewMenuItem(lang.L("Exposed: this is fine"), func() { p.accept(l) }))
	}
	if p.stoppable(r) {
		items = append(items, fyne.NewMenuItemSeparator(), widgets.MenuItem(lang.L("Stop…"), StopKeys, func() { p.stop(l) }))
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}

// mayAccept reports whether Porthole notifies about what is newly exposed, as r may be.
func (p *Page) mayAccept(r *portRow) bool {
	return p.live && p.status.NewExposed && r.mark != closed && r.listener.Exposure.IsExposed()
}

// accept does what “This is fine” in a notification does, which not every desktop shows.
func (p *Page) accept(l *monitor.Listener) {
	if p.stillOpen(l) && p.agentRunning() {
		p.actions.AcceptExposed(l)
		p.ShowNotice(lang.L("Exposure of {{.Who}} on {{.Port}} will not be reported again", map[string]any{"Who": words.Owner(l), "Port": l.Port}))
	}
}

// stoppable reports whether r has an owner that can be stopped.
func (p *Page) stoppable(r *portRow) bool {
	return p.live && r.mark != closed && mayStop(r.listener)
}

// StopSelected asks whether to stop the owners of the selected row, or shows why they can't be
// stopped.
func (p *Page) StopSelected() {
	r, ok := p.table.Selected()
	if ok && p.groupedBy == byProject && p.table.SelectedHead() != nil {
		if all := p.stoppableOf(p.table.SelectedHead()); len(all) > 0 {
			p.stopAll(all)
			return
		}
	}
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

// browse opens l in the browser if l is still open: otherwise another process may own the port by
// now.
func (p *Page) browse(l *monitor.Listener) {
	if p.stillOpen(l) {
		p.actions.OpenInBrowser(words.ClientAddress(l))
	}
}

// showPortTraffic opens the window with the traffic of what listens on a TCP port.
func (p *Page) showPortTraffic(port uint16) {
	for _, l := range p.snapshot.Listeners {
		if l.Protocol == monitor.TCP && l.Port == port {
			p.traffic(l)
			return
		}
	}
	p.ShowNotice(lang.L("{{.Port}} is already closed", map[string]any{"Port": port}))
}

// copyURL copies the URL of l. The program asks the server whether it speaks http or https.
func (p *Page) copyURL(l *monitor.Listener) {
	if p.stillOpen(l) {
		p.actions.CopyURL(words.ClientAddress(l))
	}
}

// stillOpen reports whether l is still open. If not, it shows a notice.
func (p *Page) stillOpen(l *monitor.Listener) bool {
	r := p.rows.get(l.ID)
	if r == nil || r.mark == closed {
		p.ShowNotice(lang.L("{{.Port}} is already closed", map[string]any{"Port": l.Port}))
		return false
	}
	return true
}

// CopyRow copies the selected row as one line of text, or the rows of the selected head.
func (p *Page) CopyRow() {
	if rows := p.table.SelectedHead(); rows != nil {
		lines := make([]string, len(rows))
		for i, r := range rows {
			lines[i] = r.line()
		}
		p.copy(strings.Join(lines, "\n"))
		return
	}
	if r, ok := p.table.Selected(); ok {
		p.copy(r.line())
	}
}

// copy copies text and confirms it in the status line, because copying is otherwise invisible.
func (p *Page) copy(text string) {
	p.actions.Copy(text)
	p.ShowNotice(words.Copied(text))
}

// mayStop reports whether any owner of l can be stopped: an unknown owner can't, and PID 1 must
// not.
func mayStop(l *monitor.Listener) bool {
	return slices.ContainsFunc(l.Owners, func(o monitor.Owner) bool { return o.PID > 1 })
}
