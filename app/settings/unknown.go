package settings

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// This file is about what a settings file says and this program does not know:
// a typing mistake, or the word of a newer Porthole.

// rootKeys and watchKeys are all keys that are read.
var (
	rootKeys  = append([]string{"version", "watches", "grace"}, scalarKeys...)
	watchKeys = []string{"ports", "match", "name", "tell", "off"}
)

// unknownKeys says, a sentence each, which keys nobody reads.
func (f *File) unknownKeys(root *yaml.Node) []string {
	found := f.unknownKeysIn(root, rootKeys)
	if list := valueOf(root, "watches"); list != nil {
		for _, entry := range list.Content {
			found = append(found, f.unknownKeysIn(entry, watchKeys)...)
		}
	}
	return found
}

func (f *File) unknownKeysIn(mapping *yaml.Node, known []string) []string {
	var found []string
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		if key.Value == "<<" || slices.Contains(known, key.Value) { // << is YAML's own
			continue
		}
		guess := ""
		if near := closestWord(key.Value, known); near != "" {
			guess = fmt.Sprintf(" (did you mean %s?)", near)
		}
		found = append(found, f.errorAt(key, fmt.Sprintf("%q is not a key that Porthole knows%s; it is left as it is", monitor.Clean(key.Value, 40), guess)).Error())
	}
	return found
}

// understoodPart is what a file of a newer Porthole says without the values that
// this one does not understand, and a sentence about each of those. Each watch
// is a value of its own: half understood, it would tell of what nobody asked for.
func (f *File) understoodPart(root *yaml.Node) (*yaml.Node, []string) {
	good := &yaml.Node{Kind: yaml.MappingNode, Line: root.Line}
	var missed []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Value == "watches" && value.Kind == yaml.SequenceNode {
			list := *value
			list.Content = slices.DeleteFunc(slices.Clone(value.Content), func(entry *yaml.Node) bool {
				_, err := f.parseWatch(entry)
				if err != nil {
					missed = append(missed, err.Error())
				}
				return err != nil
			})
			value = &list
		}
		alone := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
		if _, err := f.parse(alone); err != nil {
			missed = append(missed, err.Error())
			continue
		}
		good.Content = append(good.Content, key, value)
	}
	return good, missed
}

// suggestKey says which key of a watch may be meant by one that is none, "" where
// there is none such.
func suggestKey(entry *yaml.Node) string {
	for i := 0; i+1 < len(entry.Content); i += 2 {
		key := entry.Content[i].Value
		if near := closestWord(key, watchKeys); near != "" && near != key {
			return fmt.Sprintf("; %q: did you mean %s?", monitor.Clean(key, 40), near)
		}
	}
	return ""
}

// closestWord returns the word that is closest to what was written, "" where none
// is close.
func closestWord(written string, words []string) string {
	best, distance := "", 3 // two slips are a typing mistake, three another word
	for _, word := range words {
		if d := editDistance(strings.ToLower(written), word); d < distance && d < len(word)/2+1 {
			best, distance = word, d
		}
	}
	return best
}

// editDistance is how many letters must be added, left out or replaced to make b of a.
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
