package ports

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// How rows are grouped, in State; "" for not at all.
const (
	byProcess = "process"
	byProject = "project"
)

// groupHead returns the head of the rows of one process, or of one checkout of a project.
func (p *Page) groupHead(rows iter.Seq[*portRow], folded bool) table.Head {
	if p.groupedBy == byProject {
		return projectHead(rows, folded)
	}
	return processHead(rows, folded)
}

// maxHeadPorts limits the ports that a head names: more do not fit on any screen.
const maxHeadPorts = 40

// processHead returns the head of the rows of one process. A folded head names the ports.
func processHead(rows iter.Seq[*portRow], folded bool) table.Head {
	var h table.Head
	var ports []string
	n, warned := 0, 0
	for r := range rows {
		if n == 0 {
			h = table.Head{Title: r.process, Detail: groupPID(r)}
		}
		if r.warned() {
			warned++
		}
		if n++; folded && n <= maxHeadPorts {
			ports = append(ports, r.port)
		}
	}
	h.Detail += " · " + lang.N("{{.Count}} ports", n, map[string]any{"Count": n})
	if len(ports) > 0 {
		h.Detail += ": " + strings.Join(ports, ", ")
	}
	if warned > 0 && folded {
		h.Detail += " · " + lang.N("{{.Count}} warnings", warned, map[string]any{"Count": warned})
	}
	return h
}

// projectHead returns the head of the rows of one checkout: the project, its branch, the folder of
// a linked worktree, and what runs on which ports.
func projectHead(rows iter.Seq[*portRow], folded bool) table.Head {
	var listeners []*monitor.Listener
	var programs []string
	ports := map[string][]string{}
	warned := 0
	for r := range rows {
		listeners = append(listeners, r.listener)
		if r.warned() {
			warned++
		}
		if len(listeners) > maxHeadPorts {
			continue
		}
		name := cmp.Or(r.label, r.process)
		if !slices.Contains(programs, name) {
			programs = append(programs, name)
		}
		ports[name] = append(ports[name], r.port)
	}
	branch, worktree := listeners[0].CheckoutTitle()
	var details []string
	if branch != "" {
		details = append(details, monitor.Clean(branch, 60))
	}
	if worktree != "" {
		details = append(details, lang.L("worktree {{.Name}}", map[string]any{"Name": monitor.Clean(worktree, 60)}))
	}
	for i, name := range programs {
		programs[i] = name + " " + strings.Join(ports[name], ", ")
	}
	details = append(details, strings.Join(programs, "; "))
	if warned > 0 && folded {
		details = append(details, lang.N("{{.Count}} warnings", warned, map[string]any{"Count": warned}))
	}
	return table.Head{Title: monitor.Clean(monitor.ProjectTitle(listeners), 60), Detail: strings.Join(details, " · ")}
}

// groupPID returns the PID of a row's group in words; "" if the owner is unknown.
func groupPID(r *portRow) string {
	o, known := r.listener.Principal()
	if !known {
		return ""
	}
	return words.PID(o.PID)
}

// group groups the rows: by byProcess, byProject or "".
func (p *Page) group(by string) {
	p.groupedBy = by
	label := lang.L("Group")
	switch by {
	case byProcess:
		label = lang.L("By process")
		p.table.SetGroup(func(r *portRow) string { return r.group }) // "" for unknown owners, which may be different processes
	case byProject:
		label = lang.L("By project")
		p.table.SetGroups(func(r *portRow) string { return r.inProject }, func(r *portRow) string { return r.inCheckout })
	default:
		p.groupedBy = ""
		p.table.SetGroup(nil)
	}
	p.grouped.Choose(p.groupedBy != "")
	if p.grouped.Relabel(label) {
		p.relayoutBar()
	}
}

