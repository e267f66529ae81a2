// Package settings reads and writes the settings file, a YAML file that people
// edit by hand and keep with their dotfiles. Writing keeps comments, order and
// unknown keys.
package settings

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/natefinch/atomic"
	"go.yaml.in/yaml/v4"

	"porthole/app/paths"
	"porthole/monitor/label"
	"porthole/monitor/watch"
)

// Settings are the values in the file, with defaults for those that it does not
// contain.
type Settings struct {
	Watches         watch.Rules
	Labels          label.Rules   // labels and hiding rules
	PollingInterval time.Duration // 0: Porthole chooses
	UDP             bool          // include UDP sockets
	Sound           bool          // notifications play a sound
	GracePeriod     time.Duration // a port that opens again within this time after it closed was restarted
	Newer           bool          // written by a newer Porthole: the parts that this version understands are used, and the file is not changed
	HistoryDays     int           // delete events after this many days; 0: Porthole chooses
	HistoryEvents   int           // keep at most this many events; 0: Porthole chooses
	TrafficBody     int           // MB kept of each body of recorded traffic; 0: the default
	TrafficMemory   int           // MB kept of all bodies of a recording; 0: the default
	Warnings        []Problem     // keys and values that this Porthole does not know

	Theme         string         // "light" or "dark"; "": the system's theme
	Zoom          int            // size of the window's content in percent; 0: 100
	TrayIcon      string         // "light" or "dark", for panels of the other color; "outlined": one that is readable on both; "": the one that fits the panel, if that is known
	Language      string         // such as "en"; "": the system's language
	Shortcut      bool           // ask the desktop for a shortcut that opens the window
	StartHidden   bool           // start in the tray without opening the window
	Notifications bool           // show notifications about watches
	NotifyOn      watch.NotifyOn // events of watches that have none of their own; 0: watch.DefaultEvents
	Urgency       watch.Urgency  // of notifications of watches that have none of their own; "": normal
	CrashUrgency  watch.Urgency  // of those about crashes; "": critical
	Expiry        time.Duration  // how long a notification is shown; 0: the desktop decides, Never: until it is closed
	NewExposed    bool           // notify about everything that is newly exposed to the network
	QuietHours    Hours          // notifications wait until these hours end
	AllAddresses  bool           // include ports that cannot be reached through loopback
	Terminal      string         // the command of the terminal in which programs are started again: "kitty -e"; NoTerminal: in none; "": Porthole chooses
}

// Limits of the intervals. Polling faster than the minimum costs CPU time and
// shows nothing more; polling slower than the maximum misses too much.
const (
	minPollingInterval = 50 * time.Millisecond
	maxPollingInterval = time.Minute
	maxGracePeriod     = time.Minute
)

// Limits of the expiry of notifications.
const (
	minExpiry = time.Second
	maxExpiry = time.Hour
	// Never as Settings.Expiry shows notifications until they are closed.
	Never time.Duration = -1
)

// NoTerminal as Settings.Terminal starts programs again detached, with their output in a log.
const NoTerminal = "none"

// maxTerminal is the length of the command of a terminal in bytes.
const maxTerminal = 200

// version is the version of the file format. It increases when a key changes its
// meaning. New keys do not change it: older versions of Porthole keep them.
const version = 1

// Limits of the history: ten years, and the number of events that can be searched
// within a second.
const (
	maxHistoryDays   = 3650
	maxHistoryEvents = 1_000_000
)

// Limits of the zoom in percent: the window stays readable and fits on a screen.
const (
	MinZoom = 50
	MaxZoom = 300
)

// Defaults returns the settings of a missing or empty file.
func Defaults() Settings {
	return Settings{Watches: watch.Default(), GracePeriod: watch.DefaultGrace, Notifications: true}
}

// Path returns the path of the settings file: $XDG_CONFIG_HOME/porthole/settings.yaml
// on Linux, the platform's equivalent elsewhere.
func Path() string { return filepath.Join(paths.Config(), "settings.yaml") }

// File is a settings file. It is safe for concurrent use.
type File struct {
	path string

	mu      sync.Mutex
	removed []removedEntry[watch.Rule] // the oldest first
	undo    []change                   // the oldest first

	removedLabels []removedEntry[label.Label]
	removedHidden []removedEntry[label.Hidden]
}

