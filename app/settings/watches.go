package settings

import (
	"fmt"
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
//	    off: true

// eventName is the name of an event in notify_on.
type eventName struct {
	name  string
	event watch.NotifyOn
}

// eventNames are all names, in the order in which they are written.
var eventNames = []eventName{{"open", watch.OnOpen}, {"close", watch.OnClose}, {"owner_change", watch.OnOwnerChange}, {"exposed", watch.OnExposed}}

func (f *File) parseWatches(node *yaml.Node) (watch.Rules, error) {
	rules := watch.Rules{}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return rules, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, f.errorAt(node, "watches must be a list of entries such as \"- ports: 62893\"")
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
		return rule, f.errorAt(item, "a watch must have keys, such as \"- ports: 62893\"")
	}
	if node := valueOf(item, "ports"); node != nil {
		if node.Kind != yaml.ScalarNode {
			return rule, f.errorAt(node, "ports must be text such as 62893 or \"3000-3999, 8080\"")
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
		return rule, f.errorAt(item, "a watch needs ports, such as \"ports: 62893\" or \"ports: 3000-3999, 8080\", or a match, such as \"match: vite shop\""+suggestKey(item))
	}
	if node := valueOf(item, "name"); node != nil {
		rule.Name = node.Value
	}
	if node := valueOf(item, "off"); node != nil {
		if err := node.Decode(&rule.Off); err != nil {
			return rule, f.errorAt(node, "off must be true or false")
		}
	}
	if node := valueOf(item, "notify_on"); node != nil {
		if rule.NotifyOn, err = f.parseNotifyOn(node); err != nil {
			return rule, err
		}
	}
	return rule, nil
}

// parseNotifyOn parses a list of event names, or names separated by commas.
func (f *File) parseNotifyOn(node *yaml.Node) (watch.NotifyOn, error) {
	words := strings.FieldsFunc(node.Value, func(r rune) bool { return r == ',' || r == ' ' })
	for _, item := range node.Content {
		words = append(words, item.Value)
	}
	const expected = "any of open, close, owner_change, exposed"
	var events watch.NotifyOn
	for _, word := range words {
		i := slices.IndexFunc(eventNames, func(n eventName) bool { return n.name == word })
		if i < 0 {
			return 0, f.errorAt(node, fmt.Sprintf("%q: notify_on must be a list of %s", monitor.Clean(word, 40), expected))
		}
		events |= eventNames[i].event
	}
	if events == 0 {
		return 0, f.errorAt(node, "notify_on must be a list of "+expected+"; to disable the watch, use \"off: true\"")
	}
	return events, nil
}

// setWatches replaces the list of watches with rules. Entries of unchanged rules
// stay as they are written. The entry of a changed rule is changed and keeps its
// comments. New rules get new entries.
func (f *File) setWatches(doc *yaml.Node, rules watch.Rules) {
	list := listOf(doc.Content[0], "watches")
	unused := slices.Clone(list.Content)
	entries := make([]*yaml.Node, len(rules))
	for i, rule := range rules {
		k := slices.IndexFunc(unused, func(n *yaml.Node) bool {
			if n == nil {
				return false
			}
			have, err := f.parseWatch(n)
			return err == nil && have.Equal(rule)
		})
		if k >= 0 {
			entries[i], unused[k] = unused[k], nil // equal rules have an entry each
		}
	}
	for i, rule := range rules {
		if entries[i] != nil {
			continue
		}
		entries[i] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if k := slices.IndexFunc(unused, func(n *yaml.Node) bool { return n != nil && f.isEarlierVersion(n, rule) }); k >= 0 {
			entries[i], unused[k] = unused[k], nil
		}
		setRule(entries[i], rule)
	}
	list.Content = entries
	list.Style = 0
	if len(entries) == 0 {
		list.Style = yaml.FlowStyle // []: without the key, the default watch would apply
	}
}

// isEarlierVersion reports whether entry seems to be the one of rule before it
// was changed.
func (f *File) isEarlierVersion(entry *yaml.Node, rule watch.Rule) bool {
	have, err := f.parseWatch(entry)
	return err == nil && rule.Resembles(have)
}

// listOf returns the list of key and creates it if it does not exist.
func listOf(root *yaml.Node, key string) *yaml.Node {
	list := valueOf(root, key)
	if list == nil {
		list = &yaml.Node{}
		root.Content = append(root.Content, scalarNode(key), list)
	}
	if list.Kind != yaml.SequenceNode {
		*list = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	}
	return list
}

// setRule writes rule into entry, without keys that have their default value.
func setRule(entry *yaml.Node, rule watch.Rule) {
	off := ""
	if rule.Off {
		off = "true"
	}
	setKey(entry, "ports", typedScalar(rule.Ports.String()))
	setKey(entry, "name", typedScalar(rule.Name))
	setKey(entry, "match", typedScalar(rule.Match.String()))
	setKey(entry, "notify_on", notifyOnList(rule.NotifyOn))
	setKey(entry, "off", typedScalar(off))
}

// notifyOnList returns a list of event names, nil for the default.
func notifyOnList(events watch.NotifyOn) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, n := range eventNames {
		if events&n.event != 0 {
			list.Content = append(list.Content, scalarNode(n.name))
		}
	}
	if len(list.Content) == 0 || len(list.Content) == len(eventNames) {
		return nil
	}
	return list
}

// setKey sets key to value, or removes it if value is nil. It keeps a value that
// is equal as it is written, and the comment behind one that is replaced.
func setKey(mapping *yaml.Node, key string, value *yaml.Node) {
	name, old := pairOf(mapping, key)
	switch {
	case old == nil && value == nil:
	case old == nil:
		mapping.Content = append(mapping.Content, scalarNode(key), value)
	case value == nil:
		i := slices.Index(mapping.Content, name)
		mapping.Content = slices.Delete(mapping.Content, i, i+2)
	case !equalNodes(old, value):
		value.LineComment = old.LineComment
		*old = *value
	}
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
