package procevents

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
)

// memory counts the processes that the kernel has killed because memory ran out, in the
// control groups of the watched processes.
type memory struct {
	root      string // where the control groups are mounted (cgroups(7))
	groups    map[processID]string
	seen      map[processID]time.Time // when Watch last had the process
	files     map[string]*kills
	refreshed time.Time
}

// processID identifies a process.
type processID struct {
	pid   int
	start uint64
}

// kills is the counter of one control group.
type kills struct {
	count     uint64
	increased time.Time // when the count was last seen to have increased; zero if never
}

const (
	maxWatched   = 256             // processes
	refreshEvery = 4 * time.Second // how often the counters are read
	killAge      = 5 * time.Second // a process that was killed this long after a count had increased may have been counted
	forgetAfter  = time.Minute     // processes that are no longer watched: their end may still be asked for
)

func newMemory() *memory {
	return &memory{root: "/sys/fs/cgroup", groups: map[processID]string{}, seen: map[processID]time.Time{}, files: map[string]*kills{}}
}

// watch replaces the processes.
func (m *memory) watch(owners []monitor.Owner, now time.Time) {
	for _, o := range owners[:min(len(owners), maxWatched)] {
		p := processID{o.PID, o.Start}
		if _, known := m.groups[p]; !known {
			m.add(p)
		}
		m.seen[p] = now
	}
	needed := map[string]bool{}
	for p, file := range m.groups {
		if now.Sub(m.seen[p]) > forgetAfter {
			delete(m.groups, p)
			delete(m.seen, p)
		} else {
			needed[file] = true
		}
	}
	for file := range m.files {
		if !needed[file] {
			delete(m.files, file)
		}
	}
}

// add finds the counter of p.
func (m *memory) add(p processID) {
	table, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/cgroup")
	if err != nil {
		table = nil // it has exited: no counter
	}
	file := m.counterFile(table)
	m.groups[p] = file
	if m.files[file] == nil && file != "" {
		count, _ := readKills(file)
		m.files[file] = &kills{count: count}
	}
}

// counterFile returns the file with the counter for a process with this
// /proc/PID/cgroup, whose lines are ID:CONTROLLERS:PATH. The kernel counts a kill in the
// nearest group with a memory controller: memory.events.local (cgroup-v2.rst), before
// Linux 5.2 memory.events, and in version 1 memory.oom_control. It returns "" if there is
// none.
func (m *memory) counterFile(table []byte) string {
	for line := range bytes.Lines(table) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(fields) != 3 || !strings.HasPrefix(fields[2], "/") || strings.Contains(fields[2], "/..") { // a group outside of the namespace of groups
			continue
		}
		for dir := fields[2]; ; dir = filepath.Dir(dir) {
			for _, file := range m.candidates(fields, dir) {
				if _, ok := readKills(file); ok {
					return file
				}
			}
			if dir == "/" {
				break
			}
		}
	}
	return ""
}

// candidates returns the files that may have the counter of a group.
func (m *memory) candidates(fields []string, dir string) []string {
	switch {
	case fields[0] == "0":
		return []string{filepath.Join(m.root, dir, "memory.events.local"), filepath.Join(m.root, dir, "memory.events"),
			filepath.Join(m.root, "unified", dir, "memory.events.local")}
	case fields[1] == "memory":
		return []string{filepath.Join(m.root, "memory", dir, "memory.oom_control")}
	}
	return nil
}

// readKills reads the line "oom_kill NUMBER" of a file.
func readKills(file string) (count uint64, ok bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	return parseKills(content)
}

// parseKills parses the content of such a file.
func parseKills(content []byte) (count uint64, ok bool) {
	for line := range bytes.Lines(content) {
		if number, found := bytes.CutPrefix(bytes.TrimSpace(line), []byte("oom_kill ")); found {
			if count, err := strconv.ParseUint(string(number), 10, 64); err == nil {
				return count, true
			}
		}
	}
	return 0, false
}

// refresh reads the counters, at most once in refreshEvery, so that it is known when one
// has increased.
func (m *memory) refresh(now time.Time) {
	if now.Sub(m.refreshed) < refreshEvery {
		return
	}
	m.refreshed = now
	for file, k := range m.files {
		k.read(file, now)
	}
}

func (k *kills) read(file string, now time.Time) {
	count, ok := readKills(file)
	if ok && count > k.count {
		k.increased = now
	}
	if ok {
		k.count = count
	}
}

// killed reports whether the kernel has just killed a process of o's control group
// because memory ran out. It counts before it kills.
func (m *memory) killed(o monitor.Owner, now time.Time) bool {
	file := m.groups[processID{o.PID, o.Start}]
	k := m.files[file]
	if k == nil {
		return false
	}
	k.read(file, now)
	return !k.increased.IsZero() && now.Sub(k.increased) < killAge
}
