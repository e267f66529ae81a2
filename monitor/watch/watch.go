// Package watch holds the rules that select the events to notify about, and
// decides when to notify. It is pure: it has no clock, no files and no
// goroutines of its own.
package watch

import (
	"cmp"
	"slices"

	"porthole/monitor"
)

// Rule is one watch: a rule about ports, about a service wherever it listens, or
// about both.
type Rule struct {
	Name     string           `json:"name,omitempty"`      // chosen by the user
	Ports    monitor.Ports    `json:"ports,omitempty"`     // nil: any port; then Match is set
	Except   monitor.Ports    `json:"except,omitempty"`    // ports that are left out
	Protocol monitor.Protocol `json:"protocol,omitempty"`  // monitor.UDP; "" for TCP
	Match    Pattern          `json:"match,omitzero"`      // whose listeners; zero: anyone's
	NotifyOn NotifyOn         `json:"notify_on,omitempty"` // which events; 0: all
	Off      bool             `json:"off,omitempty"`
	Urgency  Urgency          `json:"urgency,omitempty"` // of its notifications
	// Sound of its notifications: "" for the setting of all, NoSound, or a name of
	// the freedesktop Sound Naming Specification, such as "bell".
	Sound string `json:"sound,omitempty"`
	// Run is a command with its arguments, and Post a URL, for each alert. They are
	// only set in the settings file.
	Run  []string `json:"run,omitempty"`
	Post string   `json:"post,omitempty"`
	// Health is the path of the health check of its listeners; "" for none. See package health.
	Health string `json:"health,omitempty"`
}

// Urgency is the urgency level of notifications (Desktop Notifications
// Specification 1.2); "" is Normal.
type Urgency string

// The urgency levels.
const (
	Low      Urgency = "low"
	Normal   Urgency = "normal"
	Critical Urgency = "critical" // also during quiet hours
)

// NoSound as the sound of a rule makes its notifications silent.
const NoSound = "none"

// NotifyOn is a set of events to notify about.
type NotifyOn uint16

// The events of a set.
const (
	OnOpen        NotifyOn = 1 << iota
	OnClose                // and a restart
	OnOwnerChange          // another process or service owns the port
	OnExposed              // it became reachable from the network
	OnCrash                // its owner failed; OnClose includes it
	OnAttempt              // it is closed, and a client tries to connect
	OnConnect              // a client connects for the first time
	OnUnhealthy            // it fails its health checks, or passes them again

	// DefaultEvents are the events of a rule without a set. Events about clients are not
	// among them.
	DefaultEvents = OnOpen | OnClose | OnOwnerChange | OnExposed | OnCrash | OnUnhealthy
)

// NotifiesOn reports whether the rule includes any of these events.
func (rule Rule) NotifiesOn(of NotifyOn) bool {
	included := rule.NotifyOn
	if included == 0 {
		included = DefaultEvents
	}
	return included&of != 0
}

// FollowsService reports whether the rule is about a service wherever it
// listens, rather than about ports.
func (rule Rule) FollowsService() bool { return len(rule.Ports) == 0 }

// Matches reports whether the rule is about l. Rules are about ports that are
// reachable through loopback.
func (rule Rule) Matches(l *monitor.Listener) bool {
	return rule.hasProtocol(l.Protocol) && l.AcceptsLoopback() &&
		(rule.FollowsService() || rule.Ports.Contains(l.Port)) && !rule.Except.Contains(l.Port) && rule.Match.Matches(l)
}

// IsAbout is Matches for labels and hiding rules: also listeners that loopback does not
// reach, and of a rule without ports both protocols.
func (rule Rule) IsAbout(l *monitor.Listener) bool {
	if !rule.FollowsService() && (!rule.hasProtocol(l.Protocol) || !rule.Ports.Contains(l.Port)) {
		return false
	}
	return !rule.Except.Contains(l.Port) && rule.Match.Matches(l)
}

// CoversTCP reports whether the TCP port is one of the rule's, whoever owns it.
func (rule Rule) CoversTCP(port uint16) bool {
	return rule.hasProtocol(monitor.TCP) && rule.Ports.Contains(port) && !rule.Except.Contains(port)
}

// Listeners returns the listeners in s that match the rule.
func (rule Rule) Listeners(s monitor.Snapshot) []*monitor.Listener {
	var found []*monitor.Listener
	for _, l := range s.Listeners {
		if rule.Matches(l) {
			found = append(found, l)
		}
	}
	return found
}

// Equal reports whether both rules are written identically.
func (rule Rule) Equal(other Rule) bool {
	return rule.Name == other.Name && rule.sameSubject(other) && slices.Equal(rule.Except, other.Except) &&
		rule.NotifyOn == other.NotifyOn && rule.Off == other.Off && rule.Urgency == other.Urgency && rule.Sound == other.Sound && rule.Health == other.Health && rule.SameHook(other)
}

// CheckHealth returns an error if the rule can't have its health check. It is a
// monitor.SentenceError. A rule without one has no error.
func (rule Rule) CheckHealth() error {
	switch {
	case rule.Health == "":
		return nil
	case rule.Protocol == monitor.UDP:
		return monitor.SentenceError{Sentence: monitor.NewSentence(textHealthUDP)}
	}
	return monitor.CheckHealthPath(rule.Health)
}

// HasHook reports whether the rule runs a command or posts to a URL.
func (rule Rule) HasHook() bool { return len(rule.Run) > 0 || rule.Post != "" }

// SameHook reports whether both rules run the same command and post to the same
// URL.
func (rule Rule) SameHook(other Rule) bool {
	return slices.Equal(rule.Run, other.Run) && rule.Post == other.Post
}

