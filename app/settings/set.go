package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file is how one choice, a key with a plain value, stands in the settings
// file and is changed there:
//
//	theme: dark

// scalarKeys are those that Set changes.
var scalarKeys = []string{"theme", "tray_icon", "language", "start_hidden", "notifications", "sound", "interval", "udp", "other_addresses", "keep_days", "keep_rows"}

// languageTag is the form of a language's name: "en", "pt-BR".
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// parseAppearance reads how the window looks and speaks.
func (f *File) parseAppearance(root *yaml.Node, s *Settings) error {
	if node := valueOf(root, "theme"); node != nil {
		if !slices.Contains([]string{"system", "light", "dark"}, node.Value) {
			return f.errorAt(node, "theme is system, light or dark")
		}
		s.Theme = strings.TrimPrefix(node.Value, "system")
	}
	if node := valueOf(root, "tray_icon"); node != nil {
		if !slices.Contains([]string{"outlined", "light", "dark"}, node.Value) {
			return f.errorAt(node, "tray_icon is outlined, light or dark")
		}
		s.TrayIcon = strings.TrimPrefix(node.Value, "outlined")
	}
	if node := valueOf(root, "language"); node != nil {
		if node.Value != "system" && !languageTag.MatchString(node.Value) {
			return f.errorAt(node, "language is system, or a language like en")
		}
		s.Language = strings.TrimPrefix(node.Value, "system")
	}
	return nil
}

// Set gives key the value, as the file would say it, and returns the new
// settings; "" takes the key out, for the default. All else in the file stays as
// it is, each byte where it can be. Nothing is written where the file cannot be
// understood, where a newer Porthole wrote it, or where the value makes no sense;
// the error is one sentence that says why.
func (f *File) Set(key, value string) (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	doc, s, err := f.load()
	if err != nil {
		return s, err
	}
	if s.Newer {
		return s, f.newerError()
	}
	if !slices.Contains(scalarKeys, key) {
		return s, fmt.Errorf("%s: %q is no setting", f.path, key)
	}
	before, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("%s cannot be read: %w", f.path, withoutPath(err))
	}
	after, ok := editLine(before, doc.Content[0], key, value)
	setScalar(doc.Content[0], key, value)
	if _, err := f.parse(doc.Content[0]); err != nil {
		return s, err
	}
	if ok {
		err = f.replace(after)
	} else {
		err = f.write(doc)
	}
	if err != nil {
		return s, err
	}
	_, s, err = f.load()
	return s, err
}

func (f *File) newerError() error {
	return fmt.Errorf("%s was written by a newer Porthole and is left as it is", f.path)
}

// editLine changes the one line of text that says key, or adds one; ok is false
// where that cannot be done so simply.
func editLine(text []byte, root *yaml.Node, key, value string) (_ []byte, ok bool) {
	if len(root.Content) == 0 || root.Style&yaml.FlowStyle != 0 {
		return nil, false
	}
	lines := strings.SplitAfter(string(text), "\n")
	name, node := pairOf(root, key)
	switch {
	case node == nil && value == "":
	case node == nil:
		if last := lines[len(lines)-1]; last != "" {
			lines[len(lines)-1] = last + "\n"
		}
		lines = append(lines, key+": "+value+"\n")
	case node.Kind != yaml.ScalarNode || node.Anchor != "" || node.Line != name.Line:
		return nil, false
	case value == "":
		lines = slices.Delete(lines, node.Line-1, node.Line)
	default:
		lines[node.Line-1] = replaceValue(lines[node.Line-1], node, value)
	}
	after := []byte(strings.Join(lines, ""))
	return after, hasValue(after, key, value)
}

// replaceValue puts value where node stands in its line. The comment stays.
func replaceValue(line string, node *yaml.Node, value string) string {
	end := len(strings.TrimRight(line, "\r\n"))
	if node.LineComment != "" {
		end = max(strings.LastIndex(line, node.LineComment), node.Column-1)
	}
	end = len(strings.TrimRight(line[:end], " \t"))
	return line[:node.Column-1] + value + line[end:]
}

// hasValue reports whether text is one document in which key has the value, "" for
// none.
func hasValue(text []byte, key, value string) bool {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); err != nil || doc.Content[0].Kind != yaml.MappingNode {
		return false
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return false
	}
	_, node := pairOf(doc.Content[0], key)
	return node == nil && value == "" || node != nil && node.Value == value
}

// pairOf returns the nodes of key and of its value, nil where it is not there.
func pairOf(mapping *yaml.Node, key string) (name, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// setScalar sets key to value or, where that is "", takes it out.
func setScalar(mapping *yaml.Node, key, value string) {
	name, node := pairOf(mapping, key)
	switch {
	case node == nil && value == "":
	case node == nil:
		mapping.Content = append(mapping.Content, scalarNode(key), scalarNode(value))
	case value == "":
		i := slices.Index(mapping.Content, name)
		mapping.Content = slices.Delete(mapping.Content, i, i+2)
	default:
		made := scalarNode(value)
		made.HeadComment, made.LineComment, made.FootComment = node.HeadComment, node.LineComment, node.FootComment
		*node = *made
	}
}

// scalarNode is a value without quotes, whose type is what it looks like.
func scalarNode(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
