package label

import (
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// Hidden is a rule that hides listeners which the user knows. All of its parts must
// apply to a listener.
type Hidden struct {
	On      watch.Rule `json:"on"`                // only its ports, protocol and words
	Program string     `json:"program,omitempty"` // the name of the principal owner; "" for any
	Unit    string     `json:"unit,omitempty"`    // the systemd unit; "" for any
	// Exposed is set if the user has seen that the network can reach the listeners.
	// Without it, the rule hides only those of this machine: what becomes reachable
	// later is shown again.
	Exposed bool `json:"exposed,omitempty"`
	// Public is the same for everybody on the internet.
	Public bool `json:"public,omitempty"`
}

// Equal reports whether both rules are written identically.
func (h Hidden) Equal(k Hidden) bool {
	return h.On.Equal(k.On) && h.Program == k.Program && h.Unit == k.Unit && h.Exposed == k.Exposed && h.Public == k.Public
}

// Hides reports whether the rule hides l.
func (h Hidden) Hides(l *monitor.Listener) bool {
	o, _ := l.Principal()
	seen := h.Exposed || !l.Exposure.IsExposed()
	if l.Exposure == monitor.ExposurePublic {
		seen = h.Public
	}
	return seen && (h.Program == "" || h.Program == o.Name) &&
		(h.Unit == "" || h.Unit == l.Unit) && h.On.IsAbout(l)
}

// textEverything refuses a rule that hides everything.
const textEverything = "this would hide everything: a rule needs ports, a program, a unit or words that only some listeners have"

// Texts returns the texts of the errors of Check, for translators.
func Texts() []string { return []string{textEverything} }

// Check returns a monitor.SentenceError if the rule selects nothing in particular.
func (h Hidden) Check() error {
	allPorts := h.On.FollowsService() || len(monitor.Ports{{First: 1, Last: 65535}}.Without(h.On.Ports)) == 0
	if h.Program == "" && h.Unit == "" && allPorts && matchesAnything(h.On.Match) {
		return monitor.SentenceError{Sentence: monitor.NewSentence(textEverything)}
	}
	return nil
}

// matchesAnything reports whether a pattern matches names that have nothing in common.
func matchesAnything(p watch.Pattern) bool {
	for _, name := range []string{"bcd", "fgh", "jkl", "mnp", "rst"} {
		if !p.Matches(&monitor.Listener{Owners: []monitor.Owner{{Name: name}}}) {
			return false
		}
	}
	return true
}

// Hide returns the rules that can hide l, the narrowest first: l itself, its program, its
// unit.
func Hide(l *monitor.Listener) []Hidden {
	exposed, public := l.Exposure != monitor.ExposureLoopback, l.Exposure == monitor.ExposurePublic
	o, _ := l.Principal()
	one := Hidden{On: OfPort(l).On, Program: o.Name, Exposed: exposed, Public: public}
	rules := []Hidden{one}
	unit := ""
	if strings.HasSuffix(l.Unit, ".service") || strings.HasSuffix(l.Unit, ".socket") { // a scope has many programs
		unit = l.Unit
	}
	if o.Name == "" {
		rules[0].Unit = unit
	} else {
		rules = append(rules, Hidden{Program: o.Name, Exposed: exposed, Public: public})
	}
	if unit != "" {
		rules = append(rules, Hidden{Unit: unit, Exposed: exposed, Public: public})
	}
	return rules
}

// Hiding returns the rules that hide l.
func (r Rules) Hiding(l *monitor.Listener) (hiding []Hidden) {
	for _, h := range r.Hidden {
		if h.Hides(l) {
			hiding = append(hiding, h)
		}
	}
	return hiding
}

// Change returns rules with the added ones, each once, and without the removed ones.
// Added ones take the places of removed ones, or come last.
func Change[T interface{ Equal(T) bool }](rules, add, remove []T) (changed []T) {
	has := func(rules []T, one T) bool { return slices.ContainsFunc(rules, one.Equal) }
	pending := slices.DeleteFunc(slices.Clone(add), func(one T) bool { return has(rules, one) && !has(remove, one) })
	for _, one := range rules {
		if !has(remove, one) {
			changed = append(changed, one)
		} else if len(pending) > 0 {
			changed, pending = append(changed, pending[0]), pending[1:]
		}
	}
	return append(changed, pending...)
}

// Resembles reports whether h may be an edited version of k: they are about the same
// ports, program or unit.
func (h Hidden) Resembles(k Hidden) bool {
	return h.On.Resembles(k.On) || h.Program != "" && h.Program == k.Program || h.Unit != "" && h.Unit == k.Unit
}
