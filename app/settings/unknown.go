package settings

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// This file handles keys and values that this Porthole does not know: typing
// mistakes, and settings of a newer Porthole.

// The keys of the file and of the entries of its lists.
var (
	rootKeys   = append([]string{"version", "watches", "labels", "hidden"}, scalarKeys...)
	labelKeys  = []string{"ports", "match", "name", "note"}
	hiddenKeys = []string{"ports", "match", "program", "unit", "exposed", "public"}
	watchKeys  = []string{"ports", "match", "name", "notify_on", "off", "urgency", "sound", "run", "post", "health"}
)

// unknownKeys returns one warning for each unknown key.
func (f *File) unknownKeys(root *yaml.Node) []Problem {
	found := f.unknownKeysIn(root, rootKeys)
	for _, list := range []struct {
		key   string
		known []string
	}{{"watches", watchKeys}, {"labels", labelKeys}, {"hidden", hiddenKeys}} {
		if node := valueOf(root, list.key); node != nil {
			for _, entry := range node.Content {
				found = append(found, f.unknownKeysIn(entry, list.known)...)
			}
		}
	}
	return found
}

func (f *File) unknownKeysIn(mapping *yaml.Node, known []string) []Problem {
	var found []Problem
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if key.Value == "<<" || slices.Contains(known, key.Value) { // << merges mappings (YAML 1.1)
			continue
		}
		text, near := textUnknownKey, closestWord(key.Value, known)
		if near != "" {
			text = textMisspeltKey
		}
		found = append(found, f.problemAt(key, text, "Key", monitor.Clean(key.Value, 40), "Near", near))
	}
	return found
}

// understoodPart returns the part of a newer Porthole's file that this one
// understands, and one warning for each value it does not. A watch is used
// entirely or not at all: with half of its keys it would notify of the wrong
// events.
func (f *File) understoodPart(root *yaml.Node) (*yaml.Node, []Problem) {
	good := &yaml.Node{Kind: yaml.MappingNode, Line: root.Line}
	var missed []Problem
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Value == "watches" && value.Kind == yaml.SequenceNode {
			list := *value
			list.Content = slices.DeleteFunc(slices.Clone(value.Content), func(entry *yaml.Node) bool {
				_, err := f.parseWatch(entry)
				var p Problem
				if errors.As(err, &p) {
					missed = append(missed, p)
				}
				return err != nil
			})
			value = &list
		}
		single := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
		_, err := f.parse(single)
		var p Problem
		if errors.As(err, &p) {
			missed = append(missed, p)
			continue
		}
		good.Content = append(good.Content, key, value)
	}
	return good, missed
}

// noPorts returns the problem of a watch without ports and match, with a suggestion for a
// misspelt key.
func (f *File) noPorts(entry *yaml.Node) Problem {
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key := entry.Content[i].Value
		if near := closestWord(key, watchKeys); near != "" && near != key {
			return f.problemAt(entry, textMisspeltPorts, "Key", monitor.Clean(key, 40), "Near", near)
		}
	}
	return f.problemAt(entry, textNoPorts)
}

// misspeltOr returns the problem of an entry with a misspelt key, or otherwise the one with text.
func (f *File) misspeltOr(entry *yaml.Node, known []string, text string, pairs ...any) Problem {
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key := entry.Content[i].Value
		if near := closestWord(key, known); near != "" && near != key {
			return f.problemAt(entry.Content[i], textMisspelt, "Key", monitor.Clean(key, 40), "Near", near)
		}
	}
	return f.problemAt(entry, text, pairs...)
}

// closestWord returns the word with the smallest edit distance from written, "" if
// the distance is more than 2 or more than half of the word, which is unlikely to
// be a typing mistake.
func closestWord(written string, words []string) string {
	best, distance := "", 3
	for _, word := range words {
		if d := editDistance(strings.ToLower(written), word); d < distance && d < len(word)/2+1 {
			best, distance = word, d
		}
	}
	return best
}

// editDistance returns the Levenshtein distance between a and b, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