// change is a change of the watches by this process.
type change struct {
	before, after string      // text of the file
	rules         watch.Rules // of before
}

// maxUndo is the number of changes whose previous text is kept.
const maxUndo = 16

// Open returns the file at path, which need not exist.
func Open(path string) *File { return &File{path: path} }

// Load reads the file. If it does not exist, Load returns the defaults. If it is
// invalid, Load returns the defaults and a Problem. Of a file of a newer Porthole only the parts that are not
// understood fall back to the defaults; Warnings names them.
func (f *File) Load() (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, s, err := f.load()
	return s, err
}

// Fingerprint returns a hash of the file's content, which changes with each edit.
func (f *File) Fingerprint() [sha256.Size]byte {
	b, err := os.ReadFile(f.path)
	if err != nil {
		b = []byte(err.Error()) // missing is not the same as empty
	}
	return sha256.Sum256(b)
}

// ChangeWatches replaces the watches in the file with the result of update and
// returns the new settings. It changes only the lines of entries that differ, and
// a change back to earlier watches restores their text with its comments. If the
// file cannot be read or is invalid, ChangeWatches does not write and returns the
// reason.
func (f *File) ChangeWatches(update func(watch.Rules) watch.Rules) (Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	doc, s, err := f.load()
	if err != nil {
		return s, err
	}
	if s.Newer {
		return s, f.newerError()
	}
	was := s.Watches
	s.Watches = update(was)
	if slices.EqualFunc(was, s.Watches, watch.Rule.Equal) && (len(was) > 0 || valueOf(doc.root, "watches") != nil) {
		return s, nil
	}
	if n := len(f.undo) - 1; n >= 0 && f.undo[n].after == doc.text && slices.EqualFunc(f.undo[n].rules, s.Watches, watch.Rule.Equal) {
		if err := f.replace(f.undo[n].before); err != nil {
			return s, err
		}
		f.undo = f.undo[:n]
		return s, nil
	}
	text, err := f.edit(doc, "watches", func(e *editor) error { return f.watchList().set(e, doc.root, s.Watches) },
		func(_ *yaml.Node, got Settings) bool {
			return slices.EqualFunc(got.Watches, s.Watches, watch.Rule.Equal)
		})
	if err != nil {
		return s, err
	}
	if err := f.replace(text); err != nil {
		return s, err
	}
	f.undo = append(f.undo, change{doc.text, text, was})
	f.undo = slices.Clone(f.undo[max(0, len(f.undo)-maxUndo):])
	return s, nil
}

// load returns the file as YAML and as settings. With an error it returns the
// defaults.
func (f *File) load() (document, Settings, error) {
	doc, err := f.read()
	if err != nil {
		return doc, Defaults(), err
	}
	s, err := f.parse(doc.root)
	if newer := (Settings{}); err != nil && f.parseVersion(doc.root, &newer) == nil && newer.Newer {
		root, missed := f.understoodPart(doc.root)
		s, err = f.parse(root)
		s.Warnings = missed
	}
	if err != nil {
		return doc, Defaults(), err
	}
	s.Warnings = append(s.Warnings, f.unknownKeys(doc.root)...)
	return doc, s, nil
}

// fileHeader is the first comment of a file that Porthole creates.
const fileHeader = "Porthole settings. You can edit this file by hand: comments and unknown keys are kept."

const headerLine = "# " + fileHeader + "\n"

// document is the content of the file.
type document struct {
	text string
	root *yaml.Node // a mapping unless the file is invalid; without keys if text has only comments
}

func (f *File) read() (document, error) {
	b, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = nil, nil
	}
	if err != nil {
		return document{}, f.systemError(textCannotRead, err)
	}
	return f.parseText(string(b))
}

func (f *File) parseText(text string) (document, error) {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return document{}, f.syntaxError(text, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return document{}, f.syntaxError(text, err)
		}
		return document{}, f.problemAt(&second, textSecondDocument)
	}
	if len(doc.Content) == 0 { // empty, or only comments
		return document{text, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}}, nil
	}
	return document{text, doc.Content[0]}, nil
}

