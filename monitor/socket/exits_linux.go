package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exitWatcher is a set of processes of which the kernel tells the end: an epoll(7)
// of their pidfds, which is one descriptor for whoever waits. What cannot be
// followed is not: whoever asks verifies in time anyway.
type exitWatcher struct {
	epoll int         // the epoll, -1 where there is none
	pids  map[int]int // the pidfd of each; -1 where it cannot be had, or the process has ended
}

// maxWatched bounds the descriptors that pidfds take: 1,024 is how many a
// process may have where nobody raised it.
const maxWatched = 256

func newExitWatcher() *exitWatcher {
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		set = -1
	}
	return &exitWatcher{epoll: set, pids: make(map[int]int)}
}

// watch makes pids the whole set.
func (f *exitWatcher) watch(pids []int) {
	if f.epoll < 0 {
		return
	}
	wanted := make(map[int]bool, len(pids))
	for _, pid := range pids[:min(len(pids), maxWatched)] {
		wanted[pid] = true
		if _, ok := f.pids[pid]; !ok {
			f.pids[pid] = f.open(pid)
		}
	}
	for pid := range f.pids {
		if !wanted[pid] {
			f.closePidfd(pid)
			delete(f.pids, pid)
		}
	}
}

// open returns a pidfd that is in the set, -1 where it cannot be had: another
// user's processes can be followed too, but there may be too many descriptors,
// or a kernel before 5.3.
func (f *exitWatcher) open(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	if err := unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid)}); err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return -1
	}
	return fd
}

// closePidfd closes the pidfd of pid, which takes it out of the set.
func (f *exitWatcher) closePidfd(pid int) {
	if fd := f.pids[pid]; fd >= 0 {
		_ = unix.Close(fd) // nothing was written to it
		f.pids[pid] = -1
	}
}

// reap lets go of those that have ended, each of which is told once, and
// reports whether there were any.
func (f *exitWatcher) reap() bool {
	var events [16]unix.EpollEvent
	ended := false
	for {
		n, err := unix.EpollWait(f.epoll, events[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		for _, e := range events[:max(n, 0)] {
			f.closePidfd(int(e.Fd))
			ended = true
		}
		if n < len(events) {
			return ended
		}
	}
}

func (f *exitWatcher) close() error {
	for pid := range f.pids {
		f.closePidfd(pid)
	}
	if f.epoll < 0 {
		return nil
	}
	return unix.Close(f.epoll)
}
