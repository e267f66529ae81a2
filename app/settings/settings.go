// Package settings is the settings file: one file that people edit by hand and
// keep with their dotfiles, and that Porthole changes without losing a comment.
package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adrg/xdg"
	"github.com/natefinch/atomic"
	"go.yaml.in/yaml/v4"

	"porthole/monitor/watch"
)

// Settings are what the file says, or the defaults.
type Settings struct {
	Watches         watch.Rules
	PollingInterval time.Duration // between two looks; where 0, Porthole chooses
	UDP             bool          // look at UDP too
	Sound           bool          // notifications make a sound
	GracePeriod     time.Duration // how long a close waits for the service to come back, before it is told
	Newer           bool          // a newer Porthole wrote the file: it is read as far as it is understood, and not written
	HistoryDays     int           // for how long activity is kept; where 0, Porthole chooses
	HistoryEvents   int           // and how many changes; where 0, Porthole chooses
	Warnings        []string      // what the file says and Porthole does not understand, a sentence with its line each

	Theme         string // "light" or "dark"; "" as the system is
	TrayIcon      string // "light" or "dark", for panels that are the other; "" for one that reads on both
	Language      string // like "en"; "" as the system is
	StartHidden   bool   // a start shows the tray icon alone
	Notifications bool   // tell of what is watched
	AllAddresses  bool   // show the ports that loopback does not reach too
}

// The intervals that make sense: faster costs more than it shows, and slower is
// no watching.
const (
	minPollingInterval = 50 * time.Millisecond
	maxPollingInterval = time.Minute
	maxGracePeriod     = time.Minute
)

// version is that of the file's keys, which a file may say. It grows when a
// key changes its meaning; a key that is new is not known to older programs, who
// keep it.
const version = 1

// How much activity can be kept: ten years, and what a search through still
// answers within a second.
const (
	maxHistoryDays   = 3650
	maxHistoryEvents = 1_000_000
)

// Defaults returns the settings of who never chose any.
func Defaults() Settings {
	return Settings{Watches: watch.Default(), GracePeriod: watch.DefaultGrace, Notifications: true}
}

// Path returns where the settings file is: $XDG_CONFIG_HOME/porthole/settings.yaml
// on Linux, the like of it elsewhere.
func Path() string { return filepath.Join(xdg.ConfigHome, "porthole", "settings.yaml") }

// HistoryPath returns where the activity is stored:
// $XDG_STATE_HOME/porthole/activity.db on Linux, the like of it elsewhere.
func HistoryPath() string { return filepath.Join(xdg.StateHome, "porthole", "activity.db") }

// File is a settings file. Its methods may be called from any goroutine.
type File struct {
	path string
	mu   sync.Mutex
}

// Open returns the file at path, which need not exist.
func Open(path string) *File { return &File{path: path} }

// Load reads the file. Where there is none, it returns the defaults. An error
// is one sentence for the user with the line and the reason; the defaults come
// with it. Of a newer Porthole's file only what cannot be understood falls back,
// and Remarks says what that is.
func (f *File) Load() (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, s, err := f.load()
	return s, err
}

// ChangeWatches replaces the watches in the file by what change makes of them
// and returns the new settings. All else in the file stays as it is: comments,
// order, keys that this version does not know. A file that cannot be read or
// understood is not touched; the error says why.
func (f *File) ChangeWatches(change func(watch.Rules) watch.Rules) (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	doc, s, err := f.load()
	if err != nil {
		return s, err
	}
	if s.Newer {
		return s, f.newerError()
	}
	s.Watches = change(s.Watches)
	f.setWatches(doc, s.Watches)
	return s, f.write(doc)
}

// load reads the file as it is written and as what it means, the defaults where
// that cannot be told.
func (f *File) load() (*yaml.Node, Settings, error) {
	doc, err := f.read()
	if err != nil {
		return nil, Defaults(), err
	}
	s, err := f.parse(doc.Content[0])
	if newer := (Settings{}); err != nil && f.parseVersion(doc.Content[0], &newer) == nil && newer.Newer {
		root, missed := f.understoodPart(doc.Content[0])
		s, err = f.parse(root)
		s.Warnings = missed
	}
	if err != nil {
		return nil, Defaults(), err
	}
	s.Warnings = append(s.Warnings, f.unknownKeys(doc.Content[0])...)
	return doc, s, nil
}

// fileHeader stands at the top of a file that Porthole begins.
const fileHeader = "Porthole's settings. Edit them by hand as you like: comments, and keys that Porthole does not know, stay."

