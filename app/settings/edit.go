package settings

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// This file edits the text of a settings file. YAML trees contain no blank lines,
// indentation or spacing, so encoding one would reformat the whole file. Instead,
// the tree gives the position of a value, and only the bytes of that value are
// replaced.

// errNotEditable means that a part of the file is written in a way that editor
// does not handle, such as an explicit key ("? watches").
var errNotEditable = errors.New("not editable")

// editor collects edits of a text. All offsets are those of the original text.
type editor struct {
	text    string
	lines   []int  // offset of each line
	end     int    // end of the document: before "..." or "---"
	newline string // line ending of the file
	edits   []textEdit
}

// textEdit replaces text[start:end].
type textEdit struct {
	start, end int
	text       string
}

// span is text[start:end].
type span struct{ start, end int }

// lineBreaks are the line breaks of YAML 1.1, the longest first.
var lineBreaks = []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"}

const byteOrderMark = "\ufeff"

// newEditor returns an editor of text, which must end with a line break or be
// empty. root is its tree.
func newEditor(text string, root *yaml.Node) *editor {
	e := &editor{text: text, end: len(text), newline: "\n"}
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		e.newline = "\r\n"
	}
	at := 0
	if strings.HasPrefix(text, byteOrderMark) {
		at = len(byteOrderMark) // not counted by Node.Column
	}
	e.lines = append(e.lines, at)
	for at < len(text) {
		width := 1
		for _, b := range lineBreaks {
			if strings.HasPrefix(text[at:], b) {
				width = len(b)
				e.lines = append(e.lines, at+width)
				break
			}
		}
		at += width
	}
	for line := max(root.Line, 1); line < len(e.lines); line++ { // the lines after the first one of the root
		rest := text[e.lines[line]:]
		if marker := rest[:min(3, len(rest))]; marker == "..." || marker == "---" {
			e.end = e.lines[line]
			break
		}
	}
	return e
}

// offset returns where node begins, -1 if the text has no such position.
func (e *editor) offset(node *yaml.Node) int {
	if node.Line < 1 || node.Line > len(e.lines) {
		return -1
	}
	at := e.lines[node.Line-1]
	for range node.Column - 1 {
		if at >= len(e.text) {
			return -1
		}
		_, size := utf8.DecodeRuneInString(e.text[at:])
		at += size
	}
	return at
}

// lineOf returns the index of the line that contains offset.
func (e *editor) lineOf(offset int) int {
	i, found := slices.BinarySearch(e.lines, offset)
	if !found {
		i--
	}
	return max(i, 0)
}

// lineStart returns where the line that contains offset begins.
func (e *editor) lineStart(offset int) int { return e.lines[e.lineOf(offset)] }

// nextLine returns where the line after the one that contains offset begins.
func (e *editor) nextLine(offset int) int {
	if i := e.lineOf(offset) + 1; i < len(e.lines) {
		return e.lines[i]
	}
	return len(e.text)
}

// trimmedEnd returns the end of text[start:end] without white space.
func (e *editor) trimmedEnd(start, end int) int {
	return start + len(strings.TrimRight(e.text[start:end], " \t\r\n\u0085\u2028\u2029"))
}

// lastContent returns the end of the last line in text[start:limit] that is not
// empty and not a comment, without its line break. The line of start counts.
func (e *editor) lastContent(start, limit int) int {
	last := e.trimmedEnd(start, min(e.nextLine(start), limit))
	for at := e.nextLine(start); at < limit; at = e.nextLine(at) {
		end := e.trimmedEnd(at, min(e.nextLine(at), limit))
		if line := strings.TrimLeft(e.text[at:end], " \t"); line != "" && line[0] != '#' {
			last = end
		}
		if e.nextLine(at) <= at {
			break
		}
	}
	return last
}

func (e *editor) replace(start, end int, text string) {
	e.edits = append(e.edits, textEdit{start, end, text})
}

// result returns text[s.start:s.end] with edits in it. Insertions at the same
// offset keep their order, and come before what is replaced there.
func (e *editor) result(s span, edits []textEdit) (string, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b textEdit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(min(a.end-a.start, 1), min(b.end-b.start, 1)))
	})
	var b strings.Builder
	at := s.start
	for _, x := range edits {
		if x.start < at || x.end < x.start || x.end > s.end {
			return "", errNotEditable // overlapping edits
		}
		b.WriteString(e.text[at:x.start])
		b.WriteString(x.text)
		at = x.end
	}
	b.WriteString(e.text[at:s.end])
	return b.String(), nil
}

