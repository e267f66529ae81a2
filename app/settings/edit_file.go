package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file edits one root key of the file and checks that nothing else changes.

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
