package owner

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroupIndex finds control groups by number. For each socket, of any user, the
// kernel reports the group that it was created in, as the inode number of the
// group's folder in cgroup2 (cgroups(7), INET_DIAG_CGROUP_ID of
// linux/inet_diag.h). The folders are walked when an unknown number appears, at
// most once per walkEvery: that costs 3 µs per folder, and a desktop has a few
// hundred.
type cgroupIndex struct {
	root  string // mount point of cgroup2; "" until known, "-" if there is none
	known map[uint64]string
	next  time.Time // earliest time of the next walk
}

const (
	walkEvery  = 10 * time.Second
	maxCgroups = 100_000
)

// path returns the path of a group below the root, such as
// "/system.slice/cups.service". It is "" if the group is unknown: the group may be
// gone while its sockets exist, or be the root, which contains everything.
func (c *cgroupIndex) path(id uint64) string {
	if id == 0 {
		return ""
	}
	path, ok := c.known[id]
	if !ok && time.Now().After(c.next) {
		c.walk()
		path = c.known[id]
		c.next = time.Now().Add(walkEvery)
	}
	return path
}

func (c *cgroupIndex) walk() {
	if c.root == "" {
		c.root = "-"
		if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
			c.root = cgroupMount(mounts)
		}
	}
	c.known = make(map[uint64]string)
	// Folders that may not be read, or disappear meanwhile, stay unknown.
	_ = filepath.WalkDir(c.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if len(c.known) >= maxCgroups {
			return fs.SkipAll
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			c.known[stat.Ino] = strings.TrimPrefix(path, c.root)
		}
		return nil
	})
}

// cgroupMount returns the mount point of the cgroup2 file system, "-" if there is
// none (proc_pid_mountinfo(5): the type follows the field "-").
func cgroupMount(mounts []byte) string {
	for line := range bytes.Lines(mounts) {
		front, back, _ := bytes.Cut(line, []byte(" - "))
		if fields := bytes.Fields(front); bytes.HasPrefix(back, []byte("cgroup2 ")) && len(fields) > 4 {
			return string(fields[4])
		}
	}
	return "-"
}

// onlyProcess returns the process in the group at path if it is the only one,
// otherwise 0. It is 0 too if the group is not specific enough: the scope of a
// session contains many programs over time, and the root contains all.
func (c *cgroupIndex) onlyProcess(path string) int {
	unit := unitOf(path)
	if containerOf(path) == "" && (unit == "" || strings.HasPrefix(unit, "session-")) {
		return 0
	}
	f, err := os.Open(c.root + path + "/cgroup.procs")
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	if !lines.Scan() {
		return 0
	}
	pid, err := strconv.Atoi(lines.Text()) // "0" stands for a process of another PID namespace
	if err != nil || lines.Scan() {
		return 0
	}
	return pid
}

// startedService returns the path of the service that systemd started for the socket
// unit at path; "" if it does not run, or if path is no socket unit.
func (c *cgroupIndex) startedService(path string) string {
	name, ok := strings.CutSuffix(path, ".socket")
	if !ok {
		return ""
	}
	service := name + ".service"
	if procs, err := os.ReadFile(c.root + service + "/cgroup.procs"); err != nil || len(procs) == 0 {
		return ""
	}
	return service
}

// unitOf returns the innermost systemd unit in the path of a group; "" if there is
// none.
func unitOf(path string) string {
	for path != "" {
		var name string
		i := strings.LastIndexByte(path, '/')
		path, name = path[:max(i, 0)], path[i+1:]
		if strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") || strings.HasSuffix(name, ".socket") {
			return name
		}
	}
	return ""
}

// containerID matches the names that docker, podman, containerd and CRI-O give the
// group of a container: /docker/ID, docker-ID.scope, libpod-ID.scope,
// cri-containerd-ID.scope.
var containerID = regexp.MustCompile(`(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:/|$)`)

// containerOf returns the ID of the innermost container in the path of a group; ""
// if there is none.
func containerOf(path string) string {
	all := containerID.FindAllStringSubmatch(path, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}