// scanQuoted returns the end of the quoted scalar at start, -1 if it does not end.
func (e *editor) scanQuoted(start int) int {
	quote := e.text[start]
	for i := start + 1; i < len(e.text); i++ {
		switch c := e.text[i]; {
		case c == '\\' && quote == '"':
			i++
		case c == quote && quote == '\'' && strings.HasPrefix(e.text[i+1:], "'"):
			i++
		case c == quote:
			return i + 1
		}
	}
	return -1
}

// flow is a flow collection: "[a, b]" or "{a: 1, b: 2}".
type flow struct {
	span
	items []span // without white space and comments around them
}

// scanFlow returns the flow collection at start.
func (e *editor) scanFlow(start int) (flow, error) {
	if start < 0 || start >= len(e.text) || e.text[start] != '[' && e.text[start] != '{' {
		return flow{}, errNotEditable
	}
	f := flow{span: span{start: start}}
	item, end, depth := -1, -1, 0
	tokenStart := true // a quote begins a quoted scalar
	finish := func() {
		if item >= 0 {
			f.items = append(f.items, span{item, end})
		}
		item, end = -1, -1
	}
	for i := start; i < len(e.text); i++ {
		c := e.text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '#' && strings.ContainsRune(" \t\r\n", rune(e.text[i-1])):
			i = e.nextLine(i) - 1
			continue
		case (c == ']' || c == '}') && depth == 1:
			finish()
			f.end = i + 1
			return f, nil
		case c == ',' && depth == 1:
			finish()
			tokenStart = true
			continue
		}
		if depth > 0 && item < 0 {
			item = i
		}
		switch {
		case c == '[' || c == '{':
			depth++
			tokenStart = true
		case c == ']' || c == '}':
			depth--
			tokenStart = false
		case (c == '"' || c == '\'') && tokenStart:
			close := e.scanQuoted(i)
			if close < 0 {
				return flow{}, errNotEditable
			}
			i = close - 1
			tokenStart = false
		default:
			tokenStart = c == ',' || c == ':'
		}
		end = i + 1
	}
	return flow{}, errNotEditable
}

// flowItem is an item of a changed flow collection. from is its index in the
// original one, -1 if it is new.
type flowItem struct {
	from int
	text string
}

// rebuild returns f with other items. It keeps the white space and comments
// around those that remain.
func (e *editor) rebuild(f flow, items []flowItem) string {
	open, closing := e.text[f.start:f.start+1], e.text[f.end-1:f.end]
	if len(items) == 0 {
		return open + closing
	}
	if len(f.items) == 0 {
		f.items = []span{{f.end - 1, f.end - 1}}
	}
	var b strings.Builder
	b.WriteString(e.text[f.start:f.items[0].start])
	for i, item := range items {
		if i > 0 {
			separator := ", "
			if k := item.from; k > 0 {
				separator = e.text[f.items[k-1].end:f.items[k].start]
			} else if k = items[i-1].from; k >= 0 && k+1 < len(f.items) {
				separator = e.text[f.items[k].end:f.items[k+1].start]
			}
			b.WriteString(separator)
		}
		b.WriteString(item.text)
	}
	b.WriteString(e.text[f.items[len(f.items)-1].end:f.end])
	return b.String()
}

// keyValue is a key and its new value; nil removes the key.
type keyValue struct {
	key   string
	value *yaml.Node
}

// render returns "key: value" on one line.
func render(key string, value *yaml.Node, inFlow bool) (string, error) {
	mapping := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{scalarNode(key), value}}
	if inFlow {
		mapping.Style = yaml.FlowStyle
	}
	for range 2 {
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b)
		if err := enc.Encode(mapping); err != nil {
			return "", fmt.Errorf("encode %s: %w", key, err)
		}
		if err := enc.Close(); err != nil {
			return "", fmt.Errorf("encode %s: %w", key, err)
		}
		text := strings.TrimSuffix(b.String(), "\n")
		if inFlow {
			text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
		}
		if !strings.Contains(text, "\n") {
			return text, nil
		}
		if value.Kind == yaml.ScalarNode {
			value.Style = yaml.DoubleQuotedStyle // long or with line breaks
		}
	}
	return "", errNotEditable
}

