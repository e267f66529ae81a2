package settings

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// This file is how watches stand in the settings file:
//
//	watches:
//	  - ports: 62893
//	  - name: the shop
//	    ports: 3000-3999, 8080
//	    match: vite shop
//	    tell: opens, network
//	    off: true

// eventName is a word of "tell".
type eventName struct {
	word string
	tell watch.NotifyOn
}

// eventNames are all of them, in the order in which they are written.
var eventNames = []eventName{{"opens", watch.OnOpen}, {"closes", watch.OnClose}, {"hands", watch.OnOwnerChange}, {"network", watch.OnExposed}}

func (f *File) parseWatches(node *yaml.Node) (watch.Rules, error) {
	rules := watch.Rules{}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return rules, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, f.errorAt(node, "watches is a list, each entry like \"- ports: 62893\"")
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
		return rule, f.errorAt(item, "a watch is like \"- ports: 62893\"")
	}
	if node := valueOf(item, "ports"); node != nil {
		if node.Kind != yaml.ScalarNode {
			return rule, f.errorAt(node, "ports are like 62893 or \"3000-3999, 8080\"")
		}
		if rule.Ports, err = monitor.ParsePorts(node.Value); err != nil {
			return rule, f.errorAt(node, err.Error())
		}
	}
	if node := valueOf(item, "match"); node != nil {
		if rule.Match, err = watch.ParsePattern(node.Value); err != nil {
			return rule, f.errorAt(node, "match: "+err.Error())
		}
	}
	if rule.Ports == nil && rule.Match.IsZero() {
		return rule, f.errorAt(item, "a watch needs ports, like \"ports: 62893\" or \"ports: 3000-3999, 8080\", or a match, like \"match: vite shop\""+suggestKey(item))
	}
	if node := valueOf(item, "name"); node != nil {
		rule.Name = node.Value
	}
	if node := valueOf(item, "off"); node != nil {
		if err := node.Decode(&rule.Off); err != nil {
			return rule, f.errorAt(node, "off is true or false")
		}
	}
	if node := valueOf(item, "tell"); node != nil {
		if rule.NotifyOn, err = f.parseNotifyOn(node); err != nil {
			return rule, err
		}
	}
	return rule, nil
}

// parseNotifyOn reads "opens, closes", or a list of such words.
func (f *File) parseNotifyOn(node *yaml.Node) (watch.NotifyOn, error) {
	words := strings.FieldsFunc(node.Value, func(r rune) bool { return r == ',' || r == ' ' })
	for _, item := range node.Content {
		words = append(words, item.Value)
	}
	var tell watch.NotifyOn
	for _, word := range words {
		i := slices.IndexFunc(eventNames, func(t eventName) bool { return t.word == word })
		if i < 0 {
			return 0, f.errorAt(node, fmt.Sprintf("%q: tell is any of opens, closes, hands, network", monitor.Clean(word, 40)))
		}
		tell |= eventNames[i].tell
	}
	return tell, nil
}

// setWatches keeps the entries of rules that are there as they are written. A
// rule that was changed is changed in its entry, whose comments stay; the new
// ones are put where they belong.
func (f *File) setWatches(doc *yaml.Node, rules watch.Rules) {
	list := listOf(doc.Content[0], "watches")
	old := make([]*yaml.Node, len(list.Content)) // those not used yet
	copy(old, list.Content)
	entries := make([]*yaml.Node, len(rules))
	for i, rule := range rules {
		k := slices.IndexFunc(old, func(n *yaml.Node) bool {
			if n == nil {
				return false
			}
			have, err := f.parseWatch(n)
			return err == nil && have.Equal(rule)
		})
		if k >= 0 {
			entries[i], old[k] = old[k], nil // equal rules have an entry each
		}
	}
	for i, rule := range rules {
		if entries[i] != nil {
			continue
		}
		entries[i] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if k := slices.IndexFunc(old, func(n *yaml.Node) bool { return n != nil && f.isEarlierVersion(n, rule) }); k >= 0 {
			entries[i], old[k] = old[k], nil
		}
		setRule(entries[i], rule)
	}
	list.Content = entries
	list.Style = 0
	if len(entries) == 0 {
		list.Style = yaml.FlowStyle // [] says "none" where nothing would say "the default"
	}
}

// isEarlierVersion reports whether the entry was written for rule before that changed.
func (f *File) isEarlierVersion(entry *yaml.Node, rule watch.Rule) bool {
	have, err := f.parseWatch(entry)
	return err == nil && rule.Resembles(have)
}

// listOf returns the list under key, which it makes where there is none.
func listOf(root *yaml.Node, key string) *yaml.Node {
	list := valueOf(root, key)
	if list == nil {
		list = &yaml.Node{}
		root.Content = append(root.Content, typedScalar(key), list)
	}
	if list.Kind != yaml.SequenceNode {
		*list = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	}
	return list
}

func setRule(entry *yaml.Node, rule watch.Rule) {
	off := ""
	if rule.Off {
		off = "true"
	}
	setKey(entry, "ports", rule.Ports.String())
	setKey(entry, "name", rule.Name)
	setKey(entry, "match", rule.Match.String())
	setKey(entry, "tell", notifyOnText(rule.NotifyOn))
	setKey(entry, "off", off)
}

func notifyOnText(tell watch.NotifyOn) string {
	var words []string
	for _, t := range eventNames {
		if tell&t.tell != 0 {
			words = append(words, t.word)
		}
	}
	if len(words) == len(eventNames) {
		return "" // as where nothing is said
	}
	return strings.Join(words, ", ")
}

// setKey sets key to value or, where that is "", takes it out.
func setKey(mapping *yaml.Node, key, value string) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != key {
			continue
		}
		if value == "" {
			mapping.Content = slices.Delete(mapping.Content, i, i+2)
		} else if mapping.Content[i+1].Value != value {
			comment := mapping.Content[i+1].LineComment
			*mapping.Content[i+1] = *typedScalar(value)
			mapping.Content[i+1].LineComment = comment
		}
		return
	}
	if value != "" {
		mapping.Content = append(mapping.Content, typedScalar(key), typedScalar(value))
	}
}

// typedScalar is a plain value: a lone port and a truth need no quotes.
func typedScalar(text string) *yaml.Node {
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
