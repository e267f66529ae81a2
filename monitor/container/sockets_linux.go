package container

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"porthole/monitor/owner"
	"porthole/monitor/process"
)

// engineSockets returns the paths where Docker and Podman listen as root.
func engineSockets() []string { return []string{"/var/run/docker.sock", "/run/podman/podman.sock"} }

// userSockets returns the paths where rootless Docker and Podman listen; dir is
// the user's XDG_RUNTIME_DIR.
func userSockets(dir string) []string {
	if !filepath.IsAbs(dir) {
		return nil
	}
	return []string{dir + "/docker.sock", dir + "/podman/podman.sock"}
}

// trusted reports whether path is a socket that belongs to root, to this user, or
// to the user with that UID. Other users' sockets are not connected to.
func trusted(path string, uid int) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || int(stat.Uid) == uid)
}

// engineRuns reports whether an engine serves the socket at path already. systemd
// can listen there for an engine that is not running (docker.socket,
// podman.socket) and starts it at the first connection, so nothing connects before
// there is evidence of the engine: its process, or a process other than systemd
// that holds the listening socket. Without evidence, or without the right to see
// it, the answer is false.
func engineRuns(path string) bool {
	var stat syscall.Stat_t
	if syscall.Stat(path, &stat) != nil {
		return false
	}
	path = resolve(path)
	if b, err := os.ReadFile("/run/docker.pid"); err == nil && path == resolve("/var/run/docker.sock") {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && isEngine(pid, path, stat.Uid) {
			return true
		}
	}
	pids := processes()
	if slices.ContainsFunc(pids, func(pid int) bool { return isEngine(pid, path, stat.Uid) }) {
		return true
	}
	links := listeningLinks(path)
	return len(links) > 0 && slices.ContainsFunc(pids, func(pid int) bool {
		return pid != 1 && !strings.HasPrefix(commandName(pid), "systemd") && holdsAny(pid, links)
	})
}

// resolve returns path without symbolic links in its folder: /var/run is /run.
func resolve(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}

// processes returns the PIDs of all processes that can be seen, the newest first.
func processes() (pids []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a partial list is still useful
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, func(a, b int) int { return b - a })
	return pids
}

// commandName returns the name of a process, which the kernel cuts after 15 bytes.
func commandName(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // "" if it has ended
	return strings.TrimSuffix(string(b), "\n")
}

// isEngine reports whether pid is an engine of the user with that UID that serves
// the socket at path: dockerd, or Podman's API service. An engine inside a container
// serves a socket in there.
func isEngine(pid int, path string, uid uint32) bool {
	name := commandName(pid)
	if name != "dockerd" && name != podmanEngine {
		return false
	}
	var stat syscall.Stat_t
	if syscall.Stat(fmt.Sprintf("/proc/%d", pid), &stat) != nil || stat.Uid != uid || owner.CgroupOf(pid).ContainerID != "" {
		return false
	}
	command := process.CommandLine(pid)
	if name == podmanEngine && !(slices.Contains(command, "system") && slices.Contains(command, "service")) {
		return false
	}
	if strings.Contains(path, podmanEngine) != (name == podmanEngine) {
		return false
	}
	given := false // its command line names the sockets; otherwise it listens on the usual one
	for i, arg := range command {
		value, isHost := strings.CutPrefix(arg, "--host=")
		switch {
		case isHost:
		case (arg == "-H" || arg == "--host") && i+1 < len(command):
			value = command[i+1]
		case name == podmanEngine && strings.HasPrefix(arg, "unix:"):
			value = arg
		default:
			continue
		}
		given = true
		socket, isUnix := strings.CutPrefix(value, "unix://")
		if isUnix && resolve(socket) == path || strings.HasPrefix(value, "fd:") && servesInherited(pid, path, uid) {
			return true
		}
	}
	return !given && isUsual(path, uid)
}

// isUsual reports whether path is where an engine of that user listens by default.
func isUsual(path string, uid uint32) bool {
	usual := slices.Concat(engineSockets(), userSockets(fmt.Sprintf("/run/user/%d", uid)), userSockets(os.Getenv("XDG_RUNTIME_DIR")))
	return slices.ContainsFunc(usual, func(socket string) bool { return resolve(socket) == path })
}

// servesInherited reports whether the engine pid, which got its sockets from systemd
// (-H fd://), serves the one at path. Its command line does not name them. Its
// descriptors do; if this user may not read them, it must be the packaged unit, whose
// docker.socket listens at the usual path.
func servesInherited(pid int, path string, uid uint32) bool {
	if held := descriptors(pid); held != nil {
		links := listeningLinks(path)
		return slices.ContainsFunc(held, func(link string) bool { return slices.Contains(links, link) })
	}
	return isUsual(path, uid) && owner.CgroupOf(pid).Unit == "docker.service"
}

// listeningLinks returns what the descriptors of the sockets that listen at path
// link to, like "socket:[123]" (proc_net(5): the flag 0x10000 is __SO_ACCEPTCON).
func listeningLinks(path string) (links []string) {
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(table) {
		fields := strings.SplitN(strings.Join(strings.Fields(string(line)), " "), " ", 8)
		if len(fields) == 8 && fields[3] == "00010000" && filepath.Base(fields[7]) == filepath.Base(path) && resolve(fields[7]) == path {
			links = append(links, "socket:["+fields[6]+"]")
		}
	}
	return links
}

// holdsAny reports whether a descriptor of pid is one of links.
func holdsAny(pid int, links []string) bool {
	return slices.ContainsFunc(descriptors(pid), func(link string) bool { return slices.Contains(links, link) })
}

// descriptors returns what the descriptors of pid link to; nil if this user may not
// see that.
func descriptors(pid int) (links []string) {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a partial list is still useful
	for _, name := range names {
		if link, err := os.Readlink(folder + "/" + name); err == nil {
			links = append(links, link)
		}
	}
	return links
}

// conmonOf returns the command line of the conmon that monitors the container which
// the rootlessport with that PID publishes ports for; nil if it is not found. Podman
// gives the two ends of a pipe to them, so that rootlessport ends with conmon;
// rootlessport has descriptor 3 of it (ExitFD and rootlessPortSyncR in libpod).
func conmonOf(pid int) []string {
	pipe, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/3", pid))
	if err != nil || !strings.HasPrefix(pipe, "pipe:") {
		return nil
	}
	for _, other := range processes() {
		if commandName(other) == "conmon" && holdsAny(other, []string{pipe}) {
			return process.CommandLine(other)
		}
	}
	return nil
}