// changes returns those of values that differ from what mapping has.
func changes(mapping *yaml.Node, values []keyValue) []keyValue {
	return slices.DeleteFunc(slices.Clone(values), func(v keyValue) bool {
		_, old := pairOf(mapping, v.key)
		return old == nil && v.value == nil || old != nil && v.value != nil && equalNodes(old, v.value)
	})
}

// setFlowKeys returns the flow mapping with other values.
func (e *editor) setFlowKeys(mapping *yaml.Node, values []keyValue) (flow, string, error) {
	f, err := e.scanFlow(e.offset(mapping))
	if err != nil || 2*len(f.items) != len(mapping.Content) {
		return f, "", errNotEditable
	}
	var items []flowItem
	for i, s := range f.items {
		items = append(items, flowItem{i, e.text[s.start:s.end]})
	}
	for _, v := range changes(mapping, values) {
		text := ""
		if v.value != nil {
			if text, err = render(v.key, v.value, true); err != nil {
				return f, "", err
			}
		}
		name, old := pairOf(mapping, v.key)
		if old == nil {
			items = append(items, flowItem{-1, text})
			continue
		}
		pair := slices.Index(mapping.Content, name) / 2
		i := slices.IndexFunc(items, func(x flowItem) bool { return x.from == pair })
		if v.value == nil {
			items = slices.Delete(items, i, i+1)
			continue
		}
		s := f.items[pair]
		if at := e.offset(old); at > s.start && at < s.end && old.Anchor == "" {
			text = e.text[s.start:at] + strings.TrimPrefix(text, v.key+": ") // keep the spaces after the key
		}
		items[i].text = text
	}
	return f, e.rebuild(f, items), nil
}

// setBlockKeys changes values of a block mapping that ends before limit. New
// keys go to insertAt, the beginning of a line.
func (e *editor) setBlockKeys(mapping *yaml.Node, values []keyValue, limit, insertAt int) error {
	pairs, err := e.blockPairs(mapping, limit)
	if err != nil {
		return err
	}
	indent := strings.Repeat(" ", mapping.Content[0].Column-1)
	var added []string
	removed := make([]bool, len(pairs))
	for _, v := range changes(mapping, values) {
		text := ""
		if v.value != nil {
			if text, err = render(v.key, v.value, false); err != nil {
				return err
			}
		}
		name, old := pairOf(mapping, v.key)
		switch {
		case old == nil:
			added = append(added, text)
		case v.value == nil:
			removed[slices.Index(mapping.Content, name)/2] = true
		default:
			pair := pairs[slices.Index(mapping.Content, name)/2]
			if s, ok := e.valueSpan(old, pair.end); ok {
				text = strings.TrimPrefix(text, v.key+": ")
				if s.start == s.end && e.text[s.start-1] == ':' {
					text = " " + text
				}
				e.replace(s.start, s.end, text)
			} else {
				e.replace(pair.start, pair.end, text)
			}
		}
	}
	first := 0 // the first pair that has its own line
	if strings.TrimLeft(e.text[e.lineStart(pairs[0].start):pairs[0].start], " "+byteOrderMark) != "" {
		first = 1
	}
	if first == 1 && removed[0] { // the line of the dash
		remaining := slices.Index(removed, false)
		switch {
		case len(added) > 0:
			end := pairs[0].end
			if s, ok := e.valueSpan(mapping.Content[1], end); ok {
				end = s.end // keep the comment
			}
			e.replace(pairs[0].start, end, added[0])
			added = added[1:]
		case remaining > 0:
			e.replace(pairs[0].start, pairs[remaining].start, "")
			first = remaining
		default:
			return errNotEditable
		}
	}
	for i := first; i < len(pairs); i++ {
		if removed[i] {
			e.replace(e.lineStart(pairs[i].start), e.nextLine(pairs[i].end), "")
		}
	}
	for _, text := range added {
		e.replace(insertAt, insertAt, indent+text+e.newline)
	}
	return nil
}

// blockPairs returns where each key of a block mapping begins and its value ends.
func (e *editor) blockPairs(mapping *yaml.Node, limit int) ([]span, error) {
	var pairs []span
	for i := 0; i < len(mapping.Content); i += 2 {
		start, next := e.offset(mapping.Content[i]), limit
		if i+2 < len(mapping.Content) {
			next = e.offset(mapping.Content[i+2])
			if next < 0 || e.lineStart(next) <= start {
				return nil, errNotEditable // "? key"
			}
			next = e.lineStart(next)
		}
		if start < 0 || start >= next {
			return nil, errNotEditable
		}
		pairs = append(pairs, span{start, e.lastContent(start, next)})
	}
	if len(pairs) == 0 {
		return nil, errNotEditable
	}
	return pairs, nil
}

