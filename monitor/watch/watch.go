// Package watch holds the rules that say which changes the user wants to hear
// about, and their verdicts. It is pure: no clock, no file, no goroutine.
package watch

import (
	"slices"

	"porthole/monitor"
)

// Rule is one watch.
type Rule struct {
	Ports monitor.Ports
	Name  string // the user's name for it; may be empty
}

// Rules are all watches, in the user's order.
type Rules []Rule

// Default is what is watched before anyone chose: one port, so that the first
// thing that a new user sees work is the notification.
func Default() Rules { return Rules{{Ports: monitor.Ports{{First: 62893, Last: 62893}}}} }

// Watches reports whether any rule is about port.
func (r Rules) Watches(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return rule.Ports.Contains(port) })
}

// Simple reports whether a rule watches port and nothing else: the kind that ★
// makes and removes.
func (r Rules) Simple(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return rule.isSimple(port) })
}

func (rule Rule) isSimple(port uint16) bool {
	p, single := rule.Ports.Single()
	return single && p == port
}

// With returns the rules with a simple one for port, r itself where there is one.
func (r Rules) With(port uint16) Rules {
	if r.Simple(port) {
		return r
	}
	return append(slices.Clone(r), Rule{Ports: monitor.Ports{{First: port, Last: port}}})
}

// Without returns the rules without the simple ones for port.
func (r Rules) Without(port uint16) Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.isSimple(port) })
}

// Alert is a change that a rule is about.
type Alert struct {
	Change monitor.Change
	Rule   Rule
}

// Alerts returns the changes that someone wants to hear about, each once, with
// the first rule that is about it.
func (r Rules) Alerts(changes []monitor.Change) []Alert {
	var alerts []Alert
	for _, c := range changes {
		if !tells(c.Kind) {
			continue
		}
		i := slices.IndexFunc(r, func(rule Rule) bool { return rule.isAbout(c.Listener) })
		if i >= 0 {
			alerts = append(alerts, Alert{Change: c, Rule: r[i]})
		}
	}
	return alerts
}

// tells reports whether anyone may want to hear of such a change: not of what
// is just better known, or looked at now and not before.
func tells(k monitor.Kind) bool {
	switch k {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ReachChanged:
		return true
	}
	return false
}

// Open returns how many rules have an open port in s.
func (r Rules) Open(s monitor.Snapshot) int {
	n := 0
	for _, rule := range r {
		if len(rule.Listeners(s)) > 0 {
			n++
		}
	}
	return n
}

// isAbout reports whether the rule is about l: a watched port is a TCP port on
// loopback.
func (rule Rule) isAbout(l *monitor.Listener) bool {
	return l.Protocol != monitor.UDP && l.Loopback() && rule.Ports.Contains(l.Port)
}

// Listeners returns the loopback listeners in s that the rule is about.
func (rule Rule) Listeners(s monitor.Snapshot) []*monitor.Listener {
	var found []*monitor.Listener
	for _, l := range s.Listeners {
		if rule.isAbout(l) {
			found = append(found, l)
		}
	}
	return found
}
