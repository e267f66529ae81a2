package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

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

// userOf returns the name and the number of the user who started pid, which everybody
// may read: the first number after "Uid:" in /proc/PID/status (proc_pid_status(5)).
func userOf(pid int) (name, id string) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", ""
	}
	for line := range bytes.Lines(status) {
		ids, ok := bytes.CutPrefix(line, []byte("Uid:"))
		if fields := bytes.Fields(ids); ok && len(fields) > 0 {
			if uid, err := strconv.ParseUint(string(fields[0]), 10, 32); err == nil {
				return username.Of(uint32(uid)), string(fields[0])
			}
		}
	}
	return "", ""
}
