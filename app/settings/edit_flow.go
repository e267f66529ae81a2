package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file edits values in flow style: {ports: 80, off: true}.

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
