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

// readStat reads what /proc/PID/stat tells of pid: whether it was left behind, and
// what it uses.
func readStat(pid int) (left bool, used monitor.Resources) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false, used // it has ended
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return sessionLeaderExited(pid, sessionOf(fields)), usageOf(fields)
}

// sessionLeaderExited reports whether pid still has a descriptor of a terminal among the
// first three while the leader of its session has ended: it was started in a
// terminal that is no more. A daemon that left its terminal on purpose has closed
// them. A session's number is given to no other process as long as one is in it.
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

// sessionOf reads field 6 of /proc/PID/stat (proc_pid_stat(5)), 0 where it is
// not there; fields are those behind the name, from field 3 on. A session from
// outside a container is 0 too.
func sessionOf(fields [][]byte) int { return int(statField(fields, 6)) }

// usageOf reads fields 14 and 15, 20 and 24 of /proc/PID/stat.
func usageOf(fields [][]byte) monitor.Resources {
	ticks := statField(fields, 14) + statField(fields, 15)
	return monitor.Resources{
		Threads: int(statField(fields, 20)), Memory: statField(fields, 24) * uint64(os.Getpagesize()),
		CPU: time.Duration(ticks) * time.Second / ticksPerSecond,
	}
}

// statField reads the field with that number of /proc/PID/stat, 0 where it is none.
func statField(fields [][]byte, n int) uint64 {
	if n-3 >= len(fields) {
		return 0
	}
	value, _ := strconv.ParseUint(string(fields[n-3]), 10, 63) // as it says
	return value
}

// preload returns LD_PRELOAD as pid was started with it; only its user and root
// may see that.
func preload(pid int) string {
	b, _ := environment(pid) // what was read so far may have it
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte("LD_PRELOAD=")); ok {
			return string(value)
		}
	}
	return ""
}

// environment reads what pid was started with, NAME=value, each ended by a zero
// byte (proc_pid_environ(5)).
func environment(pid int) ([]byte, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil, fmt.Errorf("read the environment of process %d: %w", pid, err) // refused, or it has ended
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxEnvironment))
	if err != nil {
		return b, fmt.Errorf("read the environment of process %d: %w", pid, err)
	}
	return b, nil
}
