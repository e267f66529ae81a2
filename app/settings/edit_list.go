package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file edits lists in the text of a settings file: those of watches, labels and
// hiding rules.

// list describes a key whose value is a list of rules of type T.
type list[T any] struct {
	key       string
	parse     func(entry *yaml.Node) (T, error)
	keys      func(T) []keyValue        // in the order in which they are written; nil stands for a default, which is not written
	equal     func(a, b T) bool         // they are written identically
	resembles func(changed, was T) bool // changed may be an edited version of was
	removed   *[]removedEntry[T]        // the oldest first
}

// newEntry marks an entry of a changed list that the file does not have yet.
const newEntry = -1

// set replaces the list in the text with rules. Entries of unchanged rules stay as they
// are written, at another place if the order changed. In the entry of a changed rule,
// only the changed values are replaced. New rules get new entries.
func (c list[T]) set(e *editor, root *yaml.Node, rules []T) error {
	name, list := pairOf(root, c.key)
	inFlow := root.Style&yaml.FlowStyle != 0
	switch {
	case list == nil && inFlow:
		return e.setRootKeys(root, []keyValue{{c.key, c.flowList(rules)}})
	case list == nil && len(rules) == 0:
		e.replace(e.end, e.end, e.rootIndent(root)+c.key+": []"+e.newline)
		return nil
	case list == nil:
		indent := e.rootIndent(root)
		text, err := c.blockEntries(e, rules, indent+"  ", " ")
		e.replace(e.end, e.end, indent+c.key+":"+e.newline+text)
		return err
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle != 0 && (inFlow || len(list.Content) > 0):
		return c.setFlowList(e, list, rules)
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0:
		return c.setBlockList(e, root, name, list, rules)
	case inFlow: // no value
		return e.setRootKeys(root, []keyValue{{c.key, c.flowList(rules)}})
	}
	// Nothing is listed: "watches: []" or "watches:".
	if len(rules) == 0 {
		return nil
	}
	limit := e.pairLimit(root, name)
	start := e.offset(name)
	if start < 0 || start >= limit {
		return errNotEditable
	}
	last := e.lastContent(start, limit)
	s, ok := e.valueSpan(list, last)
	if !ok {
		return errNotEditable
	}
	colon := e.trimmedEnd(start, s.start) // the offset after it
	text, err := c.blockEntries(e, rules, e.rootIndent(root)+"  ", " ")
	e.replace(colon, s.end, "")
	e.replace(e.nextLine(last), e.nextLine(last), text)
	return err
}

func (e *editor) rootIndent(root *yaml.Node) string {
	if len(root.Content) == 0 {
		return ""
	}
	return strings.Repeat(" ", root.Content[0].Column-1)
}

// pairLimit returns where the line of the key after name begins, or the end of
// the document.
func (e *editor) pairLimit(root, name *yaml.Node) int {
	if i := slices.Index(root.Content, name) + 2; i < len(root.Content) {
		return e.lineStart(max(e.offset(root.Content[i]), 0))
	}
	return e.end
}

// flowList returns rules as a flow list.
func (c list[T]) flowList(rules []T) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, rule := range rules {
		entry := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
		for _, v := range c.keys(rule) {
			if v.value != nil {
				entry.Content = append(entry.Content, scalarNode(v.key), v.value)
			}
		}
		list.Content = append(list.Content, entry)
	}
	return list
}

// flowEntry returns rule as "{ports: 80}".
func (c list[T]) flowEntry(rule T) (string, error) {
	var pairs []string
	for _, v := range c.keys(rule) {
		if v.value == nil {
			continue
		}
		text, err := render(v.key, v.value, true)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, text)
	}
	return "{" + strings.Join(pairs, ", ") + "}", nil
}

// blockEntries returns rules as entries. space is the space between a dash and
// its first key.
func (c list[T]) blockEntries(e *editor, rules []T, indent, space string) (string, error) {
	var b strings.Builder
	for _, rule := range rules {
		before := indent + "-" + space
		for _, v := range c.keys(rule) {
			if v.value == nil {
				continue
			}
			text, err := render(v.key, v.value, false)
			if err != nil {
				return "", err
			}
			b.WriteString(before + text + e.newline)
			before = indent + " " + strings.Repeat(" ", len(space))
		}
	}
	return b.String(), nil
}

