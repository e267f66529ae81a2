package watch

import "slices"

// Merge combines two concurrent edits of the same rules: edit was made from base
// while others changed base to present. A rule that only one side changed is
// taken from that side. If both sides changed a rule, each field is merged
// separately; if both changed the same field, edit wins. A rule that one side
// removed and the other changed is kept. The order is that of present, unless
// edit moved rules.
func Merge(base, present, edit Rules) Rules {
	m := merger{base, present, edit, pair(base, present), pair(base, edit)}
	lead, other, fromLead, fromOther := present, edit, m.ofPresent, m.ofEdit
	if moved(m.edited) {
		lead, other, fromLead, fromOther = edit, present, m.ofEdit, m.ofPresent
	}
	var slots []slot
	for i := range lead {
		if s, keep := fromLead(i); keep {
			slots = append(slots, s)
		}
	}
	after := 0 // insertion index of rules that lead lacks: after their predecessor in other
	for i := range other {
		s, keep := fromOther(i)
		if !keep {
			continue
		}
		k := slices.IndexFunc(slots, s.same)
		if k < 0 {
			k = after
			slots = slices.Insert(slots, k, s)
		}
		after = k + 1
	}
	merged := make(Rules, len(slots))
	for i, s := range slots {
		merged[i] = s.rule
	}
	return merged
}

// merger records what happened to each rule of base: now and edited hold its
// index in present and edit, -1 if it was removed.
type merger struct {
	base, present, edit Rules
	now, edited         []int
}

// slot is one rule of the result. from is its index in base, -1 for a new rule.
type slot struct {
	rule Rule
	from int
}

// same reports whether both slots hold the same rule.
func (s slot) same(other slot) bool {
	if s.from < 0 && other.from < 0 {
		return s.rule.Equal(other.rule) // both sides added it
	}
	return s.from == other.from
}

// ofPresent returns the result for rule i of present; keep is false if it was
// removed.
func (m merger) ofPresent(i int) (_ slot, keep bool) {
	b := slices.Index(m.now, i)
	if b < 0 {
		return slot{m.present[i], -1}, true
	}
	return m.outcome(b)
}

// ofEdit returns the result for rule i of edit; keep is false if it was removed.
func (m merger) ofEdit(i int) (_ slot, keep bool) {
	b := slices.Index(m.edited, i)
	if b < 0 {
		return slot{m.edit[i], -1}, true
	}
	return m.outcome(b)
}

// outcome merges one rule of base; keep is false if it was removed.
func (m merger) outcome(b int) (_ slot, keep bool) {
	was, now, edited := m.base[b], m.now[b], m.edited[b]
	switch {
	case now >= 0 && edited >= 0:
		return slot{mergeRule(was, m.present[now], m.edit[edited]), b}, true
	case now >= 0:
		return slot{m.present[now], b}, !m.present[now].Equal(was)
	case edited >= 0:
		return slot{m.edit[edited], b}, !m.edit[edited].Equal(was)
	}
	return slot{}, false
}

// mergeRule applies each field that edit changed to present.
func mergeRule(was, present, edit Rule) Rule {
	merged := present
	if edit.Name != was.Name {
		merged.Name = edit.Name
	}
	if edit.NotifyOn != was.NotifyOn {
		merged.NotifyOn = edit.NotifyOn
	}
	if edit.Off != was.Off {
		merged.Off = edit.Off
	}
	if edit.Urgency != was.Urgency {
		merged.Urgency = edit.Urgency
	}
	if edit.Sound != was.Sound {
		merged.Sound = edit.Sound
	}
	if edit.Health != was.Health {
		merged.Health = edit.Health
	}
	if !edit.SameHook(was) {
		merged.Run, merged.Post = edit.Run, edit.Post
	}
	if !slices.Equal(edit.Except, was.Except) {
		merged.Except = edit.Except
	}
	// Ports and pattern together define the subject of a rule; merging only one
	// of them would create a rule that neither side wrote.
	if !edit.sameSubject(was) {
		merged.Ports, merged.Protocol, merged.Match = edit.Ports, edit.Protocol, edit.Match
	}
	return merged
}

// pair finds each rule of before in after: first identical rules, then similar
// ones, then those at the same index if no rule was added or removed.
func pair(before, after Rules) []int {
	to := make([]int, len(before))
	taken := make([]bool, len(after))
	for i := range to {
		to[i] = -1
	}
	match := func(is func(i, j int) bool) {
		for i := range before {
			for j := range after {
				if to[i] < 0 && !taken[j] && is(i, j) {
					to[i], taken[j] = j, true
				}
			}
		}
	}
	match(func(i, j int) bool { return before[i].Equal(after[j]) })
	match(func(i, j int) bool { return before[i].Resembles(after[j]) })
	if len(before) == len(after) {
		match(func(i, j int) bool { return i == j })
	}
	return to
}

// moved reports whether the remaining rules changed their order.
func moved(to []int) bool {
	left := slices.DeleteFunc(slices.Clone(to), func(j int) bool { return j < 0 })
	return !slices.IsSorted(left)
}

// Resembles reports whether other may be an edited version of rule: they have
// the same ports, pattern or name.
func (rule Rule) Resembles(other Rule) bool {
	return rule.Ports != nil && slices.Equal(rule.Ports, other.Ports) ||
		!rule.Match.IsZero() && rule.Match.text == other.Match.text || rule.Name != "" && rule.Name == other.Name
}
