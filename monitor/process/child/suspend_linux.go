package child

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Suspend sends SIGSTOP to a process and waits until all of its threads have
// stopped (state T, proc_pid_stat(5)): kill(2) returns earlier, and a thread may
// still answer a request meanwhile.
func Suspend(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("suspend process %d: %v", pid, err)
	}
	for end := time.Now().Add(10 * time.Second); !isStopped(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d did not stop in 10 s after SIGSTOP", pid)
		}
	}
}

func isStopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		if _, state, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')'):], []byte(" ")); len(state) == 0 || state[0] != 'T' {
			return false
		}
	}
	return err == nil && len(threads) > 0
}
