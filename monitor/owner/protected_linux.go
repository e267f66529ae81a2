package owner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// protectedTTL is how long the processes that findProtected found are used, because a
// search needs them for each socket without an owner.
const protectedTTL = 500 * time.Millisecond

// protectedCheck is the last answer of findProtected.
type protectedCheck struct {
	pids []int
	at   time.Time
}

// protectedProcesses returns the processes of this user that this user may not inspect:
// the kernel makes their files in /proc root's (proc(5), prctl(2), PR_SET_DUMPABLE).
// Those are programs with file capabilities, setuid or setgid programs, programs whose
// file the user may not read, processes that asked for it, and those with more
// capabilities than this one.
func (f *finder) protectedProcesses() []int {
	if now := time.Now(); now.Sub(f.protected.at) > protectedTTL {
		f.protected = protectedCheck{f.findProtected(), now}
	}
	return f.protected.pids
}

func (f *finder) findProtected() (pids []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a partial list is still useful
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		var stat unix.Stat_t
		if unix.Stat(fmt.Sprintf("/proc/%d", pid), &stat) != nil {
			continue // it has exited
		}
		real, _ := usersOf(pid)
		if (int(stat.Uid) == f.uid || real == f.uid) && refuses(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// probableHolder returns the protected process of this user that probably holds a socket
// of this user, which was created in the control group at path ("" if it is not known)
// and which no process holds that may be read: the only one in that group. It returns 0
// if there is none or more than one. forwards is whether all that it may be are processes
// of sshd for a login, which listen for remote forwards (ssh -R) and X11.
func (f *finder) probableHolder(path string) (pid int, forwards bool) {
	var logins, others []int
	for _, pid := range f.protectedProcesses() {
		if _, effective := usersOf(pid); effective != f.uid || path != "" && cgroupPath(pid) != path {
			continue
		}
		switch title := titleOf(pid); {
		case monitor.IsSSHSession(title) && !strings.HasSuffix(title, " [priv]"):
			logins = append(logins, pid)
		case !slices.Contains(neverListen, commOf(pid)):
			others = append(others, pid)
		}
	}
	unit := unitOf(path)
	isLogin := strings.HasPrefix(unit, "session-") && strings.HasSuffix(unit, ".scope")
	switch {
	case len(logins) == 1 && (len(others) == 0 || isLogin):
		return logins[0], true
	case len(logins) > 1 && len(others) == 0:
		return 0, true
	case len(logins) == 0 && len(others) == 1 && path != "" && !isLogin: // the scope of a login contains many programs
		return others[0], false
	}
	return 0, false
}

// neverListen are protected programs that most users run, by the names that the kernel
// gives them. They listen on Unix sockets only.
var neverListen = []string{"ssh-agent", "(sd-pam)", "gnome-keyring-d", "fusermount", "fusermount3"}

// titleOf returns the first argument of a process, or the title that it wrote there.
func titleOf(pid int) string {
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	title, _, _ := bytes.Cut(command, []byte{0})
	return string(title)
}

func commOf(pid int) string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(comm), "\n")
}

// cgroupPath returns the path of the cgroup2 group of a process; "" if it is not known
// or the root.
func cgroupPath(pid int) string {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(groups)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(strings.TrimSuffix(path, "\n"), "/")
		}
	}
	return ""
}

// refuses reports whether the descriptors of pid may not be read by this user. Reading the
// folder is not enough: of a process with more capabilities than this one (a service with
// AmbientCapabilities) its user may list the descriptors, but not follow them
// (proc_pid_fd(5), ptrace access mode PTRACE_MODE_READ_FSCREDS).
func refuses(pid int) bool {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	dir, err := os.Open(folder)
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(1) // none if it has exited
	if len(names) == 0 {
		return false
	}
	_, err = os.Readlink(folder + "/" + names[0])
	return errors.Is(err, fs.ErrPermission)
}

// usersOf returns the real and the effective user ID of pid, which everybody may read
// (proc_pid_status(5)); -1 if it has exited.
func usersOf(pid int) (real, effective int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return -1, -1
	}
	for line := range bytes.Lines(status) {
		ids, ok := bytes.CutPrefix(line, []byte("Uid:"))
		if fields := bytes.Fields(ids); ok && len(fields) > 1 {
			real, realErr := strconv.Atoi(string(fields[0]))
			effective, err := strconv.Atoi(string(fields[1]))
			if realErr == nil && err == nil {
				return real, effective
			}
		}
	}
	return -1, -1
}
