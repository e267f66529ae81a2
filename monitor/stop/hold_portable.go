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

// moment is how long a wait takes notice of nothing else.
const moment = 50 * time.Millisecond

// numbered holds a process by its number, and looks each time whether that still
// means the same one. On Windows that is a handle, which keeps the number from
// being given again.
type numbered struct {
	owner monitor.Owner
	found *os.Process
}

func holdByNumber(o monitor.Owner) (handle, error) {
	p, err := os.FindProcess(o.PID)
	if err != nil {
		return nil, err
	}
	return numbered{o, p}, nil
}

func (n numbered) ended() (bool, error) { return !process.Lives(n.owner.PID, n.owner.Start), nil }

func (n numbered) signal(s syscall.Signal) error {
	if ended, _ := n.ended(); ended { // it has no error
		return os.ErrProcessDone
	}
	if runtime.GOOS == "windows" && s != syscall.SIGKILL {
		return ErrOnlyForce
	}
	err := n.found.Signal(s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (n numbered) wait() (bool, error) {
	if ended, _ := n.ended(); ended { // it has no error
		return true, nil
	}
	time.Sleep(moment)
	return n.ended()
}

func (n numbered) close() { _ = n.found.Release() } // nothing is left of it either way