// pairEntries returns the index of the entry of each rule, or newEntry. unused are
// the entries that no rule has.
func (c list[T]) pairEntries(list *yaml.Node, rules []T) (entryOf []int, unused []bool) {
	unused = make([]bool, len(list.Content))
	have := make([]T, len(list.Content))
	for k, entry := range list.Content {
		rule, err := c.parse(entry)
		have[k], unused[k] = rule, err == nil
	}
	entryOf = make([]int, len(rules))
	take := func(is func(have, rule T) bool) {
		for i, rule := range rules {
			if entryOf[i] != newEntry {
				continue
			}
			for k := range have {
				if unused[k] && is(have[k], rule) {
					entryOf[i], unused[k] = k, false
					break
				}
			}
		}
	}
	for i := range entryOf {
		entryOf[i] = newEntry
	}
	take(c.equal)                                                    // equal rules have an entry each
	take(func(have, rule T) bool { return c.resembles(rule, have) }) // a changed rule
	return entryOf, unused
}

// setFlowList replaces a list such as "[{ports: 80}, {ports: 90}]".
func (c list[T]) setFlowList(e *editor, list *yaml.Node, rules []T) error {
	l, err := e.scanFlow(e.offset(list))
	if err != nil || len(l.items) != len(list.Content) {
		return errNotEditable
	}
	entryOf, _ := c.pairEntries(list, rules)
	var items []flowItem
	for i, rule := range rules {
		k, text := entryOf[i], ""
		if k == newEntry {
			if text, err = c.flowEntry(rule); err != nil {
				return err
			}
		} else {
			s := l.items[k]
			entry, changed, err := e.setFlowKeys(list.Content[k], c.changedKeys(list.Content[k], rule))
			if err != nil || entry.start < s.start || entry.end > s.end {
				return errNotEditable
			}
			text = e.text[s.start:entry.start] + changed + e.text[entry.end:s.end] // an anchor may precede it
		}
		items = append(items, flowItem{k, text})
	}
	e.replace(l.start, l.end, e.rebuild(l, items))
	return nil
}

// setBlockList replaces a list with one dash for each entry.
func (c list[T]) setBlockList(e *editor, root, name, list *yaml.Node, rules []T) error {
	entries, err := e.entrySpans(root, name, list)
	if err != nil {
		return err
	}
	entryOf, unused := c.pairEntries(list, rules)
	texts := make([]string, len(rules))
	for i, rule := range rules {
		if k, before := entryOf[i], len(e.edits); k == newEntry {
			texts[i], err = c.newEntryText(e, list, rule)
		} else if err = c.setEntry(e, list.Content[k], entries[k], rule); err == nil {
			texts[i], err = e.result(entries[k], e.edits[before:])
		}
		if err != nil {
			return err
		}
	}
	for k, s := range entries {
		if unused[k] {
			c.remember(list.Content[k], e.text[s.start:s.end])
		}
	}
	switch left := slices.DeleteFunc(slices.Clone(entryOf), func(k int) bool { return k == newEntry }); {
	case len(rules) == 0:
		colon, err := e.colonBehind(name)
		if err != nil {
			return err
		}
		e.replace(colon, colon, " []") // without the key, the default watch would apply
	case !slices.IsSorted(left):
		return e.reorder(entries, texts)
	}
	at := entries[0].start
	for i, k := range entryOf {
		if k == newEntry {
			e.replace(at, at, texts[i])
		} else {
			at = entries[k].end
		}
	}
	for k, s := range entries {
		if unused[k] {
			e.replace(s.start, s.end, "")
		}
	}
	return nil
}

// setEntry changes the values of an entry that differ from those of rule.
func (c list[T]) setEntry(e *editor, entry *yaml.Node, s span, rule T) error {
	values := c.changedKeys(entry, rule)
	if entry.Style&yaml.FlowStyle != 0 {
		m, text, err := e.setFlowKeys(entry, values)
		e.replace(m.start, m.end, text)
		return err
	}
	last := e.lastContent(max(e.offset(entry), s.start), s.end)
	return e.setBlockKeys(entry, values, s.end, e.nextLine(last))
}

// changedKeys returns the keys of rule with another value than in entry, which may
// write an equal value in another form.
func (c list[T]) changedKeys(entry *yaml.Node, rule T) []keyValue {
	have, err := c.parse(entry)
	if err != nil {
		return c.keys(rule)
	}
	was := c.keys(have)
	var changed []keyValue
	for i, v := range c.keys(rule) {
		if old := was[i].value; (old == nil) != (v.value == nil) || old != nil && !equalNodes(old, v.value) {
			changed = append(changed, v)
		}
	}
	return changed
}

