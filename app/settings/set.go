package settings

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// This file changes one key with a scalar value:
//
//	theme: dark

// scalarKeys are the keys that Set can change.
var scalarKeys = []string{"theme", "tray_icon", "language", "start_hidden", "shortcut", "notifications", "notify_on", "urgency", "crash_urgency", "expiry", "sound", "new_exposed", "quiet_hours", "grace_period", "polling_interval", "udp", "all_addresses", "terminal", "zoom", "history_days", "history_events", "traffic_body", "traffic_memory"}

// languageTag is the form of a language code: "en", "pt-BR".
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// parseTerminal reads the terminal in which programs are started again.
func (f *File) parseTerminal(root *yaml.Node, s *Settings) error {
	node := valueOf(root, "terminal")
	if node == nil {
		return nil
	}
	text := node.Value
	if node.Kind != yaml.ScalarNode || len(strings.Fields(text)) == 0 || len(text) > maxTerminal || monitor.Clean(text, maxTerminal) != text || strings.ContainsAny(text, `"'$`) {
		return f.problemAt(node, textTerminal)
	}
	if text != "automatic" {
		s.Terminal = text
	}
	return nil
}

// parseAppearance reads theme, tray icon and language.
func (f *File) parseAppearance(root *yaml.Node, s *Settings) error {
	if node := valueOf(root, "theme"); node != nil {
		if !slices.Contains([]string{"system", "light", "dark"}, node.Value) {
			return f.problemAt(node, textTheme)
		}
		s.Theme = strings.TrimPrefix(node.Value, "system")
	}
	if node := valueOf(root, "tray_icon"); node != nil {
		if !slices.Contains([]string{"automatic", "outlined", "light", "dark"}, node.Value) {
			return f.problemAt(node, textTrayIcon)
		}
		s.TrayIcon = strings.TrimPrefix(node.Value, "automatic")
	}
	if node := valueOf(root, "language"); node != nil {
		if node.Value != "system" && !languageTag.MatchString(node.Value) {
			return f.problemAt(node, textLanguage)
		}
		s.Language = strings.TrimPrefix(node.Value, "system")
	}
	return nil
}

// parseNotifications reads which events are notified by default, and how.
func (f *File) parseNotifications(root *yaml.Node, s *Settings) (err error) {
	if node := valueOf(root, "notify_on"); node != nil {
		if s.NotifyOn, err = f.parseNotifyOn(node); err != nil {
			return err
		}
	}
	for key, to := range map[string]*watch.Urgency{"urgency": &s.Urgency, "crash_urgency": &s.CrashUrgency} {
		if node := valueOf(root, key); node != nil {
			if *to, err = f.parseUrgency(node, key); err != nil {
				return err
			}
		}
	}
	if node := valueOf(root, "expiry"); node != nil {
		d, err := time.ParseDuration(node.Value)
		switch {
		case node.Value == "never":
			s.Expiry = Never
		case node.Value == "desktop":
			s.Expiry = 0
		case err != nil || d < minExpiry || d > maxExpiry:
			return f.problemAt(node, textExpiry, "Min", minExpiry, "Max", maxExpiry)
		default:
			s.Expiry = d
		}
	}
	return nil
}

// parseUrgency parses the value of key.
func (f *File) parseUrgency(node *yaml.Node, key string) (watch.Urgency, error) {
	u := watch.Urgency(node.Value)
	if !slices.Contains([]watch.Urgency{watch.Low, watch.Normal, watch.Critical}, u) {
		return "", f.problemAt(node, textUrgency, "Key", key)
	}
	return u, nil
}

// Set sets key to value, in the syntax of the file, and returns the new settings.
// An empty value removes the key, for the default. The rest of the file is kept,
// byte by byte. Set does not write if the file is invalid, if a newer Porthole
// wrote it, or if the value is invalid; the error is one sentence with the reason.
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
		return s, Problem{Path: f.path, Sentence: monitor.NewSentence(textNotASetting, "Key", monitor.Clean(key, 40))}
	}
	var node *yaml.Node
	if value != "" {
		node = scalarNode(value)
		root := *doc.root
		root.Content = append([]*yaml.Node{scalarNode(key), node}, root.Content...) // the first of two equal keys counts
		if _, err := f.parse(&root); err != nil {
			return s, err
		}
	}
	text, err := f.edit(doc, key, func(e *editor) error { return e.setRootKeys(doc.root, []keyValue{{key, node}}) },
		func(root *yaml.Node, _ Settings) bool {
			got := valueOf(root, key)
			return got == nil && node == nil || got != nil && node != nil && got.Value == value
		})
	if err != nil {
		return s, err
	}
	if err := f.replace(text); err != nil {
		return s, err
	}
	_, s, err = f.load()
	return s, err
}

func (f *File) newerError() error {
	return Problem{Path: f.path, Sentence: monitor.NewSentence(textNewer)}
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

// scalarNode returns an unquoted scalar; YAML derives its type from the text.
func scalarNode(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
