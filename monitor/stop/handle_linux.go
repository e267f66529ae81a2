package stop

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// pidfd is a handle based on a descriptor (pidfd_open(2), Linux 5.3), which
// always refers to the same process.
type pidfd int

// openHandle opens a pidfd, or a processHandle if the kernel has none.
func openHandle(o monitor.Owner) (handle, error) {
	fd, err := unix.PidfdOpen(o.PID, 0)
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM): // an old kernel, or a sandbox that blocks the call
		return openByPID(o)
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT): // EINVAL, ENOENT: it is a thread
		return nil, os.ErrProcessDone
	case err != nil:
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return pidfd(fd), nil
}

func (fd pidfd) signal(s syscall.Signal) error {
	err := unix.PidfdSendSignal(int(fd), s, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("pidfd_send_signal", err)
}

func (fd pidfd) ended() (bool, error) { return fd.poll(0) }
func (fd pidfd) wait() (bool, error)  { return fd.poll(pollInterval) }

// poll reports whether the process has ended. A pidfd becomes readable when the
// process ends, even before the parent has collected the exit status.
func (fd pidfd) poll(d time.Duration) (bool, error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(d.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, os.NewSyscallError("poll", err)
}

func (fd pidfd) close() { _ = unix.Close(int(fd)) } // nothing was written to it
