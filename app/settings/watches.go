package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// This file reads and writes the list of watches:
//
//	watches:
//	  - ports: 62893
//	  - name: the shop
//	    ports: 3000-3999, 8080
//	    match: vite shop
//	    notify_on: [open, exposed]
//	    health: /health
//	  - ports: 5353/udp
//	  - ports: 40001-40008, -40003
//	    off: true

// eventName is the name of an event in notify_on.
type eventName struct {
	name  string
	event watch.NotifyOn
}

// eventNames are all names, in the order in which they are written.
var eventNames = []eventName{{"open", watch.OnOpen}, {"close", watch.OnClose}, {"crash", watch.OnCrash}, {"owner_change", watch.OnOwnerChange}, {"exposed", watch.OnExposed}, {"attempt", watch.OnAttempt}, {"connect", watch.OnConnect}, {"unhealthy", watch.OnUnhealthy}}

// watchList describes the list of watches.
func (f *File) watchList() list[watch.Rule] {
	return list[watch.Rule]{"watches", f.parseWatch, ruleKeys, watch.Rule.Equal, watch.Rule.Resembles, &f.removed}
}

func (f *File) parseWatches(node *yaml.Node) (watch.Rules, error) {
	rules := watch.Rules{}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return rules, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, f.problemAt(node, textWatches)
	}
	for _, item := range node.Content {
		rule, err := f.parseWatch(item)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (f *File) parseWatch(item *yaml.Node) (rule watch.Rule, err error) {
	if item.Kind != yaml.MappingNode {
		return rule, f.problemAt(item, textWatch)
	}
	if node := valueOf(item, "ports"); node != nil {
		if node.Kind != yaml.ScalarNode {
			return rule, f.problemAt(node, textPorts)
		}
		if err := rule.ParsePorts(node.Value); err != nil {
			return rule, f.problemAt(node, textSyntax, "Why", reason(err))
		}
	}
	if node := valueOf(item, "match"); node != nil {
		if rule.Match, err = watch.ParsePattern(node.Value); err != nil {
			return rule, f.problemAt(node, textMatch, "Why", reason(err))
		}
	}
	if rule.Ports == nil && rule.Match.IsZero() {
		return rule, f.noPorts(item)
	}
	if node := valueOf(item, "name"); node != nil {
		rule.Name = node.Value
	}
	if node := valueOf(item, "off"); node != nil {
		if err := node.Decode(&rule.Off); err != nil {
			return rule, f.problemAt(node, textBool, "Key", "off")
		}
	}
	if node := valueOf(item, "notify_on"); node != nil {
		if rule.NotifyOn, err = f.parseNotifyOn(node); err != nil {
			return rule, err
		}
	}
	if node := valueOf(item, "health"); node != nil {
		if err := f.parseHealth(node, &rule); err != nil {
			return rule, err
		}
	}
	return rule, f.parseReaction(item, &rule)
}

// parseHealth parses the path of the health check of a watch.
func (f *File) parseHealth(node *yaml.Node, rule *watch.Rule) error {
	if rule.Health = node.Value; rule.Health == "" || node.Kind != yaml.ScalarNode {
		return f.problemAt(node, textHealth, "Why", monitor.NewSentence(textNoHealth))
	}
	if err := rule.CheckHealth(); err != nil {
		return f.problemAt(node, textHealth, "Why", reason(err))
	}
	return nil
}

// soundName is the form of the names in the freedesktop Sound Naming Specification.
var soundName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// parseReaction parses how a watch notifies, and its hooks.
func (f *File) parseReaction(item *yaml.Node, rule *watch.Rule) error {
	if node := valueOf(item, "urgency"); node != nil {
		var err error
		if rule.Urgency, err = f.parseUrgency(node, "urgency"); err != nil {
			return err
		}
	}
	if node := valueOf(item, "sound"); node != nil {
		if rule.Sound = node.Value; !soundName.MatchString(rule.Sound) {
			return f.problemAt(node, textSound)
		}
	}
	if node := valueOf(item, "run"); node != nil {
		for _, argument := range node.Content {
			if argument.Kind != yaml.ScalarNode {
				return f.problemAt(argument, textRunWord)
			}
			rule.Run = append(rule.Run, argument.Value)
		}
		if node.Kind != yaml.SequenceNode || len(rule.Run) == 0 || rule.Run[0] == "" {
			return f.problemAt(node, textRun)
		}
	}
	if node := valueOf(item, "post"); node != nil {
		u, err := url.Parse(node.Value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return f.problemAt(node, textPost)
		}
		rule.Post = node.Value
	}
	return nil
}

// ruleKeys returns the keys and values of rule; nil stands for a default, which
// is not written.
func ruleKeys(rule watch.Rule) []keyValue {
	off := ""
	if rule.Off {
		off = "true"
	}
	return []keyValue{
		{"ports", typedScalar(rule.PortsText())},
		{"name", typedScalar(rule.Name)},
		{"match", typedScalar(rule.Match.String())},
		{"notify_on", notifyOnList(rule.NotifyOn)},
		{"off", typedScalar(off)},
		{"urgency", typedScalar(string(rule.Urgency))},
		{"sound", typedScalar(rule.Sound)},
		{"run", stringList(rule.Run)},
		{"post", typedScalar(rule.Post)},
		{"health", typedScalar(rule.Health)},
	}
}

// stringList returns words as a flow list, nil for none.
func stringList(words []string) *yaml.Node {
	if len(words) == 0 {
		return nil
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, word := range words {
		n := &yaml.Node{}
		n.SetString(word)
		list.Content = append(list.Content, n)
	}
	return list
}

// parseNotifyOn parses a list of event names, or names separated by commas.
func (f *File) parseNotifyOn(node *yaml.Node) (watch.NotifyOn, error) {
	words := strings.FieldsFunc(node.Value, func(r rune) bool { return r == ',' || r == ' ' })
	for _, item := range node.Content {
		words = append(words, item.Value)
	}
	const expected = "open, close, crash, owner_change, exposed, attempt, connect, unhealthy"
	var events watch.NotifyOn
	for _, word := range words {
		i := slices.IndexFunc(eventNames, func(n eventName) bool { return n.name == word })
		if i < 0 {
			return 0, f.problemAt(node, textNotifyOn, "Word", monitor.Clean(word, 40), "Names", expected)
		}
		events |= eventNames[i].event
	}
	if events == 0 {
		return 0, f.problemAt(node, textNoEvents, "Names", expected)
	}
	return events, nil
}

// notifyOnList returns a list of event names, nil for those of the settings.
func notifyOnList(events watch.NotifyOn) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, n := range eventNames {
		if events&n.event != 0 {
			list.Content = append(list.Content, scalarNode(n.name))
		}
	}
	if events == 0 {
		return nil
	}
	return list
}

// equalNodes reports whether a and b are equal scalars or lists of equal scalars.
func equalNodes(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, equalNodes)
}

// typedScalar returns text as a scalar, nil if it is empty. A single port and true
// are not quoted.
func typedScalar(text string) *yaml.Node {
	if text == "" {
		return nil
	}
	var n yaml.Node
	n.SetString(text)
	switch _, err := monitor.ParsePorts(text); {
	case err == nil && !strings.ContainsAny(text, ", -"):
		n.Tag = "!!int"
	case text == "true":
		n.Tag = "!!bool"
	}
	return &n
}
