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
