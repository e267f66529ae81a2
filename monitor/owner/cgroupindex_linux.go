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

// cgroupIndex finds control groups by number. The kernel tells of each socket, of
// any user's, the group that its maker was in: a number, which is the inode of
// the group's folder in cgroup2 (cgroups(7), INET_DIAG_CGROUP_ID of
// linux/inet_diag.h). The folders are walked when an unknown number comes, at
// most every walkEvery: 3 µs a folder, and a desktop has a few hundred.
type cgroupIndex struct {
	root  string // where cgroup2 is mounted; "" until asked, "-" where it is not
	known map[uint64]string
	next  time.Time // not to be walked again before
}

const (
	walkEvery  = 10 * time.Second
	maxCgroups = 100_000
)

// path returns the group's path below the root of all, like
// "/system.slice/cups.service"; "" where it is not known: the group may be gone
// while its sockets live, or be the root, which everything is in.
func (g *cgroupIndex) path(id uint64) string {
	if id == 0 {
		return ""
	}
	path, ok := g.known[id]
	if !ok && time.Now().After(g.next) {
		g.walk()
		path = g.known[id]
		g.next = time.Now().Add(walkEvery)
	}
	return path
}

func (g *cgroupIndex) walk() {
	if g.root == "" {
		g.root = "-"
		if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
			g.root = cgroupMount(mounts)
		}
	}
	g.known = make(map[uint64]string)
	// A folder that may not be entered, or is gone meanwhile, is not known.
	_ = filepath.WalkDir(g.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if len(g.known) >= maxCgroups {
			return fs.SkipAll
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			g.known[stat.Ino] = strings.TrimPrefix(path, g.root)
		}
		return nil
	})
}

// cgroupMount returns where the cgroup2 file system is mounted, "-" where it is
// not (proc_pid_mountinfo(5): the type follows the field "-").
func cgroupMount(mounts []byte) string {
	for line := range bytes.Lines(mounts) {
		front, back, _ := bytes.Cut(line, []byte(" - "))
		if fields := bytes.Fields(front); bytes.HasPrefix(back, []byte("cgroup2 ")) && len(fields) > 4 {
			return string(fields[4])
		}
	}
	return "-"
}

// onlyProcess returns the process that is the only one in the group at path, 0 where
// there are others, or none, or the group says too little: a session's scope
// holds many programs over time, and the root holds all.
func (g *cgroupIndex) onlyProcess(path string) int {
	unit := unitOf(path)
	if containerOf(path) == "" && (unit == "" || strings.HasPrefix(unit, "session-")) {
		return 0
	}
	f, err := os.Open(g.root + path + "/cgroup.procs")
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	if !lines.Scan() {
		return 0
	}
	pid, err := strconv.Atoi(lines.Text()) // "0" is one of another PID namespace
	if err != nil || lines.Scan() {
		return 0
	}
	return pid
}

// unitOf returns the systemd unit that made the group at path, the innermost
// one; "" where none did.
func unitOf(path string) string {
	for path != "" {
		var name string
		i := strings.LastIndexByte(path, '/')
		path, name = path[:max(i, 0)], path[i+1:]
		if strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") {
			return name
		}
	}
	return ""
}

// containerID is how docker, podman, containerd and CRI-O name the group of a
// container: /docker/ID, docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope.
var containerID = regexp.MustCompile(`(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:/|$)`)

// containerOf returns the id of the container that the group at path belongs
// to, the innermost one; "" where there is none.
func containerOf(path string) string {
	all := containerID.FindAllStringSubmatch(path, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}
