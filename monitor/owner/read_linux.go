package owner

import (
	"bytes"
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

// This file reads which of the wanted sockets a process holds. That is nearly the
// whole cost of a search through all processes.

// match is one of the wanted sockets, and its descriptor.
type match struct {
	socket monitor.SocketID
	inode  uint64
	fd     int
}

// readResult contains the wanted sockets that one process holds. An error means
// that it may not be read, or that it has exited.
type readResult struct {
	held []match
	seen map[monitor.SocketID]bool // the sockets in held; nil if there are none
	ring bool                      // it uses io_uring
	err  error
}

// Somebody may be waiting for a search through all processes, so it uses several
// cores, and reports its findings after each batch.
const (
	batchSize  = 32 // processes
	maxReaders = 4  // goroutines
)

// read reads each of pids, several at a time, and returns when all are read.
func (f *finder) read(pids []int) []readResult {
	all := make([]readResult, len(pids))
	if len(pids) > 1 {
		var next atomic.Int64
		var readers sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), maxReaders) {
			readers.Go(func() {
				b := new(readBuffers)
				for i := int(next.Add(1)) - 1; i < len(pids); i = int(next.Add(1)) - 1 {
					all[i] = f.readProcess(pids[i], b)
				}
			})
		}
		readers.Wait()
	}
	for i, pid := range pids {
		if len(pids) == 1 || monitor.OutOfResources(all[i].err) { // perhaps exhausted by the other readers
			all[i] = f.readProcess(pid, &f.buffers)
		}
	}
	return all
}

// readBuffers are the buffers of one reader.
type readBuffers struct {
	entries [8 << 10]byte
	link    [64]byte
}

// readProcess reads one process. It does not modify f.
func (f *finder) readProcess(pid int, b *readBuffers) readResult {
	n, r := f.readFolder(fmt.Sprintf("/proc/%d/fd", pid), b)
	if n > 0 || monitor.OutOfResources(r.err) || (r.err != nil && !f.isMine(pid)) {
		return r
	}
	// Either the main thread has exited, which leaves its folder empty and owned by
	// root, or there are no descriptors. Other threads may still share some.
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	r = readResult{err: err}
	for _, t := range tasks {
		if n, r = f.readFolder(fmt.Sprintf("/proc/%d/task/%s/fd", pid, t.Name()), b); n > 0 || monitor.OutOfResources(r.err) {
			break
		}
	}
	return r
}

// readFolder reads a folder of descriptors, and returns how many it lists.
func (f *finder) readFolder(path string, b *readBuffers) (n int, r readResult) {
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, readResult{err: err}
	}
	defer func() { _ = unix.Close(dir) }() // nothing was written to it
	for {
		size, err := unix.Getdents(dir, b.entries[:])
		if err != nil && n == 0 {
			return 0, readResult{err: err}
		}
		if err != nil || size <= 0 {
			return n, r
		}
		n += f.readEntries(dir, b.entries[:size], b.link[:], &r)
	}
}

// readEntries reads the links in a result of getdents64(2), whose entries have
// their length in two bytes at offset 16, and a zero-terminated name at offset 19.
// It returns the number of descriptors.
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
		to, _ := readlink(dir, name, link) // empty if it was closed meanwhile
		if bytes.Equal(to, ringLink) {
			r.ring = true
		}
		inode := socketInode(to)
		id, ok := f.inodes[inode]
		if !ok || r.seen[id] {
			continue
		}
		if r.seen == nil {
			r.seen = make(map[monitor.SocketID]bool)
		}
		r.seen[id] = true
		fd, _ := strconv.Atoi(unix.ByteSliceToString(name)) // the kernel uses numbers
		r.held = append(r.held, match{id, inode, fd})
	}
	return n
}

// readlink reads the link name, which is zero-terminated, in the folder dir. It
// does not block, so the system call bypasses the Go runtime, which would double
// its cost.
func readlink(dir int, name, link []byte) ([]byte, error) {
	n, _, err := unix.RawSyscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&link[0])), uintptr(len(link)), 0, 0)
	if err != 0 {
		return nil, err
	}
	return link[:n], nil
}

// ringLink is the link of a descriptor of io_uring(7). A process can register a socket
// there and close its descriptor.
var ringLink = []byte("anon_inode:[io_uring]")

// socketInode parses "socket:[123]". It returns 0 for every other link.
func socketInode(link []byte) uint64 {
	digits, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0
	}
	inode, err := strconv.ParseUint(string(bytes.TrimSuffix(digits, []byte("]"))), 10, 64)
	if err != nil {
		return 0
	}
	return inode
}