// groupItems returns the menu items that choose how rows are grouped.
func (p *Page) groupItems() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, option := range []widgets.Option{{Value: byProcess, Label: lang.L("Group by process")}, {Value: byProject, Label: lang.L("Group by project")}, {Value: "", Label: lang.L("Don't group")}} {
		item := fyne.NewMenuItem(option.Label, func() { p.group(option.Value); p.table.Focus() })
		item.Checked = option.Value == p.groupedBy
		items = append(items, item)
	}
	return items
}

// showGroupMenu offers how rows are grouped.
func (p *Page) showGroupMenu() { widgets.ShowMenuBelow(p.grouped, p.groupItems()...) }

// headerItems returns the page's own items in the column menu.
func (p *Page) headerItems() []*fyne.MenuItem {
	if p.groupedBy == "" {
		return p.groupItems()
	}
	return append(p.groupItems(), p.foldItems()...)
}

// foldItems returns the menu items that fold and unfold all groups.
func (p *Page) foldItems() []*fyne.MenuItem {
	return []*fyne.MenuItem{
		fyne.NewMenuItem(lang.L("Fold all groups"), func() { p.table.FoldAll(true) }),
		fyne.NewMenuItem(lang.L("Unfold all groups"), func() { p.table.FoldAll(false) }),
	}
}

// ToggleGroup groups the rows by process, then by project, then not.
func (p *Page) ToggleGroup() {
	p.group(map[string]string{"": byProcess, byProcess: byProject, byProject: ""}[p.groupedBy])
}

// headMenu returns the menu of a group's head.
func (p *Page) headMenu(r *portRow) []*fyne.MenuItem {
	fold := widgets.MenuItem(lang.L("Fold or unfold"), widgets.Chord{Key: fyne.KeySpace}, p.table.ToggleFold)
	items := append([]*fyne.MenuItem{fold}, p.foldItems()...)
	items = append(items, fyne.NewMenuItemSeparator())
	copyRows := widgets.MenuItem(lang.L("Copy rows"), widgets.CopyKeys, p.CopyRow)
	if p.groupedBy == byProject {
		return append(append(items, copyRows), p.stopItems()...)
	}
	items = append(items,
		widgets.MenuItem(lang.L("Show process"), OpenKeys, func() { p.open(r.listener) }), copyRows,
		fyne.NewMenuItem(lang.L("Copy PID"), func() {
			if o, ok := r.listener.Principal(); ok {
				p.copy(fmt.Sprint(o.PID))
			}
		}))
	if p.stoppable(r) {
		items = append(items, fyne.NewMenuItemSeparator(), widgets.MenuItem(lang.L("Stop…"), StopKeys, func() { p.stop(r.listener) }))
	}
	return items
}

// stopItems returns the menu items of a checkout's head that stop all of it, and all of its
// project if that has other checkouts with rows.
func (p *Page) stopItems() []*fyne.MenuItem {
	rows := p.table.SelectedHead()
	here := p.stoppableOf(rows)
	if len(here) == 0 {
		return nil
	}
	items := []*fyne.MenuItem{fyne.NewMenuItemSeparator(), widgets.MenuItem(lang.L("Stop all…"), StopKeys, func() { p.stopAll(here) })}
	everywhere := p.stoppableOf(slices.DeleteFunc(p.table.Rows(), func(r *portRow) bool { return r.inProject != rows[0].inProject }))
	if len(everywhere) > len(here) {
		label := lang.L("Stop all of {{.Name}} in every worktree…", map[string]any{"Name": monitor.Clean(monitor.ProjectTitle(everywhere), 40)})
		items = append(items, fyne.NewMenuItem(label, func() { p.stopAll(everywhere) }))
	}
	return items
}

// stoppableOf returns the listeners of rows whose owners can be stopped, by port.
func (p *Page) stoppableOf(rows []*portRow) (all []*monitor.Listener) {
	for _, r := range rows {
		if p.stoppable(r) {
			all = append(all, r.listener)
		}
	}
	slices.SortFunc(all, func(a, b *monitor.Listener) int { return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.ID, b.ID)) })
	return all
}
