package procevents

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// subscription is a netlink socket of the connector. It is not safe for concurrent use.
type subscription struct {
	fd     int
	buffer [256]byte    // an event has 76 bytes
	lost   uint64       // how often the kernel had to drop events because the socket was full
	rename func() error // renameThread, except in tests
}

// subscribe opens a socket without any events yet.
func subscribe() (*subscription, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (indexProc - 1)})
	if err != nil {
		err = fmt.Errorf("join the group of process events: %w", err)
	} else if err = unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil { // only the kernel may send to it
		err = fmt.Errorf("connect to the kernel: %w", err)
	}
	if err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return nil, err
	}
	return &subscription{fd: fd, rename: renameThread}, nil
}

// request asks for these events, in place of those asked for before.
func (s *subscription) request(operation, events uint32) error {
	if _, err := unix.Write(s.fd, request(operation, events)); err != nil {
		return fmt.Errorf("request process events: %w", err)
	}
	return nil
}

// each reads all waiting events.
func (s *subscription) each(do func(message)) {
	for {
		n, err := unix.Read(s.fd, s.buffer[:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOBUFS):
			s.lost++
		case err != nil || n <= 0:
			return
		default:
			if m, ok := parse(s.buffer[:n]); ok {
				do(m)
			}
		}
	}
}

// onlyProcesses drops the events of threads other than the first one of a process, with a
// BPF program in the kernel: the exit of a process with a thousand threads has a thousand
// events.
func (s *subscription) onlyProcesses() error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: pidOffset},
		{Code: unix.BPF_MISC | unix.BPF_TAX},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: tgidOffset},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}); err != nil {
		return fmt.Errorf("filter process events: %w", err)
	}
	return nil
}

// close gives the events up first: the kernel counts the listeners and does not notice
// when one closes its socket, so it would compose events for nobody until the next boot.
func (s *subscription) close() error {
	return errors.Join(s.request(ignore, 0), unix.Close(s.fd))
}

// errSilent means that the kernel accepted a request and ignores it.
var errSilent = errors.New("the kernel ignores the request, as it does in a container or a user namespace, and before Linux 6.6")

// probeTime is how long an event may take. In practice it arrives before the system call
// returns that causes it.
const probeTime = 100 * time.Millisecond

// probe checks with events of its own that the socket receives what it asks for, and
// nothing else. A thread that sets its name causes an event, also if the name is the same.
func (s *subscription) probe() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := s.request(listen, eventExec); err != nil {
		return err
	}
	s.each(func(message) {}) // those before the request are not filtered
	if named, err := s.nameEvent(0); err != nil || named {
		return errors.Join(err, errSilent) // it did not ask for names: these are the events that others ask for
	}
	if err := s.request(listen, eventComm); err != nil {
		return err
	}
	named, err := s.nameEvent(probeTime)
	if err == nil && !named {
		err = errSilent
	}
	return err
}

// renameThread sets the name of this thread to what it is.
func renameThread() error {
	var name [16]byte // TASK_COMM_LEN
	if err := unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&name)), 0, 0, 0); err != nil {
		return fmt.Errorf("read the name of the thread: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name)), 0, 0, 0); err != nil {
		return fmt.Errorf("set the name of the thread: %w", err)
	}
	return nil
}

// nameEvent renames this thread and reports whether its event arrives within d.
func (s *subscription) nameEvent(d time.Duration) (bool, error) {
	if err := s.rename(); err != nil {
		return false, err
	}
	found := false
	for end := time.Now().Add(d); ; {
		s.each(func(m message) { found = found || m.what == eventComm && m.pid == unix.Gettid() })
		left := time.Until(end)
		if found || left <= 0 {
			return found, nil
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
	}
}

// stateOf returns the state that the error of a subscription means, and its reason.
func stateOf(err error) (State, string) {
	switch {
	case err == nil:
		return Available, ""
	case errors.Is(err, errSilent):
		return Silent, errSilent.Error()
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return Refused, "the kernel denies it; Linux before 6.6 allows it to root only"
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, "the kernel has no process events in this network namespace"
	case errors.Is(err, syscall.EPROTONOSUPPORT), errors.Is(err, syscall.EAFNOSUPPORT):
		return Refused, "the kernel was built without the connector, or a sandbox denies netlink sockets"
	}
	return Refused, err.Error()
}
