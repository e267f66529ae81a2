package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exitWatcher watches processes for their exit: an epoll(7) of their pidfds,
// which is a single descriptor for the waiter. Processes that cannot be watched
// are skipped: the monitor verifies holders regularly anyway.
type exitWatcher struct {
	epoll int         // -1 if there is none
	pids  map[int]int // the pidfd of each process; -1 if it has none or has exited
}

// maxWatched limits the number of pidfds: by default a process may have 1,024
// descriptors.
const maxWatched = 256

func newExitWatcher() *exitWatcher {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		epoll = -1
	}
	return &exitWatcher{epoll: epoll, pids: make(map[int]int)}
}

// watch replaces the set of processes.
func (w *exitWatcher) watch(pids []int) {
	if w.epoll < 0 {
		return
	}
	wanted := make(map[int]bool, len(pids))
	for _, pid := range pids[:min(len(pids), maxWatched)] {
		wanted[pid] = true
		if _, ok := w.pids[pid]; !ok {
			w.pids[pid] = w.open(pid)
		}
	}
	for pid := range w.pids {
		if !wanted[pid] {
			w.closePidfd(pid)
			delete(w.pids, pid)
		}
	}
}

// open returns a pidfd that is in the set, -1 if there is none. Other users'
// processes can be watched too, but there may be too many descriptors, or the
// kernel may be older than 5.3.
func (w *exitWatcher) open(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid)}); err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return -1
	}
	return fd
}

// closePidfd closes the pidfd of pid, which removes it from the set.
func (w *exitWatcher) closePidfd(pid int) {
	if fd := w.pids[pid]; fd >= 0 {
		_ = unix.Close(fd) // nothing was written to it
		w.pids[pid] = -1
	}
}

// reap closes the pidfds of the processes that have exited, so that each is
// reported once, and reports whether there were any.
func (w *exitWatcher) reap() bool {
	var events [16]unix.EpollEvent
	exited := false
	for {
		n, err := unix.EpollWait(w.epoll, events[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		for _, e := range events[:max(n, 0)] {
			w.closePidfd(int(e.Fd))
			exited = true
		}
		if n < len(events) {
			return exited
		}
	}
}

func (w *exitWatcher) close() error {
	for pid := range w.pids {
		w.closePidfd(pid)
	}
	if w.epoll < 0 {
		return nil
	}
	return unix.Close(w.epoll)
}
