// Package socketunit reads which service systemd starts for a socket unit
// (systemd.socket(5)) from the unit's files. It asks no running systemd, so it works for
// every user and starts nothing.
package socketunit

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/lookup"
	"porthole/monitor/process"
)

// folders are where unit files and their drop-ins are, the strongest first
// (systemd.unit(5)).
var folders = []string{
	"/etc/systemd/system", "/run/systemd/transient", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
}

// userFolders returns the folders of the units of a user's systemd, which has pid.
func userFolders(pid int) (all []string) {
	set := process.Variables(pid, "HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
	if dir := set["XDG_CONFIG_HOME"]; filepath.IsAbs(dir) {
		all = append(all, filepath.Join(dir, "systemd/user"))
	} else if filepath.IsAbs(set["HOME"]) {
		all = append(all, filepath.Join(set["HOME"], ".config/systemd/user"))
	}
	all = append(all, "/etc/systemd/user")
	if dir := set["XDG_RUNTIME_DIR"]; filepath.IsAbs(dir) {
		all = append(all, filepath.Join(dir, "systemd/transient"), filepath.Join(dir, "systemd/user"), filepath.Join(dir, "systemd/generator"))
	}
	return append(all, "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")
}

// cacheTime is how long an answer is used before the files are read again.
const cacheTime = time.Minute

// answers has what the files said. A home folder whose disk does not answer costs
// lookup.Deadline, once.
var answers = lookup.New(find, func(q question) string { return strconv.Itoa(q.pid) }, func(answer) time.Duration { return cacheTime })

// question is what is asked about a listener.
type question struct {
	pid   int    // of the user's systemd; 0 for the system's
	start uint64 // of that process
	unit  string // the socket unit; "" if it is not known
	at    string // the sockets, if unit is "": "tcp 127.0.0.1:8080"; separated by newlines
}

// answer is the socket unit of a listener and the service that it starts.
type answer struct {
	unit, service string
	perConnection bool
}

// Describe sets l.Activates and l.PerConnection if systemd holds l for a socket unit, and
// l.Unit if the control group does not tell the unit: the sockets of a user's units are
// in that of the user's systemd. It is safe for concurrent use and reads a few small
// files, for at most lookup.Deadline.
func Describe(l *monitor.Listener) {
	q := question{unit: l.Unit}
	o, known := l.Principal()
	isUnit := strings.HasSuffix(l.Unit, ".socket")
	switch {
	case known && o.ProgramName() == "systemd" && !isUnit:
		q.unit, q.at = "", endpoints(l)
	case !isUnit:
		return
	}
	if known && o.PID != 1 {
		q.pid, q.start = o.PID, o.Start
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookup.Deadline)
	defer cancel()
	if a := answers.Await(ctx, q).Value; a.unit != "" {
		l.Unit, l.Activates, l.PerConnection = a.unit, a.service, a.perConnection
	}
}

// endpoints returns the sockets of l, as they are in question.at.
func endpoints(l *monitor.Listener) string {
	var all []string
	for _, a := range l.Addresses {
		all = append(all, endpoint(l.Protocol, netip.AddrPortFrom(a, l.Port)))
	}
	return strings.Join(all, "\n")
}

func endpoint(p monitor.Protocol, at netip.AddrPort) string { return string(p) + " " + at.String() }

// find answers a question from the unit files.
func find(q question) answer {
	where := folders
	if q.pid != 0 {
		where = userFolders(q.pid)
	}
	unit := q.unit
	if unit == "" {
		unit = unitAt(strings.Split(q.at, "\n"), where)
	}
	if unit == "" {
		return answer{}
	}
	return read(unit, where)
}

// unitAt returns the only socket unit in folders that listens on one of the sockets; ""
// if there is none, or more than one: which of them runs is not known.
func unitAt(sockets []string, folders []string) string {
	found := ""
	seen := make(map[string]bool)
	for _, folder := range folders {
		files, _ := filepath.Glob(filepath.Join(folder, "*.socket")) // nil: there are none
		for _, file := range files {
			name := filepath.Base(file)
			if seen[name] || strings.HasSuffix(name, "@.socket") {
				continue
			}
			seen[name] = true // a file in a weaker folder does not count, even if this one masks it
			if !isRegular(file) || !listensOn(settings(name, folders), sockets) {
				continue
			}
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// listensOn reports whether a unit with these settings listens on one of the sockets. A
// port without an address is the wildcard address, of IPv4 if there is no IPv6.
func listensOn(set map[string]string, sockets []string) bool {
	for name, protocol := range map[string]monitor.Protocol{"ListenStream": monitor.TCP, "ListenDatagram": monitor.UDP} {
		for value := range strings.FieldsSeq(set[name]) {
			hosts := []string{value}
			if port, err := strconv.ParseUint(value, 10, 16); err == nil {
				hosts = []string{fmt.Sprintf("[::]:%d", port), fmt.Sprintf("0.0.0.0:%d", port)}
			}
			for _, host := range hosts {
				if at, err := netip.ParseAddrPort(host); err == nil && slices.Contains(sockets, endpoint(protocol, at)) {
					return true
				}
			}
		}
	}
	return false
}

// read returns what the files of unit in folders say. Without a file, or if a value has
// specifiers, it is the default of systemd.socket(5).
func read(unit string, folders []string) answer {
	a := answer{unit: unit}
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
		if file := filepath.Join(folder, name); isRegular(file) {
			return file
		}
	}
	return ""
}

func isRegular(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// maxFile limits how much of a unit file is read.
const maxFile = 64 << 10

// parse adds the settings of the section [Socket] of a file to set (systemd.syntax(7)).
// The values of Listen settings that occur again are separated by spaces.
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
			name, value = strings.TrimSpace(name), strings.TrimSpace(value)
			if strings.HasPrefix(name, "Listen") && value != "" { // an empty value removes the ones before
				value = strings.TrimSpace(set[name] + " " + value)
			}
			set[name] = value
		}
	}
}
