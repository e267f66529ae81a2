// Package socketunit reads which service systemd starts for a socket unit
// (systemd.socket(5)) from the unit's files. It asks no running systemd, so it works for
// every user and starts nothing.
package socketunit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
)

// folders are where unit files and their drop-ins are, the strongest first
// (systemd.unit(5)).
var folders = []string{
	"/etc/systemd/system", "/run/systemd/transient", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
}

// userFolders returns the folders of the units of this user's systemd.
func userFolders() (all []string) {
	if dir, err := os.UserConfigDir(); err == nil {
		all = append(all, filepath.Join(dir, "systemd/user"))
	}
	all = append(all, "/etc/systemd/user")
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		all = append(all, filepath.Join(dir, "systemd/transient"), filepath.Join(dir, "systemd/user"))
	}
	return append(all, "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")
}

var cache = struct {
	sync.Mutex
	found map[string]answer
}{found: make(map[string]answer)}

type answer struct {
	service       string
	perConnection bool
	at            time.Time
}

// The cache keeps an answer for cacheTime, and at most maxCached answers.
const (
	cacheTime = time.Minute
	maxCached = 1000
)

// Describe sets l.Activates and l.PerConnection if systemd holds l for a socket unit. It
// is safe for concurrent use and reads a few small files.
func Describe(l *monitor.Listener) {
	if !strings.HasSuffix(l.Unit, ".socket") {
		return
	}
	where := folders
	if o, ok := l.Principal(); ok && o.PID != 1 {
		where = userFolders()
	}
	key := where[0] + "\x00" + l.Unit
	cache.Lock()
	a, ok := cache.found[key]
	cache.Unlock()
	if !ok || time.Since(a.at) > cacheTime {
		a = read(l.Unit, where)
		cache.Lock()
		if len(cache.found) >= maxCached {
			clear(cache.found)
		}
		cache.found[key] = a
		cache.Unlock()
	}
	l.Activates, l.PerConnection = a.service, a.perConnection
}

// read returns what the files of unit in folders say. Without a file, or if a value has
// specifiers, it is the default of systemd.socket(5).
func read(unit string, folders []string) answer {
	a := answer{at: time.Now()}
	name := strings.TrimSuffix(unit, ".socket")
	set := settings(unit, folders)
	a.perConnection = isYes(set["Accept"])
	switch service := set["Service"]; {
	case service != "" && !a.perConnection && !strings.Contains(service, "%"):
		a.service = monitor.Clean(service, 80)
	case a.perConnection:
		prefix, _, _ := strings.Cut(name, "@")
		a.service = monitor.Clean(prefix, 60) + "@.service"
	default:
		a.service = monitor.Clean(name, 60) + ".service"
	}
	return a
}

func isYes(s string) bool {
	return slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(s))
}

// settings returns the settings of the section [Socket] of unit, with its drop-ins.
func settings(unit string, folders []string) map[string]string {
	names := []string{unit}
	if prefix, _, ok := strings.Cut(unit, "@"); ok {
		names = append(names, prefix+"@.socket") // an instance of a template
	}
	set := make(map[string]string)
	for _, name := range names {
		if file := first(name, folders); file != "" {
			parse(file, set)
			break
		}
	}
	dropIns := make(map[string]string) // by name: the one in the strongest folder counts
	for _, folder := range folders {
		for _, name := range names {
			files, _ := filepath.Glob(filepath.Join(folder, name+".d", "*.conf")) // nil: there are none
			for _, file := range files {
				if base := filepath.Base(file); dropIns[base] == "" {
					dropIns[base] = file
				}
			}
		}
	}
	var bases []string
	for base := range dropIns {
		bases = append(bases, base)
	}
	slices.Sort(bases)
	for _, base := range bases {
		parse(dropIns[base], set)
	}
	return set
}

// first returns the path of a file in the first of folders that has it; "" if none has.
func first(name string, folders []string) string {
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(folder, name)
		}
	}
	return ""
}

// maxFile limits how much of a unit file is read.
const maxFile = 64 << 10

// parse adds the settings of the section [Socket] of a file to set (systemd.syntax(7)).
func parse(path string, set map[string]string) {
	text, err := os.ReadFile(path)
	if err != nil || len(text) > maxFile {
		return // the defaults are the best that is known
	}
	section := ""
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		switch {
		case line == "", line[0] == '#', line[0] == ';':
		case line[0] == '[':
			section = line
		case ok && section == "[Socket]":
			set[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
}
