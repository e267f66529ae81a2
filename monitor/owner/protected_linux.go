package owner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// protectedTTL is how long the answer of hasProtected is cached, because a search
// needs it for each socket without an owner.
const protectedTTL = 2 * time.Second

// protectedCheck is the last answer of hasProtected.
type protectedCheck struct {
	found bool
	at    time.Time
}

// hasProtected reports whether a process of this user runs that this user may not
// inspect: the kernel makes its files in /proc root's (proc(5), prctl(2),
// PR_SET_DUMPABLE). That holds for programs with file capabilities, setuid or setgid
// programs, programs whose file the user may not read, and processes that asked for
// it. It also refuses processes with more capabilities than this one.
func (f *finder) hasProtected() bool {
	if now := time.Now(); now.Sub(f.protected.at) > protectedTTL {
		f.protected = protectedCheck{f.findProtected(), now}
	}
	return f.protected.found
}

func (f *finder) findProtected() bool {
	dir, err := os.Open("/proc")
	if err != nil {
		return false
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
		if (int(stat.Uid) == f.uid || realUser(pid) == f.uid) && refuses(pid) {
			return true
		}
	}
	return false
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

// realUser returns the real user ID of pid, which everybody may read
// (proc_pid_status(5)); -1 if it has exited.
func realUser(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return -1
	}
	for line := range bytes.Lines(status) {
		if ids, ok := bytes.CutPrefix(line, []byte("Uid:")); ok {
			if fields := bytes.Fields(ids); len(fields) > 0 {
				if uid, err := strconv.Atoi(string(fields[0])); err == nil {
					return uid
				}
			}
		}
	}
	return -1
}
