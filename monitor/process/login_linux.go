package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// logins is the folder in which systemd-logind keeps a file for each login session. It is
// where sd_session_get_state(3) reads the state.
const logins = "/run/systemd/sessions"

// maxLogin is the size that a file of a session may have, in bytes. It has about 500.
const maxLogin = 16 << 10

// loginEnded reports whether the login session whose scope unit is ("session-3.scope") is
// closing: the user has logged out, and processes of the session still run. A session that
// dir does not have is not known to have ended: it may be that of another machine or
// container.
func loginEnded(dir, unit string) bool {
	id, isSession := strings.CutPrefix(unit, "session-")
	id, isScope := strings.CutSuffix(id, ".scope")
	if !isSession || !isScope || id == "" || id != filepath.Base(id) {
		return false
	}
	path := filepath.Join(dir, id)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxLogin {
		return false
	}
	b, err := os.ReadFile(path)
	return err == nil && slices.Contains(strings.Split(string(b), "\n"), "STATE=closing")
}

// terminalClosed reports whether a standard stream of pid is a pseudo terminal that no
// longer exists: the kernel removes its file when the terminal emulator closes it, also if
// another terminal gets the same number later (Linux, fs/devpts/inode.c).
func terminalClosed(pid int) bool {
	for fd := range 3 {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		if err == nil && strings.HasPrefix(link, "/dev/pts/") && strings.HasSuffix(link, deleted) {
			return true
		}
	}
	return false
}