// valueSpan returns where a single-line value is. last is the end of the last
// line of its pair. ok is false if the value has more lines.
func (e *editor) valueSpan(value *yaml.Node, last int) (_ span, ok bool) {
	start := e.offset(value)
	if start < 0 || start > len(e.text) || value.Anchor != "" {
		return span{}, false
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		if c := e.text[start]; c != '"' && c != '\'' {
			return span{}, false // a tag
		}
		end := e.scanQuoted(start)
		return span{start, end}, end > 0
	case value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle != 0:
		f, err := e.scanFlow(start)
		return f.span, err == nil
	case value.Kind != yaml.ScalarNode || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || e.lineOf(last) != e.lineOf(start):
		return span{}, false
	}
	end := max(last, start)
	for i := start; i < end; i++ {
		if e.text[i] == '#' && strings.ContainsRune(" \t", rune(e.text[i-1])) {
			end = i
		}
	}
	return span{start, e.trimmedEnd(start, end)}, true
}

// setRootKeys changes values of the root mapping.
func (e *editor) setRootKeys(root *yaml.Node, values []keyValue) error {
	if root.Style&yaml.FlowStyle != 0 {
		f, text, err := e.setFlowKeys(root, values)
		e.replace(f.start, f.end, text)
		return err
	}
	if len(root.Content) > 0 {
		return e.setBlockKeys(root, values, e.end, e.end)
	}
	for _, v := range changes(root, values) {
		text, err := render(v.key, v.value, false)
		if err != nil {
			return err
		}
		e.replace(e.end, e.end, text+e.newline)
	}
	return nil
}

// edit returns the text of doc after the edits that do makes, all of them in the
// value of the root key. It refuses edits after which the file has other values
// than before, or none that check accepts.
func (f *File) edit(doc document, key string, do func(*editor) error, check func(*yaml.Node, Settings) bool) (string, error) {
	text, terminated := doc.text, true
	if text == "" {
		text = headerLine
	}
	if !strings.HasSuffix(text, "\n") {
		text, terminated = text+"\n", false
	}
	e := newEditor(text, doc.root)
	if err := do(e); err != nil {
		return "", f.editError(doc, key)
	}
	if len(e.edits) == 0 {
		return doc.text, nil
	}
	if len(doc.root.Content) == 0 && doc.root.Style&yaml.FlowStyle == 0 && strings.TrimSpace(text) != "" {
		e.edits = slices.Insert(e.edits, 0, textEdit{e.end, e.end, e.newline})
	}
	after, err := e.result(span{0, len(text)}, e.edits)
	if err != nil {
		return "", f.editError(doc, key)
	}
	if !terminated && !slices.ContainsFunc(e.edits, func(x textEdit) bool { return x.end == len(text) }) {
		after = strings.TrimSuffix(after, "\n")
	}
	changed, err := f.parseText(after)
	if err != nil || !equalExcept(doc.root, changed.root, key) {
		return "", f.editError(doc, key)
	}
	s, err := f.parse(changed.root)
	if err != nil || !check(changed.root, s) {
		return "", f.editError(doc, key)
	}
	return after, nil
}

// editError returns the error of a value that cannot be changed because of the way
// in which it is written.
func (f *File) editError(doc document, key string) error {
	name, _ := pairOf(doc.root, key)
	if name == nil {
		name = doc.root
	}
	return f.problemAt(name, textNotEditable, "Key", key)
}

// equalExcept reports whether two mappings have the same keys and values, except
// for the value of key.
func equalExcept(a, b *yaml.Node, key string) bool {
	var left, right []*yaml.Node
	for _, m := range []struct {
		node *yaml.Node
		to   *[]*yaml.Node
	}{{a, &left}, {b, &right}} {
		for i := 0; i+1 < len(m.node.Content); i += 2 {
			if m.node.Content[i].Value != key {
				*m.to = append(*m.to, m.node.Content[i], m.node.Content[i+1])
			}
		}
	}
	return slices.EqualFunc(left, right, equalTrees)
}

// equalTrees reports whether two trees have the same values. A line break at the
// end of a scalar is ignored: the last line of a file may get one.
func equalTrees(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && strings.TrimSuffix(a.Value, "\n") == strings.TrimSuffix(b.Value, "\n") && slices.EqualFunc(a.Content, b.Content, equalTrees)
}
