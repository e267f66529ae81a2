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

// This file changes one key with a scalar value:
//
//	theme: dark

// scalarKeys are the keys that Set can change.
var scalarKeys = []string{"theme", "tray_icon", "language", "start_hidden", "notifications", "sound", "polling_interval", "udp", "all_addresses", "history_days", "history_events"}

// languageTag is the form of a language code: "en", "pt-BR".
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// parseAppearance reads theme, tray icon and language.
func (f *File) parseAppearance(root *yaml.Node, s *Settings) error {
	if node := valueOf(root, "theme"); node != nil {
		if !slices.Contains([]string{"system", "light", "dark"}, node.Value) {
			return f.errorAt(node, "theme must be system, light or dark")
		}
		s.Theme = strings.TrimPrefix(node.Value, "system")
	}
	if node := valueOf(root, "tray_icon"); node != nil {
		if !slices.Contains([]string{"outlined", "light", "dark"}, node.Value) {
			return f.errorAt(node, "tray_icon must be outlined, light or dark")
		}
		s.TrayIcon = strings.TrimPrefix(node.Value, "outlined")
	}
	if node := valueOf(root, "language"); node != nil {
		if node.Value != "system" && !languageTag.MatchString(node.Value) {
			return f.errorAt(node, "language must be system or a language code such as en")
		}
		s.Language = strings.TrimPrefix(node.Value, "system")
	}
	return nil
}

// Set sets key to value, in the syntax of the file, and returns the new settings.
// An empty value removes the key, for the default. The rest of the file is kept,
// byte by byte if possible. Set does not write if the file is invalid, if a newer
// Porthole wrote it, or if the value is invalid; the error is one sentence with
// the reason.
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
		return s, fmt.Errorf("%s: %q is not a setting", f.path, key)
	}
	before, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("cannot read %s: %w", f.path, withoutPath(err))
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
	return fmt.Errorf("%s was written by a newer Porthole; this version does not change it", f.path)
}

// editLine changes the line of key in text, or adds or removes it. ok is false if
// that takes more than one line.
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

// replaceValue replaces the value of node in its line and keeps the comment.
func replaceValue(line string, node *yaml.Node, value string) string {
	end := len(strings.TrimRight(line, "\r\n"))
	if node.LineComment != "" {
		end = max(strings.LastIndex(line, node.LineComment), node.Column-1)
	}
	end = len(strings.TrimRight(line[:end], " \t"))
	return line[:node.Column-1] + value + line[end:]
}

// hasValue reports whether text is a single document in which key has the value,
// or does not exist if value is "".
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

// pairOf returns the nodes of key and its value, nil if mapping does not contain
// it.
func pairOf(mapping *yaml.Node, key string) (name, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// setScalar sets key to value, or removes it if value is "".
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

// scalarNode returns an unquoted scalar; YAML derives its type from the text.
func scalarNode(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
