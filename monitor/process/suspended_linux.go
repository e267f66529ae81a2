package process

import (
	"bytes"
	"fmt"
	"os"
)

// IsSuspended reports whether pid is suspended: by SIGSTOP, or by Ctrl+Z in a
// terminal. It is state T in /proc/PID/stat (proc_pid_stat(5)); a process that a
// debugger has stopped is in state t and does not count.
func IsSuspended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	return bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T"))
}
