package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file edits values in block style, with one key on each line.

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
