// Package watch holds the rules that say which changes the user wants to hear
// about, and when. It is pure: no clock of its own, no file, no goroutine.
package watch

import (
	"slices"

	"porthole/monitor"
)

// Rule is one watch: of ports, of a service wherever it listens, or of both.
type Rule struct {
	Name     string        `json:"name,omitempty"`  // the user's name for it
	Ports    monitor.Ports `json:"ports,omitempty"` // any port where nil; then there is a Match
	Match    Pattern       `json:"match,omitzero"`  // whose; anyone's where zero
	NotifyOn NotifyOn      `json:"tell,omitempty"`  // of what; of everything where 0
	Off      bool          `json:"off,omitempty"`
}

// NotifyOn is a set of changes that a rule tells of.
type NotifyOn uint8

// What a rule can tell of.
const (
	OnOpen        NotifyOn = 1 << iota
	OnClose                // also a restart
	OnOwnerChange          // another process or service has the port
	OnExposed              // it can be reached from the network

	onAll = OnOpen | OnClose | OnOwnerChange | OnExposed
)

// notifiesOn reports whether the rule tells of any of these.
func (rule Rule) notifiesOn(of NotifyOn) bool {
	told := rule.NotifyOn
	if told == 0 {
		told = onAll
	}
	return told&of != 0
}

// FollowsService reports whether the rule is about a service wherever it listens.
func (rule Rule) FollowsService() bool { return len(rule.Ports) == 0 }

// Matches reports whether the rule is about l: a watched port is a TCP port on
// loopback.
func (rule Rule) Matches(l *monitor.Listener) bool {
	return l.Protocol != monitor.UDP && l.AcceptsLoopback() &&
		(rule.FollowsService() || rule.Ports.Contains(l.Port)) && rule.Match.Matches(l)
}

// Listeners returns the listeners in s that the rule is about.
func (rule Rule) Listeners(s monitor.Snapshot) []*monitor.Listener {
	var found []*monitor.Listener
	for _, l := range s.Listeners {
		if rule.Matches(l) {
			found = append(found, l)
		}
	}
	return found
}

// Equal reports whether the rules are written the same.
func (rule Rule) Equal(other Rule) bool {
	return rule.Name == other.Name && slices.Equal(rule.Ports, other.Ports) &&
		rule.Match.text == other.Match.text && rule.NotifyOn == other.NotifyOn && rule.Off == other.Off
}

// Rules are all watches, in the user's order.
type Rules []Rule

// Default is what is watched before anyone chose: one port, so that the first
// thing that a new user sees work is the notification.
func Default() Rules { return Rules{simpleRule(62893)} }

// simpleRule is the rule that ★ makes.
func simpleRule(port uint16) Rule { return Rule{Ports: monitor.Ports{{First: port, Last: port}}} }

// Valid returns the rules that are about anything: those with ports or a
// pattern.
func (r Rules) Valid() Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return len(rule.Ports) == 0 && rule.Match.IsZero() })
}

// Active returns the rules that are switched on.
func (r Rules) Active() Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.Off })
}

// Matches reports whether any rule that is switched on is about l.
func (r Rules) Matches(l *monitor.Listener) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return !rule.Off && rule.Matches(l) })
}

// WatchesPort reports whether any rule that is switched on is about port, whoever
// has it.
func (r Rules) WatchesPort(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool {
		return !rule.Off && rule.Match.IsZero() && rule.Ports.Contains(port)
	})
}

// HasSimple reports whether a rule watches port and nothing else: the kind that ★
// makes and removes.
func (r Rules) HasSimple(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return rule.isSimple(port) && !rule.Off })
}

func (rule Rule) isSimple(port uint16) bool {
	p, single := rule.Ports.Single()
	return single && p == port && rule.Match.IsZero()
}

// WithPort returns the rules with a simple one for port that is switched on, r
// itself where there is one.
func (r Rules) WithPort(port uint16) Rules {
	if r.HasSimple(port) {
		return r
	}
	with := slices.Clone(r)
	if i := slices.IndexFunc(with, func(rule Rule) bool { return rule.isSimple(port) }); i >= 0 {
		with[i].Off = false
		return with
	}
	return append(with, simpleRule(port))
}

// WithoutPort returns the rules without the simple ones for port.
func (r Rules) WithoutPort(port uint16) Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.isSimple(port) })
}

// Disable returns the rules with those switched off that are about the same as rule,
// whatever they are called and tell of now.
func (r Rules) Disable(rule Rule) Rules {
	off := slices.Clone(r)
	for i := range off {
		if slices.Equal(off[i].Ports, rule.Ports) && off[i].Match.text == rule.Match.text {
			off[i].Off = true
		}
	}
	return off
}

// CountOpen returns how many of the rules that are switched on have an open port in
// s, and how many such rules there are.
func (r Rules) CountOpen(s monitor.Snapshot) (open, all int) {
	for _, rule := range r.Active() {
		all++
		if slices.ContainsFunc(s.Listeners, rule.Matches) {
			open++
		}
	}
	return open, all
}

// Relevant returns the changes that a rule which is switched on is about,
// whatever it tells of.
func (r Rules) Relevant(changes []monitor.Event) []monitor.Event {
	var concern []monitor.Event
	for _, c := range changes {
		if notifiable(c.Kind) && (r.Matches(c.Listener) || (c.Before != nil && r.Matches(c.Before))) {
			concern = append(concern, c)
		}
	}
	return concern
}

// notifiable reports whether anyone may want to hear of such a change: not of what is
// just better known, or looked at now and not before.
func notifiable(k monitor.Kind) bool {
	switch k {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged:
		return true
	}
	return false
}
