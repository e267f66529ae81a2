package ports

import (
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/watch"
	"porthole/ui/widgets"
)

// removedWatch holds the rules of one port that ☆ removed and Undo restores, with their names
// and positions.
type removedWatch struct {
	port   uint16
	rules  watch.Rules
	places []int
	until  time.Time
	notice string // the notice in the status line that Undo belongs to
}

// unwatch removes the simple watches of port. Undo restores them.
func (p *Page) unwatch(port uint16) {
	removed := removedWatch{port: port, until: p.now().Add(widgets.UndoTime)}
	left := p.status.Rules.WithoutPort(port)
	for i, rule := range p.status.Rules {
		if !slices.ContainsFunc(left, rule.Equal) {
			removed.rules, removed.places = append(removed.rules, rule), append(removed.places, i)
		}
	}
	removed.notice = lang.L("Stopped watching {{.Port}}", map[string]any{"Port": port})
	p.unwatched = removed
	p.actions.Unwatch(port)
	p.ShowNotice(removed.notice)
}

// Undo restores the watch that ☆ removed last.
func (p *Page) Undo() {
	if !p.canUndo() {
		return
	}
	seen := p.status.Rules.WithoutPort(p.unwatched.port) // the agent may not have confirmed the removal yet
	rules := slices.Clone(seen)
	for i, rule := range p.unwatched.rules {
		rules = slices.Insert(rules, min(p.unwatched.places[i], len(rules)), rule)
	}
	p.unwatched, p.noticeUntil = removedWatch{}, time.Time{}
	p.actions.SetWatches(seen, rules)
	p.showStatus()
	p.table.Focus() // the link disappears and would keep the focus
}

func (p *Page) canUndo() bool { return p.live && p.now().Before(p.unwatched.until) }