// withoutPath returns the cause of a path error, for sentences that contain the
// path already.
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
		return s, f.problemAt(root, textNotMapping)
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
	if err := f.parseLabels(root, &s.Labels); err != nil {
		return s, err
	}
	for _, duration := range []struct {
		key, example string
		min, max     time.Duration
		to           *time.Duration
	}{
		{"polling_interval", "250ms", minPollingInterval, maxPollingInterval, &s.PollingInterval},
		{"grace_period", "3s", 0, maxGracePeriod, &s.GracePeriod},
	} {
		if node := valueOf(root, duration.key); node != nil {
			d, err := time.ParseDuration(node.Value)
			if err != nil || d < duration.min || d > duration.max {
				return s, f.problemAt(node, textDuration, "Key", duration.key, "Min", duration.min, "Max", duration.max, "Example", duration.example)
			}
			*duration.to = d
		}
	}
	for key, value := range map[string]*bool{"udp": &s.UDP, "sound": &s.Sound, "start_hidden": &s.StartHidden, "shortcut": &s.Shortcut,
		"notifications": &s.Notifications, "new_exposed": &s.NewExposed, "all_addresses": &s.AllAddresses} {
		if node := valueOf(root, key); node != nil && node.Decode(value) != nil {
			return s, f.problemAt(node, textBool, "Key", key)
		}
	}
	if err := f.parseNotifications(root, &s); err != nil {
		return s, err
	}
	if err := f.parseTerminal(root, &s); err != nil {
		return s, err
	}
	if node := valueOf(root, "quiet_hours"); node != nil {
		hours, err := ParseHours(node.Value)
		if err != nil {
			return s, f.problemAt(node, textHours)
		}
		s.QuietHours = hours
	}
	for _, number := range []struct {
		key      string
		min, max int
		to       *int
	}{
		{"history_days", 1, maxHistoryDays, &s.HistoryDays},
		{"history_events", 1, maxHistoryEvents, &s.HistoryEvents},
		{"traffic_body", 1, maxTrafficBody, &s.TrafficBody},
		{"traffic_memory", 1, maxTrafficMemory, &s.TrafficMemory},
		{"zoom", MinZoom, MaxZoom, &s.Zoom},
	} {
		if node := valueOf(root, number.key); node != nil {
			n, err := strconv.Atoi(node.Value)
			if err != nil || n < number.min || n > number.max {
				return s, f.problemAt(node, textNumber, "Key", number.key, "Min", number.min, "Max", number.max)
			}
			*number.to = n
		}
	}
	return s, f.parseAppearance(root, &s)
}

func (f *File) parseVersion(root *yaml.Node, s *Settings) error {
	if node := valueOf(root, "version"); node != nil {
		n, err := strconv.Atoi(node.Value)
		if err != nil || n < 1 {
			return f.problemAt(node, textVersion, "Number", version)
		}
		s.Newer = n > version
	}
	return nil
}

// valueOf returns the value of key, nil if mapping does not contain it.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	_, value := pairOf(mapping, key)
	return value
}

// Create creates the file, with a comment only, unless it exists. It never changes an
// existing file, also not one that another process creates at the same time.
func (f *File) Create() error {
	path := f.target()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return f.systemError(textCannotCreateFolder, err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return f.systemError(textCannotCreate, err)
	}
	_, err = file.WriteString(headerLine)
	if err = errors.Join(err, file.Close()); err != nil {
		return f.systemError(textCannotWrite, err)
	}
	return nil
}

// target returns the path of the file, or where it leads if it is a symbolic link.
func (f *File) target() string {
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		return real
	}
	to, err := os.Readlink(f.path) // the target does not exist yet
	switch {
	case err != nil:
		return f.path
	case filepath.IsAbs(to):
		return to
	}
	return filepath.Join(filepath.Dir(f.path), to)
}

// replace replaces the file atomically. If its path is a symbolic link, it
// replaces the target and keeps the link.
func (f *File) replace(text string) error {
	path := f.target()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return f.systemError(textCannotCreateFolder, err)
	}
	// The errors of atomic.WriteFile are long and name a temporary file.
	if err := paths.CheckWritable(filepath.Dir(path), []byte(text)); err != nil {
		return f.systemError(textCannotWrite, err)
	}
	if err := atomic.WriteFile(path, strings.NewReader(text)); err != nil {
		return f.systemError(textCannotWrite, err)
	}
	return nil
}