func (f *File) read() (*yaml.Node, error) {
	b, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.path, withoutPath(err))
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	if err := decoder.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", f.path, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " "))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: what stands behind \"---\" is a second document, which settings have not", f.path)
	}
	if len(doc.Content) == 0 { // empty, or comments alone
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
		doc.HeadComment = strings.TrimSpace(string(b))
		if doc.HeadComment == "" {
			doc.HeadComment = fileHeader
		}
	}
	return &doc, nil
}

// withoutPath is what went wrong, without the path that the sentence has already.
func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (f *File) parse(root *yaml.Node) (Settings, error) {
	s := Defaults()
	if root.Kind != yaml.MappingNode {
		return s, f.errorAt(root, "settings are keys with values, like \"watches:\"")
	}
	if err := f.parseVersion(root, &s); err != nil {
		return s, err
	}
	if node := valueOf(root, "watches"); node != nil {
		rules, err := f.parseWatches(node)
		if err != nil {
			return s, err
		}
		s.Watches = rules
	}
	if node := valueOf(root, "interval"); node != nil {
		d, err := time.ParseDuration(node.Value)
		if err != nil || d < minPollingInterval || d > maxPollingInterval {
			return s, f.errorAt(node, fmt.Sprintf("interval is a time from %v to %v, like 250ms or 1s", minPollingInterval, maxPollingInterval))
		}
		s.PollingInterval = d
	}
	if node := valueOf(root, "grace"); node != nil {
		d, err := time.ParseDuration(node.Value)
		if err != nil || d < 0 || d > maxGracePeriod {
			return s, f.errorAt(node, fmt.Sprintf("grace is a time from 0s to %v, like 3s", maxGracePeriod))
		}
		s.GracePeriod = d
	}
	for key, value := range map[string]*bool{"udp": &s.UDP, "sound": &s.Sound, "start_hidden": &s.StartHidden,
		"notifications": &s.Notifications, "other_addresses": &s.AllAddresses} {
		if node := valueOf(root, key); node != nil && node.Decode(value) != nil {
			return s, f.errorAt(node, key+" is true or false")
		}
	}
	for _, keep := range []struct {
		key, what string
		most      int
		to        *int
	}{
		{"keep_days", "days", maxHistoryDays, &s.HistoryDays},
		{"keep_rows", "changes", maxHistoryEvents, &s.HistoryEvents},
	} {
		if node := valueOf(root, keep.key); node != nil {
			n, err := strconv.Atoi(node.Value)
			if err != nil || n < 1 || n > keep.most {
				return s, f.errorAt(node, fmt.Sprintf("%s is a number of %s from 1 to %d", keep.key, keep.what, keep.most))
			}
			*keep.to = n
		}
	}
	return s, f.parseAppearance(root, &s)
}

func (f *File) parseVersion(root *yaml.Node, s *Settings) error {
	if node := valueOf(root, "version"); node != nil {
		n, err := strconv.Atoi(node.Value)
		if err != nil || n < 1 {
			return f.errorAt(node, fmt.Sprintf("version is a number, %d for this Porthole", version))
		}
		s.Newer = n > version
	}
	return nil
}

func (f *File) errorAt(node *yaml.Node, reason string) error {
	if node.Line == 0 { // it does not stand in the file yet
		return fmt.Errorf("%s: %s", f.path, reason)
	}
	return fmt.Errorf("%s: line %d: %s", f.path, node.Line, reason)
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func (f *File) write(doc *yaml.Node) error {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := enc.Close(); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return f.replace(b.Bytes())
}

// replace replaces the file in one step, where it really is: a link to it stays
// a link.
func (f *File) replace(text []byte) error {
	path := f.path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if to, err := os.Readlink(path); err == nil { // to a file that is not there yet
		path = to
		if !filepath.IsAbs(to) {
			path = filepath.Join(filepath.Dir(f.path), to)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the folder of %s cannot be made: %w", f.path, withoutPath(err))
	}
	if err := checkWritable(filepath.Dir(path), text); err != nil {
		return fmt.Errorf("%s cannot be written: %w", f.path, err)
	}
	if err := atomic.WriteFile(path, bytes.NewReader(text)); err != nil {
		return fmt.Errorf("%s cannot be written: %w", f.path, withoutPath(err))
	}
	return nil
}

// checkWritable says in a few words why no file with that text can be made in dir:
// what atomic.WriteFile says is long and names a file that nobody knows.
func checkWritable(dir string, text []byte) error {
	probe, err := os.CreateTemp(dir, ".settings")
	if err != nil {
		return withoutPath(err)
	}
	_, err = probe.Write(text)
	if closing := probe.Close(); err == nil {
		err = closing
	}
	if err := os.Remove(probe.Name()); err != nil {
		return withoutPath(err)
	}
	if err != nil {
		return withoutPath(err)
	}
	return nil
}
