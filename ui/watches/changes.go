package watches

import (
	"slices"
	"time"

	"porthole/monitor/watch"
)

// answerTime is how long after a request the page ignores older rules from the agent. After that
// the agent's rules apply, regardless of what was requested.
const answerTime = 5 * time.Second

// isNews reports whether to show rules. It returns false for rules that the agent sent before it
// handled the last request.
func (p *Page) isNews(rules watch.Rules) bool {
	same := func(r watch.Rules) bool { return slices.EqualFunc(r, rules, watch.Rule.Equal) }
	if len(p.pending) > 0 && p.now().Sub(p.pendingSince) < answerTime {
		if same(p.confirmed) {
			return false
		}
		if i := slices.IndexFunc(p.pending, same); i >= 0 {
			p.pending, p.confirmed = p.pending[i+1:], rules
			return len(p.pending) == 0
		}
	}
	p.pending, p.confirmed = nil, rules
	return true
}

// adopt shows rules that were changed elsewhere. The selection stays with its rule.
func (p *Page) adopt(rules watch.Rules) {
	if p.selected >= 0 && p.selected < len(p.rules) {
		p.selected = nearest(rules, p.rules[p.selected], p.selected)
	}
	p.rules = slices.Clone(rules)
	p.clamp()
}

// nearest returns the index of rule in rules. If it is there more than once, it returns the one
// nearest to index; if it is not there, index.
func nearest(rules watch.Rules, rule watch.Rule, index int) int {
	found, distance := index, len(rules)+1
	for i := range rules {
		if d := max(i-index, index-i); rules[i].Equal(rule) && d < distance {
			found, distance = i, d
		}
	}
	return found
}

func (p *Page) clamp() { p.selected = min(p.selected, len(p.rules)-1) }

// change requests other rules and shows them immediately.
func (p *Page) change(rules watch.Rules, selected int) {
	seen := p.rules
	p.rules, p.selected = rules, selected
	p.clamp()
	p.pending, p.pendingSince = append(p.pending, slices.Clone(rules)), p.now()
	p.actions.SetWatches(slices.Clone(seen), slices.Clone(rules))
	p.arrange()
	if p.selected >= 0 {
		p.list.ScrollTo(p.selected)
	}
}

// editableAt reports whether rule i can be changed.
func (p *Page) editableAt(i int) bool { return p.editable() && i >= 0 && i < len(p.rules) }

// toggle turns rule i on or off.
func (p *Page) toggle(i int) {
	if !p.editableAt(i) {
		return
	}
	rules := slices.Clone(p.rules)
	rules[i].Off = !rules[i].Off
	p.deleted = nil
	p.change(rules, i)
}

// move moves rule i by n positions.
func (p *Page) move(i, n int) {
	if !p.editableAt(i) || i+n < 0 || i+n >= len(p.rules) {
		return
	}
	rules := slices.Clone(p.rules)
	rules[i], rules[i+n] = rules[i+n], rules[i]
	p.deleted = nil
	p.change(rules, i+n)
}
