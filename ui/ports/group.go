package ports

import (
	"fmt"
	"iter"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// groupHead returns the head of the rows of one process. A folded head names the ports.
func groupHead(rows iter.Seq[*portRow], folded bool) table.Head {
	const maxPorts = 40 // more do not fit on any screen
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
		if n++; folded && n <= maxPorts {
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

// groupPID returns the PID of a row's group in words; "" if the owner is unknown.
func groupPID(r *portRow) string {
	o, known := r.listener.Principal()
	if !known {
		return ""
	}
	return words.PID(o.PID)
}

// group turns grouping by process on or off.
func (p *Page) group(on bool) {
	p.grouped.Choose(on)
	if !on {
		p.table.SetGroup(nil)
		return
	}
	p.table.SetGroup(func(r *portRow) string { return r.group }) // "" for unknown owners, which may be different processes
}

// headerItems returns the page's own items in the column menu.
func (p *Page) headerItems() []*fyne.MenuItem {
	item := widgets.MenuItem(lang.L("Group by process"), GroupKeys, p.ToggleGroup)
	item.Checked = p.table.Grouped()
	if !item.Checked {
		return []*fyne.MenuItem{item}
	}
	return append([]*fyne.MenuItem{item}, p.foldItems()...)
}

// foldItems returns the menu items that fold and unfold all groups.
func (p *Page) foldItems() []*fyne.MenuItem {
	return []*fyne.MenuItem{
		fyne.NewMenuItem(lang.L("Fold all groups"), func() { p.table.FoldAll(true) }),
		fyne.NewMenuItem(lang.L("Unfold all groups"), func() { p.table.FoldAll(false) }),
	}
}

// ToggleGroup turns grouping by process on or off.
func (p *Page) ToggleGroup() { p.group(!p.table.Grouped()) }

// headMenu returns the menu of a group's head.
func (p *Page) headMenu(r *portRow) []*fyne.MenuItem {
	fold := widgets.MenuItem(lang.L("Fold or unfold"), widgets.Chord{Key: fyne.KeySpace}, p.table.ToggleFold)
	items := append([]*fyne.MenuItem{fold}, p.foldItems()...)
	items = append(items, fyne.NewMenuItemSeparator(),
		widgets.MenuItem(lang.L("Show process"), OpenKeys, func() { p.open(r.listener) }),
		widgets.MenuItem(lang.L("Copy rows"), widgets.CopyKeys, p.CopyRow),
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
