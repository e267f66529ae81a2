package owner

import (
	"bytes"
	"fmt"
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
// it.
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

// refuses reports whether the descriptors of pid may not be read by this user.
func refuses(pid int) bool {
	dir, err := unix.Open(fmt.Sprintf("/proc/%d/fd", pid), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(dir) // nothing was written to it
	}
	return err == unix.EACCES || err == unix.EPERM
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