// sameSubject reports whether both rules have the same ports, protocol and
// pattern, regardless of exclusions.
func (rule Rule) sameSubject(other Rule) bool {
	return slices.Equal(rule.Ports, other.Ports) && rule.hasProtocol(other.Protocol) && rule.Match.text == other.Match.text
}

// Rules are all watches, in the user's order.
type Rules []Rule

// Default returns the rules of a new installation: one port, so that the first
// thing a new user sees working is the notification.
func Default() Rules { return Rules{simpleRule(62893)} }

// simpleRule returns the rule that ★ creates: one port and nothing else.
func simpleRule(port uint16) Rule { return Rule{Ports: monitor.Ports{{First: port, Last: port}}} }

// Valid returns the rules that have ports or a pattern.
func (r Rules) Valid() Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return len(rule.Ports) == 0 && rule.Match.IsZero() })
}

// Active returns the rules that are switched on.
func (r Rules) Active() Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.Off })
}

// WithDefault returns the rules, of which those without events have these.
func (r Rules) WithDefault(events NotifyOn) Rules {
	with := slices.Clone(r)
	for i := range with {
		with[i].NotifyOn = cmp.Or(with[i].NotifyOn, events)
	}
	return with
}

// Matches reports whether any active rule matches l.
func (r Rules) Matches(l *monitor.Listener) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return !rule.Off && rule.Matches(l) })
}

// WatchesPort reports whether any active rule watches the TCP port regardless of
// its owner.
func (r Rules) WatchesPort(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool {
		return !rule.Off && rule.hasProtocol(monitor.TCP) && rule.Match.IsZero() && rule.Ports.Contains(port) && !rule.Except.Contains(port)
	})
}

// TCPPorts returns the TCP ports of the active rules, whoever owns them.
func (r Rules) TCPPorts() monitor.Ports {
	var all monitor.Ports
	for _, rule := range r.Active() {
		if rule.hasProtocol(monitor.TCP) {
			all = append(all, rule.Ports.Without(rule.Except)...)
		}
	}
	return monitor.Union(all)
}

// Covering returns the first active rule that decides about all ports of rule, so that
// rule would never decide if it were added; false if there is none. A rule about other
// words, under another name, or with exactly the same ports does not cover it.
func (r Rules) Covering(rule Rule) (Rule, bool) {
	i := slices.IndexFunc(r, func(c Rule) bool {
		return !c.Off && c.Ports != nil && c.hasProtocol(rule.Protocol) && c.Match.text == rule.Match.text &&
			(rule.Name == "" || rule.Name == c.Name) && (rule.Health == "" || rule.Health == c.Health) && c.PortsText() != rule.PortsText() && rule.Ports != nil &&
			len(rule.Ports.Without(rule.Except).Without(c.Ports.Without(c.Except))) == 0
	})
	if i < 0 {
		return Rule{}, false
	}
	return r[i], true
}

// WithHealth returns the rules with the health check of rule: in the first rule with the same
// ports, protocol and words, and the same name unless rule has none, which is switched on. It
// returns false if there is none.
func (r Rules) WithHealth(rule Rule) (Rules, bool) {
	with := slices.Clone(r)
	i := slices.IndexFunc(with, func(c Rule) bool {
		return c.sameSubject(rule) && slices.Equal(c.Except, rule.Except) && (rule.Name == "" || rule.Name == c.Name)
	})
	if i < 0 {
		return r, false
	}
	with[i].Health, with[i].Off = rule.Health, false
	return with, true
}

// HasSimple reports whether an active rule watches the TCP port and nothing else.
func (r Rules) HasSimple(port uint16) bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return rule.isSimple(port, monitor.TCP) && !rule.Off })
}

// isSimple reports whether the rule watches this port and nothing else: the kind
// that ★ adds and removes.
func (rule Rule) isSimple(port uint16, protocol monitor.Protocol) bool {
	p, single := rule.Ports.Single()
	return single && p == port && rule.hasProtocol(protocol) && rule.Match.IsZero()
}

// WithPort returns the rules with an active simple rule for the TCP port. It returns r
// itself if there is one already.
func (r Rules) WithPort(port uint16) Rules {
	if r.HasSimple(port) {
		return r
	}
	with := slices.Clone(r)
	if i := slices.IndexFunc(with, func(rule Rule) bool { return rule.isSimple(port, monitor.TCP) }); i >= 0 {
		with[i].Off = false
		return with
	}
	return append(with, simpleRule(port))
}

// WithoutPort returns the rules without the simple ones for the TCP port.
func (r Rules) WithoutPort(port uint16) Rules {
	return slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.isSimple(port, monitor.TCP) })
}

// CountOpen returns how many active rules have an open listener in s, and how
// many active rules there are.
func (r Rules) CountOpen(s monitor.Snapshot) (open, all int) {
	for _, rule := range r.Active() {
		all++
		if slices.ContainsFunc(s.Listeners, rule.Matches) {
			open++
		}
	}
	return open, all
}

// Relevant returns the events whose listener matches an active rule, regardless
// of the events that the rule includes.
func (r Rules) Relevant(changes []monitor.Event) []monitor.Event {
	var relevant []monitor.Event
	for _, c := range changes {
		if notifiable(c.Kind) && (r.Matches(c.Listener) || (c.Before != nil && r.Matches(c.Before))) {
			relevant = append(relevant, c)
		}
	}
	return relevant
}

// notifiable reports whether events of this kind can cause a notification. New
// information about a listener and changes of what is polled cannot.
func notifiable(k monitor.Kind) bool {
	switch k {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged:
		return true
	}
	return false
}
