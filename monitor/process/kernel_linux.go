package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"porthole/monitor/username"
)

// nameAndParent returns the name of pid, which the kernel truncates to 15 bytes, and the
// PID of its parent: fields 2 and 4 of /proc/PID/stat (proc_pid_stat(5)). Unlike the
// command line, they can be read while the process waits for a disk.
func nameAndParent(pid int) (name string, parent int, _ error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return "", 0, fmt.Errorf("stat of process %d has no name", pid)
	}
	return string(stat[begin+1 : end]), int(statField(bytes.Fields(stat[end+1:]), 4)), nil
}

// arguments returns the command line of pid (proc_pid_cmdline(5)), nil if it may not be
// read. Of one that is longer than truncateCommand keeps, it reads a part: two megabytes
// take long on a busy machine.
func arguments(pid int) []string {
	file, err := os.Open(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, 4*maxCommand)) // empty if the process has exited
	if len(text) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimRight(text, "\x00")), "\x00")
}

// userOf returns the name and the number of the user of pid, which everybody may read in
// /proc/PID/status.
func userOf(pid int) (name, id string) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", ""
	}
	uid, ok := userIn(status)
	if !ok {
		return "", ""
	}
	return username.Of(uid), strconv.FormatUint(uint64(uid), 10)
}

// userIn returns the user in the text of /proc/PID/status: the one who started the
// process, its real user ID. A server that root started can have become another user
// and kept the right to return; then it is that one, its effective user ID. The two are
// the first numbers after "Uid:" (proc_pid_status(5)).
func userIn(status []byte) (uid uint32, ok bool) {
	for line := range bytes.Lines(status) {
		ids, ok := bytes.CutPrefix(line, []byte("Uid:"))
		fields := bytes.Fields(ids)
		if !ok || len(fields) < 2 {
			continue
		}
		started, err := strconv.ParseUint(string(fields[0]), 10, 32)
		effective, effectiveErr := strconv.ParseUint(string(fields[1]), 10, 32)
		if err != nil || effectiveErr != nil {
			continue
		}
		if started == 0 {
			return uint32(effective), true
		}
		return uint32(started), true
	}
	return 0, false
}