// reorder replaces all entries with texts. Text between entries is kept.
func (e *editor) reorder(entries []span, texts []string) error {
	var b strings.Builder
	for i, text := range texts {
		b.WriteString(text)
		if i+1 < len(entries) {
			b.WriteString(e.text[entries[i].end:entries[i+1].start])
		}
	}
	for i := len(texts); i+1 < len(entries); i++ {
		b.WriteString(e.text[entries[i].end:entries[i+1].start])
	}
	all := span{entries[0].start, entries[len(entries)-1].end}
	e.edits = slices.DeleteFunc(e.edits, func(x textEdit) bool { return x.start >= all.start && x.end <= all.end }) // they are in texts
	e.replace(all.start, all.end, b.String())
	return nil
}

// newEntryText returns the text of an entry for rule in the style of list: the
// text of an earlier entry that was removed, with its comments, or a new text.
func (c list[T]) newEntryText(e *editor, list *yaml.Node, rule T) (string, error) {
	indent, space := strings.Repeat(" ", list.Column-1), " "
	if first := list.Content[0]; first.Line == list.Line && first.Style&yaml.FlowStyle == 0 && first.Column > list.Column+1 {
		space = strings.Repeat(" ", first.Column-list.Column-1)
	}
	for _, r := range slices.Backward(*c.removed) {
		if c.equal(r.rule, rule) && r.column == list.Column && strings.HasSuffix(r.text, e.newline) {
			return r.text, nil
		}
	}
	return c.blockEntries(e, []T{rule}, indent, space)
}

// removedEntry is the text of an entry that was removed from a block list.
type removedEntry[T any] struct {
	rule   T
	column int // column of the dash
	text   string
}

// maxRemoved is the number of removed entries that are kept for an Undo.
const maxRemoved = 64

func (c list[T]) remember(entry *yaml.Node, text string) {
	rule, err := c.parse(entry)
	if err != nil {
		return
	}
	dash := 1
	for _, line := range strings.SplitAfter(text, "\n") {
		if rest := strings.TrimLeft(line, " "); strings.HasPrefix(rest, "-") {
			dash = len(line) - len(rest) + 1
			break
		}
	}
	kept := append(*c.removed, removedEntry[T]{rule, dash, text})
	*c.removed = slices.Clone(kept[max(0, len(kept)-maxRemoved):])
}

// colonBehind returns the offset after the colon of a root key.
func (e *editor) colonBehind(name *yaml.Node) (int, error) {
	at := e.offset(name)
	if at < 0 || at >= len(e.text) {
		return 0, errNotEditable
	}
	if c := e.text[at]; c == '"' || c == '\'' {
		if at = e.scanQuoted(at); at < 0 {
			return 0, errNotEditable
		}
	} else {
		at += len(name.Value)
	}
	rest := strings.TrimLeft(e.text[min(at, len(e.text)):], " ")
	if !strings.HasPrefix(rest, ":") {
		return 0, errNotEditable
	}
	return len(e.text) - len(rest) + 1, nil
}

// entrySpans returns the lines of each entry of a block list: the comments right
// above its dash, its values, and the comments right below that are indented like
// the values.
func (e *editor) entrySpans(root, name, list *yaml.Node) ([]span, error) {
	limit := e.pairLimit(root, name)
	indent := list.Column - 1
	var dashes []int
	for at := e.lineStart(max(e.offset(list), 0)); at < limit; at = e.nextLine(at) {
		line := e.text[at:e.nextLine(at)]
		if rest := strings.TrimLeft(line, " "); len(line)-len(rest) == indent && strings.HasPrefix(rest, "-") && (len(rest) == 1 || strings.ContainsRune(" \t\r\n", rune(rest[1]))) {
			dashes = append(dashes, at)
		}
	}
	if len(dashes) != len(list.Content) || len(dashes) == 0 {
		return nil, errNotEditable
	}
	floor := e.nextLine(max(e.offset(name), 0)) // comments above it are not those of an entry
	entries := make([]span, len(dashes))
	for i, dash := range dashes {
		next := limit
		if i+1 < len(dashes) {
			next = dashes[i+1]
		}
		if at := e.offset(list.Content[i]); at < dash || at >= next {
			return nil, errNotEditable
		}
		start := dash
		for start > floor {
			above := e.lineStart(start - 1)
			if n, comment := e.commentIndent(above); !comment || n != indent {
				break
			}
			start = above
		}
		end := e.nextLine(e.lastContent(dash, next))
		for end < next {
			if n, comment := e.commentIndent(end); !comment || n <= indent {
				break
			}
			end = e.nextLine(end)
		}
		entries[i] = span{start, end}
		floor = end
	}
	return entries, nil
}

// commentIndent returns the indentation of the line at offset; comment is false if
// it is not a comment.
func (e *editor) commentIndent(offset int) (indent int, comment bool) {
	line := e.text[offset:e.nextLine(offset)]
	rest := strings.TrimLeft(line, " \t")
	return len(line) - len(rest), strings.HasPrefix(rest, "#")
}
