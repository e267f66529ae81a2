package stop

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// pollInterval is how long one wait blocks.
const pollInterval = 50 * time.Millisecond

// processHandle is a handle based on the PID that verifies on each call that the
// PID still belongs to the same process. On Windows os.Process has an open
// handle, which keeps the PID from being reused.
type processHandle struct {
	owner   monitor.Owner
	process *os.Process
}

// openByPID returns a processHandle.
func openByPID(o monitor.Owner) (handle, error) {
	p, err := os.FindProcess(o.PID)
	if err != nil {
		return nil, err
	}
	return processHandle{o, p}, nil
}

func (h processHandle) ended() (bool, error) {
	return !process.IsAlive(h.owner.PID, h.owner.Start), nil
}

func (h processHandle) signal(s syscall.Signal) error {
	if ended, _ := h.ended(); ended { // never fails
		return os.ErrProcessDone
	}
	if runtime.GOOS == "windows" && s != syscall.SIGKILL {
		return ErrKillOnly
	}
	err := h.process.Signal(s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (h processHandle) wait() (bool, error) {
	if ended, _ := h.ended(); ended { // never fails
		return true, nil
	}
	time.Sleep(pollInterval)
	return h.ended()
}

func (h processHandle) close() { _ = h.process.Release() } // there is nothing to do about an error
