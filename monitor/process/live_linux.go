package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
)

// readStat reads /proc/PID/stat: whether the terminal of pid is gone, whether the
// shell of which it is a job is, and the resources that it uses.
func readStat(pid int) (sessionLeaderEnded, shellEnded bool, used monitor.Resources) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false, false, used // it has exited
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	session := sessionOf(fields)
	return sessionLeaderExited(pid, session), isJobOfEndedShell(int(statField(fields, 5)), session), usageOf(fields)
}

// isJobOfEndedShell reports whether a process is a background job of a shell that has
// ended: an interactive shell leads the session, and gives each job a process group of
// its own. A daemon is in the group of the session that it created, even after it forked
// again. A group or session of 0 is from outside the container.
func isJobOfEndedShell(group, session int) bool {
	if session == 0 || group == 0 || group == session {
		return false
	}
	_, _, err := startOf(session)
	return err != nil
}

// sessionLeaderExited reports whether pid still has a terminal among its first
// three descriptors while the leader of its session has exited: it was started in a
// terminal that has been closed. A daemon that left its terminal on purpose has
// closed these descriptors. The PID of a session leader is not reused as long as
// the session has a process.
func sessionLeaderExited(pid, leader int) bool {
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

// sessionOf returns field 6 of /proc/PID/stat (proc_pid_stat(5)), 0 if it is
// missing; fields begins with field 3, after the name. Inside a container, a
// session from outside is 0 too.
func sessionOf(fields [][]byte) int { return int(statField(fields, 6)) }

// usageOf returns fields 14 and 15, 20 and 24 of /proc/PID/stat.
func usageOf(fields [][]byte) monitor.Resources {
	ticks := statField(fields, 14) + statField(fields, 15)
	return monitor.Resources{
		Threads: int(statField(fields, 20)), Memory: statField(fields, 24) * uint64(os.Getpagesize()),
		CPU: time.Duration(ticks) * time.Second / ticksPerSecond,
	}
}

// statField returns field n of /proc/PID/stat, 0 if it is missing or not a number.
func statField(fields [][]byte, n int) uint64 {
	if n-3 >= len(fields) {
		return 0
	}
	value, _ := strconv.ParseUint(string(fields[n-3]), 10, 63) // 0 if it is not a number
	return value
}

// preload returns the LD_PRELOAD that pid was started with, which only its user and
// root may read.
func preload(pid int) string {
	b, _ := environment(pid) // a partial result may contain it
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte("LD_PRELOAD=")); ok {
			return string(value)
		}
	}
	return ""
}

// environment returns the environment that pid was started with: NAME=value, each
// terminated by a zero byte (proc_pid_environ(5)).
func environment(pid int) ([]byte, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil, fmt.Errorf("read the environment of process %d: %w", pid, err) // denied, or it has exited
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxEnvironment))
	if err != nil {
		return b, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	return b, nil
}
