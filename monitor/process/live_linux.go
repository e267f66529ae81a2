package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// leaderEnded reports whether pid still has a descriptor of a terminal among the
// first three while the leader of its session has ended: it was started in a
// terminal that is no more. A daemon that left its terminal on purpose has closed
// them. A session's number is given to no other process as long as one is in it.
func leaderEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false // it has ended
	}
	leader := sessionOf(stat)
	if leader == 0 || leader == pid {
		return false
	}
	if _, _, err := startOf(leader); err == nil {
		return false
	}
	for fd := range 3 {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		if err == nil && (strings.HasPrefix(link, "/dev/pts/") || strings.HasPrefix(link, "/dev/tty")) {
			return true
		}
	}
	return false
}

// sessionOf reads field 6 of /proc/PID/stat (proc_pid_stat(5)), 0 where it is
// not there. A session from outside a container is 0 too.
func sessionOf(stat []byte) int {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return 0
	}
	session, _ := strconv.Atoi(string(fields[3])) // 0 where it is no number
	return session
}

// maxEnvironment bounds how much of an environment is read.
const maxEnvironment = 1 << 20

// preload returns LD_PRELOAD as pid was started with it; only its user and root
// may see that.
func preload(pid int) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return "" // refused, or it has ended
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxEnvironment)) // what was read so far may have it
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte("LD_PRELOAD=")); ok {
			return string(value)
		}
	}
	return ""
}
