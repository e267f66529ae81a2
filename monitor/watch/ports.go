package watch

import (
	"slices"
	"strings"

	"porthole/monitor"
)

// udpSuffix marks UDP ports in the text of a rule's ports.
const udpSuffix = "/udp"

// The errors of ParsePorts, ParsePattern and CheckHealth.
const (
	textTwoProtocols = "these are TCP and UDP ports: write /udp after each port, or make two entries"
	textWord         = "\"{{.Word}}\" at character {{.Number}}: {{.Why}}"
	textParenthesis  = "unbalanced closing parenthesis"
	textHealthUDP    = "only TCP ports have health checks: they are HTTP requests"
)

// Texts returns the texts of the errors of ParsePorts, ParsePattern and CheckHealth, for
// translators.
func Texts() []string { return []string{textTwoProtocols, textWord, textParenthesis, textHealthUDP} }

// ParsePorts sets Ports, Except and Protocol of the rule from text: ports and
// ranges as monitor.ParsePorts accepts them. A part with a leading "-" is
// excluded, and "/udp" at the end of the parts makes them UDP ports: "5353/udp",
// "40001-40008, -40003". An error is a monitor.SentenceError.
func (rule *Rule) ParsePorts(text string) error {
	var in, out []string
	udp, tcp := false, false
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t", r) }) {
		excluded, isExcluded := strings.CutPrefix(part, "-")
		number, isUDP := strings.CutSuffix(strings.ToLower(excluded), udpSuffix)
		udp, tcp = udp || isUDP, tcp || !isUDP && !isExcluded
		if isExcluded {
			out = append(out, number)
		} else {
			in = append(in, number)
		}
	}
	if udp && tcp {
		return monitor.SentenceError{Sentence: monitor.Sentence{Text: textTwoProtocols}}
	}
	ports, err := parseAll(in)
	if err != nil {
		return err
	}
	except, err := parseAll(out)
	if err != nil {
		return err
	}
	if ports == nil && except == nil {
		_, err := monitor.ParsePorts(text)
		return err
	}
	rule.Ports, rule.Except, rule.Protocol = ports, except, ""
	if udp {
		rule.Protocol = monitor.UDP
	}
	return nil
}

// parseAll parses parts; none are nil.
func parseAll(parts []string) (monitor.Ports, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	return monitor.ParsePorts(parts...)
}

// PortsText formats the ports as ParsePorts accepts them.
func (rule Rule) PortsText() string {
	suffix := ""
	if rule.Protocol == monitor.UDP {
		suffix = udpSuffix
	}
	var parts []string
	for _, r := range rule.Ports {
		parts = append(parts, monitor.Ports{r}.String()+suffix)
	}
	for _, r := range rule.Except {
		parts = append(parts, "-"+monitor.Ports{r}.String()+suffix)
	}
	return strings.Join(parts, ", ")
}

// SingleTCP returns the port of a rule about exactly one TCP port, and false for other
// rules.
func (rule Rule) SingleTCP() (uint16, bool) {
	port, single := rule.Ports.Single()
	return port, single && rule.Protocol != monitor.UDP
}

// hasProtocol reports whether the rule is about listeners of protocol p.
func (rule Rule) hasProtocol(p monitor.Protocol) bool {
	return (rule.Protocol == monitor.UDP) == (p == monitor.UDP)
}

// with returns ports and port.
func with(ports monitor.Ports, port uint16) monitor.Ports {
	all := monitor.Ports{{First: port, Last: port}}
	joined, err := monitor.ParsePorts(append(slices.Clone(ports), all...).String())
	if err != nil { // port 0, which nothing listens on
		return ports
	}
	return joined
}

// without returns ports without port; nil if none remains.
func without(ports monitor.Ports, port uint16) (left monitor.Ports) {
	for _, r := range ports {
		if port < r.First || port > r.Last {
			left = append(left, r)
			continue
		}
		if r.First < port {
			left = append(left, monitor.PortRange{First: r.First, Last: port - 1})
		}
		if port < r.Last {
			left = append(left, monitor.PortRange{First: port + 1, Last: r.Last})
		}
	}
	return left
}

// Watch returns the rules with one that matches l: a rule that excludes the port
// includes it again; otherwise the port gets a rule of its own.
func (r Rules) Watch(l *monitor.Listener) Rules {
	watched := slices.Clone(r)
	for i := range watched {
		rule := &watched[i]
		included := *rule
		included.Except = without(rule.Except, l.Port)
		if !rule.Off && !rule.Matches(l) && included.Matches(l) {
			*rule = included
		}
	}
	if watched.Matches(l) {
		return watched
	}
	for i := range watched {
		if rule := &watched[i]; rule.isSimple(l.Port, l.Protocol) {
			rule.Off = false
			return watched
		}
	}
	simple := simpleRule(l.Port)
	if l.Protocol == monitor.UDP {
		simple.Protocol = monitor.UDP
	}
	return append(watched, simple)
}

// Unwatch returns the rules without those that are only about the port of l.
// Others that match l exclude its port.
func (r Rules) Unwatch(l *monitor.Listener) Rules {
	left := slices.DeleteFunc(slices.Clone(r), func(rule Rule) bool { return rule.isSimple(l.Port, l.Protocol) })
	return left.Silence(l)
}

// Silence returns the rules so that none matches l: those about a single port are
// switched off, others exclude the port.
func (r Rules) Silence(l *monitor.Listener) Rules {
	silent := slices.Clone(r)
	for i := range silent {
		rule := &silent[i]
		if rule.Off || !rule.Matches(l) {
			continue
		}
		if _, single := rule.Ports.Single(); single {
			rule.Off = true
		} else {
			rule.Except = with(rule.Except, l.Port)
		}
	}
	return silent
}

// HasUDP reports whether an active rule is about UDP ports.
func (r Rules) HasUDP() bool {
	return slices.ContainsFunc(r, func(rule Rule) bool { return !rule.Off && rule.Protocol == monitor.UDP })
}
