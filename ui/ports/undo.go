package ports

import (
	"cmp"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// undoable is the last change of the user that can be undone.
type undoable struct {
	undo   func()
	until  time.Time
	notice string // the notice in the status line that Undo belongs to
}

// offerUndo shows what was changed in the status line, with a link that calls undo.
func (p *Page) offerUndo(notice string, undo func()) {
	p.undoable = undoable{undo, p.now().Add(widgets.UndoTime), notice}
	p.ShowNotice(notice)
}

// unwatch stops watching l: it removes the watches of its port, and excludes it from others. Undo
// restores them.
func (p *Page) unwatch(l *monitor.Listener) {
	before := slices.Clone(p.status.Rules)
	after := before.Unwatch(l)
	data := map[string]any{"Port": words.Port(l.Protocol, l.Port)}
	notice := lang.L("Stopped watching {{.Port}}", data)
	if l.Protocol != monitor.UDP && slices.EqualFunc(after, before.WithoutPort(l.Port), watch.Rule.Equal) {
		p.actions.Unwatch(l.Port)
	} else {
		if i := slices.IndexFunc(before, func(rule watch.Rule) bool { return !rule.Off && rule.Matches(l) && len(after) == len(before) }); i >= 0 {
			data["Watch"] = monitor.Clean(cmp.Or(before[i].Name, before[i].PortsText(), before[i].Match.String()), 60)
			notice = lang.L("{{.Port}} is excluded from the watch “{{.Watch}}”", data)
		}
		p.actions.SetWatches(before, after)
	}
	p.offerUndo(notice, func() { p.actions.SetWatches(after, before) }) // the agent may not have confirmed the removal yet
}

// Undo undoes the last change of the watches or the hidden rows.
func (p *Page) Undo() {
	if !p.canUndo() {
		return
	}
	undo := p.undoable.undo
	p.undoable, p.noticeUntil = undoable{}, time.Time{}
	undo()
	p.showStatus()
	p.table.Focus() // the link disappears and would keep the focus
}

func (p *Page) canUndo() bool { return p.live && p.now().Before(p.undoable.until) }
