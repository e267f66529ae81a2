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

// removedWatch holds the rules before and after ☆ stopped watching a port, for Undo.
type removedWatch struct {
	before, after watch.Rules
	until         time.Time
	notice        string // the notice in the status line that Undo belongs to
}

// unwatch stops watching l: it removes the watches of its port, and excludes it from others. Undo
// restores them.
func (p *Page) unwatch(l *monitor.Listener) {
	rules := p.status.Rules
	removed := removedWatch{before: slices.Clone(rules), after: rules.Unwatch(l), until: p.now().Add(widgets.UndoTime)}
	data := map[string]any{"Port": words.Port(l.Protocol, l.Port)}
	removed.notice = lang.L("Stopped watching {{.Port}}", data)
	if l.Protocol != monitor.UDP && slices.EqualFunc(removed.after, rules.WithoutPort(l.Port), watch.Rule.Equal) {
		p.actions.Unwatch(l.Port)
	} else {
		if i := slices.IndexFunc(rules, func(rule watch.Rule) bool { return !rule.Off && rule.Matches(l) && len(removed.after) == len(rules) }); i >= 0 {
			data["Watch"] = monitor.Clean(cmp.Or(rules[i].Name, rules[i].PortsText(), rules[i].Match.String()), 60)
			removed.notice = lang.L("{{.Port}} is excluded from the watch “{{.Watch}}”", data)
		}
		p.actions.SetWatches(rules, removed.after)
	}
	p.unwatched = removed
	p.ShowNotice(removed.notice)
}

// Undo restores the watches that ☆ changed last.
func (p *Page) Undo() {
	if !p.canUndo() {
		return
	}
	undone := p.unwatched
	p.unwatched, p.noticeUntil = removedWatch{}, time.Time{}
	p.actions.SetWatches(undone.after, undone.before) // the agent may not have confirmed the removal yet
	p.showStatus()
	p.table.Focus() // the link disappears and would keep the focus
}

func (p *Page) canUndo() bool { return p.live && p.now().Before(p.unwatched.until) }
