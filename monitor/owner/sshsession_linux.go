package owner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"porthole/monitor"
)

// sshSession returns the process of sshd that serves the login whose scope is at
// path, 0 if there is none. The process belongs to the user, who may not read
// its descriptors. A port without a visible holder that was opened in the scope
// of a login is therefore probably one that sshd forwards.
func (c *cgroupIndex) sshSession(path string) int {
	if unit := unitOf(path); !strings.HasPrefix(unit, "session-") || !strings.HasSuffix(unit, ".scope") {
		return 0
	}
	b, err := os.ReadFile(c.root + path + "/cgroup.procs")
	if err != nil {
		return 0
	}
	found := 0
	for _, text := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(text)
		if err != nil || !isUnreadableSSHSession(pid) {
			continue
		}
		if found != 0 {
			return 0 // one of several
		}
		found = pid
	}
	return found
}

// isUnreadableSSHSession reports whether pid is a process of sshd for a login,
// except for the part that keeps running as root ("sshd: ann [priv]"), and may
// not be read.
func isUnreadableSSHSession(pid int) bool {
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	title, _, _ := bytes.Cut(command, []byte{0})
	if !monitor.IsSSHSession(string(title)) || bytes.HasSuffix(title, []byte(" [priv]")) {
		return false
	}
	_, err = os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return errors.Is(err, fs.ErrPermission)
}
