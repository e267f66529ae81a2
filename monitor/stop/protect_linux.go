package stop

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"porthole/monitor"
)

// sessionsDir is where systemd-logind describes the login sessions, one file each
// (sd_session_get_leader(3) reads LEADER= from it, too).
var sessionsDir = "/run/systemd/sessions"

// isSessionLeader reports whether o leads a login session: the process that logind
// was asked to open it for. The server side of an SSH login does not count: ending
// it closes a forwarded port that a dead client left open.
func isSessionLeader(o monitor.Owner) bool {
	if strings.HasPrefix(o.ProgramName(), "sshd") {
		return false
	}
	files, _ := filepath.Glob(sessionsDir + "/*") // the pattern is valid
	leader := []byte("LEADER=" + strconv.Itoa(o.PID))
	for _, f := range files {
		if strings.HasSuffix(f, ".ref") { // a pipe, which would block
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the session has ended
		}
		for line := range bytes.Lines(text) {
			if bytes.Equal(bytes.TrimSpace(line), leader) {
				return true
			}
		}
	}
	return false
}
