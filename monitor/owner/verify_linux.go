package owner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// This file checks whether holdings still exist.

// fdCheck is the descriptor count of a process before all its holdings were
// checked.
type fdCheck struct {
	fdCount
	at time.Time
}

// fdCheckTTL is how long an unchanged descriptor count, read with one stat(2),
// means that a process still holds everything: it could have closed one
// descriptor and opened another.
const fdCheckTTL = 5 * time.Second

// liveness records that a process was alive: its start, the inode number of its
// fd folder, and when.
type liveness struct {
	start, folder uint64
	at            time.Time
}

// livenessTTL is how long liveness is valid for further holdings of the process.
const livenessTTL = 10 * time.Millisecond

// Verify implements monitor.Finder. It checks the descriptor of each holding,
// except those of processes whose descriptor count has not changed for a while.
// A holding that cannot be checked now still exists.
func (f *finder) Verify(holdings []monitor.Holding) (gone, changed []monitor.Holding) {
	pid, unchanged := 0, false
	var executed *monitor.Owner
	for _, h := range holdings {
		if h.Owner.PID != pid {
			pid, unchanged, executed = h.Owner.PID, f.fdsUnchanged(h.Owner.PID), f.executed(h.Owner)
		}
		switch {
		case !unchanged && !f.holds(h) && canReadProc():
			gone = append(gone, h)
		case executed != nil:
			h.Owner = *executed
			changed = append(changed, h)
		}
	}
	return gone, changed
}

// executed returns what the process of o has become if it has executed another program
// since it was last read, otherwise nil.
func (f *finder) executed(o monitor.Owner) *monitor.Owner {
	before, ok := f.programs[o.PID]
	if mark := f.programMark(o.PID); !ok || mark == 0 || mark == before {
		return nil
	}
	now, err := f.owner(o.PID)
	if err != nil || !now.Same(o) {
		return nil
	}
	return &now
}

// programMark returns a number that changes when pid executes a program, even the same
// one: where its stack begins, which the kernel chooses at random at each execve(2)
// (field 28 of /proc/PID/stat, proc_pid_stat(5)). It is 0 if it may not be read. Reading
// it costs some microseconds, and does not wait for the memory of the process.
func (f *finder) programMark(pid int) uint64 {
	f.path = append(strconv.AppendInt(append(f.path[:0], "/proc/"...), int64(pid), 10), "/stat\x00"...)
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, atFDCWD, uintptr(unsafe.Pointer(&f.path[0])), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, fd, uintptr(unsafe.Pointer(&f.buffers.entries[0])), uintptr(len(f.buffers.entries)), 0, 0, 0)
	_ = unix.Close(int(fd)) // nothing was written to it
	if errno != 0 {
		return 0
	}
	return stackStart(f.buffers.entries[:n])
}

// stackStart parses field 28 of /proc/PID/stat, 0 if it is missing.
func stackStart(stat []byte) (start uint64) {
	const field, firstAfterName = 28, 3
	rest := stat[bytes.LastIndexByte(stat, ')')+1:]
	for i := firstAfterName; i < field; i++ {
		rest = bytes.TrimLeft(rest, " ")
		rest = rest[max(bytes.IndexByte(rest, ' '), 0):]
	}
	for _, c := range bytes.TrimLeft(rest, " ") {
		if c < '0' || c > '9' {
			break
		}
		start = start*10 + uint64(c-'0')
	}
	return start
}

// fdsUnchanged reports whether pid has as many descriptors as when fdsUnchanged
// last returned false, which is less than fdCheckTTL ago. After false, all
// holdings of the process are to be checked. The inode number of the folder shows
// that it is the same process.
func (f *finder) fdsUnchanged(pid int) bool {
	now := time.Now()
	before := f.fdChecks[pid]
	current, exists := f.countFDsOf(pid)
	if exists && current == before.fdCount && current.descriptors > 0 && now.Before(before.at.Add(fdCheckTTL)) {
		return true
	}
	f.fdChecks[pid] = fdCheck{current, now}
	return false
}

// holds checks the descriptor of a holding.
func (f *finder) holds(h monitor.Holding) bool {
	if !f.isAlive(h.Owner) {
		return false
	}
	inode, err := f.inodeOf(fmt.Sprintf("/proc/%d/fd/%d", h.Owner.PID, h.FD))
	if inode == h.Inode {
		return true
	}
	// The main thread may have exited: check the others.
	denied := errors.Is(err, fs.ErrPermission)
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", h.Owner.PID))
	if err != nil {
		return false
	}
	for _, t := range tasks {
		inode, err := f.inodeOf(fmt.Sprintf("/proc/%d/task/%s/fd/%d", h.Owner.PID, t.Name(), h.FD))
		if inode == h.Inode {
			return true
		}
		denied = denied && errors.Is(err, fs.ErrPermission)
	}
	return denied // by every thread: it now runs as another user, and the next search decides
}

// canReadProc reports whether /proc can be read at all: this process is alive.
func canReadProc() bool {
	fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	_ = unix.Close(fd) // nothing was written to it
	return true
}

// isAlive reports whether the process of o is alive, with one read for all its
// holdings. As long as its fd folder is the same it is the same process; checking
// that costs a fifth of reading its start.
func (f *finder) isAlive(o monitor.Owner) bool {
	now, l := time.Now(), f.liveness[o.PID]
	if l.start == o.Start && now.Sub(l.at) < livenessTTL {
		return true
	}
	current, exists := f.countFDsOf(o.PID)
	same := exists && current.descriptors > 0 && l.start == o.Start && l.folder == current.folder
	if !same && !process.IsAlive(o.PID, o.Start) {
		return false
	}
	f.liveness[o.PID] = liveness{o.Start, current.folder, now}
	return true
}

// inodeOf returns the inode number of the socket that the link at path points to,
// 0 if it points to anything else. The target itself is not opened: it may be on
// a disk that never answers.
func (f *finder) inodeOf(path string) (uint64, error) {
	f.path = append(append(f.path[:0], path...), 0)
	link, err := readlink(unix.AT_FDCWD, f.path, f.buffers.link[:])
	return socketInode(link), err
}
