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

// pollInterval is how long a wait takes notice of nothing else.
const pollInterval = 50 * time.Millisecond

// processHandle holds a process by its number, and looks each time whether that still
// means the same one. On Windows that is a handle, which keeps the number from
// being given again.
type processHandle struct {
	owner   monitor.Owner
	process *os.Process
}

func openByPID(o monitor.Owner) (handle, error) {
	p, err := os.FindProcess(o.PID)
	if err != nil {
		return nil, err
	}
	return processHandle{o, p}, nil
}

func (n processHandle) ended() (bool, error) {
	return !process.IsAlive(n.owner.PID, n.owner.Start), nil
}

func (n processHandle) signal(s syscall.Signal) error {
	if ended, _ := n.ended(); ended { // it has no error
		return os.ErrProcessDone
	}
	if runtime.GOOS == "windows" && s != syscall.SIGKILL {
		return ErrKillOnly
	}
	err := n.process.Signal(s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (n processHandle) wait() (bool, error) {
	if ended, _ := n.ended(); ended { // it has no error
		return true, nil
	}
	time.Sleep(pollInterval)
	return n.ended()
}

func (n processHandle) close() { _ = n.process.Release() } // nothing is left of it either way
