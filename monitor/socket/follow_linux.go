package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// followed is a set of processes of which the kernel tells the end: an epoll(7)
// of their pidfds, which is one descriptor for whoever waits. What cannot be
// followed is not: whoever asks verifies in time anyway.
type followed struct {
	set  int         // the epoll, -1 where there is none
	pids map[int]int // the pidfd of each; -1 where it cannot be had, or the process has ended
}

// maxFollowed bounds the descriptors that pidfds take: 1,024 is how many a
// process may have where nobody raised it.
const maxFollowed = 256

func newFollowed() *followed {
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		set = -1
	}
	return &followed{set: set, pids: make(map[int]int)}
}

// follow makes pids the whole set.
func (f *followed) follow(pids []int) {
	if f.set < 0 {
		return
	}
	wanted := make(map[int]bool, len(pids))
	for _, pid := range pids[:min(len(pids), maxFollowed)] {
		wanted[pid] = true
		if _, ok := f.pids[pid]; !ok {
			f.pids[pid] = f.open(pid)
		}
	}
	for pid := range f.pids {
		if !wanted[pid] {
			f.let(pid)
			delete(f.pids, pid)
		}
	}
}

// open returns a pidfd that is in the set, -1 where it cannot be had: another
// user's processes can be followed too, but there may be too many descriptors,
// or a kernel before 5.3.
func (f *followed) open(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	if err := unix.EpollCtl(f.set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid)}); err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return -1
	}
	return fd
}

// let closes the pidfd of pid, which takes it out of the set.
func (f *followed) let(pid int) {
	if fd := f.pids[pid]; fd >= 0 {
		_ = unix.Close(fd) // nothing was written to it
		f.pids[pid] = -1
	}
}

// reap lets go of those that have ended, each of which is told once, and
// reports whether there were any.
func (f *followed) reap() bool {
	var events [16]unix.EpollEvent
	ended := false
	for {
		n, err := unix.EpollWait(f.set, events[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		for _, e := range events[:max(n, 0)] {
			f.let(int(e.Fd))
			ended = true
		}
		if n < len(events) {
			return ended
		}
	}
}

func (f *followed) close() error {
	for pid := range f.pids {
		f.let(pid)
	}
	if f.set < 0 {
		return nil
	}
	return unix.Close(f.set)
}
