package owner

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// This file reads which of the sockets that are searched a process holds. That is
// nearly all of what a search through all processes costs.

// match is one of the sockets that are searched, and the descriptor for it.
type match struct {
	socket monitor.SocketID
	inode  uint64
	fd     int
}

// readResult is what one process was seen to hold. An error means that it may not be
// read, or that it has ended.
type readResult struct {
	held []match
	seen map[monitor.SocketID]bool // held has them already; nil where there are none
	err  error
}

// A search through all processes is somebody's wait: it uses several cores, and
// tells in between what it found.
const (
	batchSize  = 32 // processes
	maxReaders = 4  // goroutines
)

// read reads each of pids, several at the same time where there are several. It
// returns when all is read.
func (f *finder) read(pids []int) []readResult {
	all := make([]readResult, len(pids))
	if len(pids) > 1 {
		var next atomic.Int64
		var readers sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), maxReaders) {
			readers.Go(func() {
				m := new(readBuffers)
				for i := int(next.Add(1)) - 1; i < len(pids); i = int(next.Add(1)) - 1 {
					all[i] = f.readProcess(pids[i], m)
				}
			})
		}
		readers.Wait()
	}
	for i, pid := range pids {
		if len(pids) == 1 || outOfResources(all[i].err) { // by the other readers, it may be
			all[i] = f.readProcess(pid, &f.buffers)
		}
	}
	return all
}

// readBuffers is what a reader reads into.
type readBuffers struct {
	entries [8 << 10]byte
	link    [64]byte
}

// readProcess changes nothing of f.
func (f *finder) readProcess(pid int, m *readBuffers) readResult {
	n, r := f.readFolder(fmt.Sprintf("/proc/%d/fd", pid), m)
	if n > 0 || outOfResources(r.err) || (r.err != nil && !f.isMine(pid)) {
		return r
	}
	// The main thread has ended, which makes its folder empty, and root's; or
	// there are no descriptors at all. Other threads may still share some.
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	r = readResult{err: err}
	for _, t := range tasks {
		if n, r = f.readFolder(fmt.Sprintf("/proc/%d/task/%s/fd", pid, t.Name()), m); n > 0 || outOfResources(r.err) {
			break
		}
	}
	return r
}

// readFolder reads one folder of descriptors, and returns how many there are.
func (f *finder) readFolder(path string, m *readBuffers) (n int, r readResult) {
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, readResult{err: err}
	}
	defer func() { _ = unix.Close(dir) }() // nothing was written to it
	for {
		size, err := unix.Getdents(dir, m.entries[:])
		if err != nil && n == 0 {
			return 0, readResult{err: err}
		}
		if err != nil || size <= 0 {
			return n, r
		}
		n += f.readEntries(dir, m.entries[:size], m.link[:], &r)
	}
}

// readEntries follows what getdents64(2) gave: a length in two bytes at 16, and at
// 19 a name that ends in a zero byte. It returns how many descriptors these are.
func (f *finder) readEntries(dir int, entries, link []byte, r *readResult) (n int) {
	const lengthAt, nameAt = 16, 19
	for len(entries) > nameAt {
		length := int(binary.NativeEndian.Uint16(entries[lengthAt:]))
		if length <= nameAt || length > len(entries) {
			break
		}
		name := entries[nameAt:length]
		entries = entries[length:]
		if name[0] < '0' || name[0] > '9' { // "." and ".."
			continue
		}
		n++
		to, _ := readlink(dir, name, link) // nothing where it was closed meanwhile
		inode := socketInode(to)
		id, ok := f.inodes[inode]
		if !ok || r.seen[id] {
			continue
		}
		if r.seen == nil {
			r.seen = make(map[monitor.SocketID]bool)
		}
		r.seen[id] = true
		fd, _ := strconv.Atoi(unix.ByteSliceToString(name)) // the kernel names them by number
		r.held = append(r.held, match{id, inode, fd})
	}
	return n
}

// readlink reads the link that name, which ends in a zero byte, is in dir. It does
// not wait, and Go's runtime is not told of it: that would cost as much as it takes.
func readlink(dir int, name, link []byte) ([]byte, error) {
	n, _, err := unix.RawSyscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&link[0])), uintptr(len(link)), 0, 0)
	if err != 0 {
		return nil, err
	}
	return link[:n], nil
}
