package settings

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/monitor/watch"
)

// This file reads and writes the lists of labels and hiding rules:
//
//	labels:
//	  - ports: 5432
//	    name: main database
//	    note: ask before you restart it
//	  - match: vite shop
//	    name: shop front end
//	hidden:
//	  - ports: 631
//	    program: cupsd
//	  - unit: avahi-daemon.service
//	    exposed: true

// labelList describes the list of labels.
func (f *File) labelList() list[label.Label] {
	return list[label.Label]{"labels", f.parseLabel, keysOfLabel, label.Label.Equal, label.Label.Resembles, &f.removedLabels}
}

// hiddenList describes the list of hiding rules.
func (f *File) hiddenList() list[label.Hidden] {
	return list[label.Hidden]{"hidden", f.parseHidden, keysOfHidden, label.Hidden.Equal, label.Hidden.Resembles, &f.removedHidden}
}

// parseLabels reads both lists.
func (f *File) parseLabels(root *yaml.Node, to *label.Rules) (err error) {
	if to.Labels, err = parseList(f, root, f.labelList(), "- {ports: 5432, name: main database}"); err != nil {
		return err
	}
	to.Hidden, err = parseList(f, root, f.hiddenList(), "- program: cupsd")
	return err
}

// parseList reads a list; an empty value is an empty list.
func parseList[T any](f *File, root *yaml.Node, c list[T], example string) (rules []T, err error) {
	node := valueOf(root, c.key)
	if node == nil || node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, f.problemAt(node, textList, "Key", c.key, "Example", example)
	}
	for _, item := range node.Content {
		if item.Kind != yaml.MappingNode {
			return nil, f.problemAt(item, textEntry, "Key", c.key, "Example", example)
		}
		rule, err := c.parse(item)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (f *File) parseLabel(item *yaml.Node) (b label.Label, err error) {
	if b.On, err = f.parseSubject(item); err != nil {
		return b, err
	}
	if len(b.On.Ports) == 0 && b.On.Match.IsZero() {
		return b, f.misspeltOr(item, labelKeys, textLabelPorts)
	}
	for _, text := range []struct {
		key string
		to  *string
	}{{"name", &b.Name}, {"note", &b.Note}} {
		if node := valueOf(item, text.key); node != nil {
			if node.Kind != yaml.ScalarNode {
				return b, f.problemAt(node, textText, "Key", text.key)
			}
			*text.to = node.Value
		}
	}
	if b = b.Cleaned(); b.Name == "" {
		return b, f.misspeltOr(item, labelKeys, textLabelName)
	}
	return b, nil
}

func (f *File) parseHidden(item *yaml.Node) (h label.Hidden, err error) {
	if h.On, err = f.parseSubject(item); err != nil {
		return h, err
	}
	for _, text := range []struct {
		key string
		to  *string
	}{{"program", &h.Program}, {"unit", &h.Unit}} {
		if node := valueOf(item, text.key); node != nil {
			if node.Kind != yaml.ScalarNode || node.Value == "" {
				return h, f.problemAt(node, textName, "Key", text.key)
			}
			*text.to = node.Value
		}
	}
	for key, value := range map[string]*bool{"exposed": &h.Exposed, "public": &h.Public} {
		if node := valueOf(item, key); node != nil && node.Decode(value) != nil {
			return h, f.problemAt(node, textBool, "Key", key)
		}
	}
	if err := h.Check(); err != nil {
		return h, f.misspeltOr(item, hiddenKeys, textSyntax, "Why", reason(err))
	}
	return h, nil
}

// parseSubject reads the ports and words of an entry.
func (f *File) parseSubject(item *yaml.Node) (on watch.Rule, err error) {
	if node := valueOf(item, "ports"); node != nil {
		if node.Kind != yaml.ScalarNode {
			return on, f.problemAt(node, textPorts)
		}
		if err := on.ParsePorts(node.Value); err != nil {
			return on, f.problemAt(node, textSyntax, "Why", reason(err))
		}
	}
	if node := valueOf(item, "match"); node != nil {
		if on.Match, err = watch.ParsePattern(node.Value); err != nil {
			return on, f.problemAt(node, textMatch, "Why", reason(err))
		}
	}
	return on, nil
}

func keysOfLabel(b label.Label) []keyValue {
	return []keyValue{{"ports", typedScalar(b.On.PortsText())}, {"match", typedScalar(b.On.Match.String())}, {"name", textScalar(b.Name)}, {"note", textScalar(b.Note)}}
}

func keysOfHidden(h label.Hidden) []keyValue {
	exposed, public := "", ""
	if h.Exposed {
		exposed = "true"
	}
	if h.Public {
		public = "true"
	}
	return []keyValue{{"ports", typedScalar(h.On.PortsText())}, {"match", typedScalar(h.On.Match.String())}, {"program", textScalar(h.Program)}, {"unit", textScalar(h.Unit)}, {"exposed", typedScalar(exposed)}, {"public", typedScalar(public)}}
}

// textScalar returns text as a string, quoted if it looks like a number; nil if it is
// empty.
func textScalar(text string) *yaml.Node {
	if text == "" {
		return nil
	}
	var n yaml.Node
	n.SetString(text)
	return &n
}

// ChangeLabels replaces the labels and hiding rules in the file with the result of update
// and returns the new settings. It changes only the lines of entries that differ. If the
// file cannot be read or is invalid, or if a rule is refused, ChangeLabels does not write
// and returns the reason.
func (f *File) ChangeLabels(update func(label.Rules) label.Rules) (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, s, err := f.load()
	if err != nil {
		return s, err
	}
	if s.Newer {
		return s, f.newerError()
	}
	to := update(s.Labels)
	for _, h := range to.Hidden {
		if err := h.Check(); err != nil {
			return s, Problem{Path: f.path, Sentence: monitor.NewSentence(textSyntax, "Why", reason(err))}
		}
	}
	if err := changeList(f, f.labelList(), to.Labels, func(s Settings) []label.Label { return s.Labels.Labels }); err != nil {
		return s, err
	}
	if err := changeList(f, f.hiddenList(), to.Hidden, func(s Settings) []label.Hidden { return s.Labels.Hidden }); err != nil {
		return s, err
	}
	_, s, err = f.load()
	return s, err
}

// changeList writes one list, unless it has these rules already. of returns it from
// settings.
func changeList[T any](f *File, c list[T], rules []T, of func(Settings) []T) error {
	doc, s, err := f.load()
	if err != nil || slices.EqualFunc(of(s), rules, c.equal) {
		return err
	}
	text, err := f.edit(doc, c.key, func(e *editor) error { return c.set(e, doc.root, rules) },
		func(_ *yaml.Node, got Settings) bool { return slices.EqualFunc(of(got), rules, c.equal) })
	if err != nil {
		return err
	}
	return f.replace(text)
}
