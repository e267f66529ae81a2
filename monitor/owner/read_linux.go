package owner

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

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

// reading is what one process was seen to hold. An error means that it may not be
// read, or that it has ended.
type reading struct {
	held []match
	err  error
}

// A search through all processes is somebody's wait: it uses several cores, and
// tells in between what it found.
const (
	readAtOnce = 32 // processes
	maxReaders = 4  // goroutines
)

// read reads each of pids, several at the same time where there are several. It
// returns when all is read.
func (f *finder) read(pids []int) []reading {
	all := make([]reading, len(pids))
	if len(pids) > 1 {
		var next atomic.Int64
		var readers sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), maxReaders) {
			readers.Go(func() {
				link := make([]byte, len(f.link))
				for i := int(next.Add(1)) - 1; i < len(pids); i = int(next.Add(1)) - 1 {
					all[i] = f.readProcess(pids[i], link)
				}
			})
		}
		readers.Wait()
	}
	for i, pid := range pids {
		if len(pids) == 1 || exhausted(all[i].err) { // by the other readers, it may be
			all[i] = f.readProcess(pid, f.link)
		}
	}
	return all
}

// readProcess changes nothing of f; link is memory for a link.
func (f *finder) readProcess(pid int, link []byte) reading {
	n, r := f.readFolder(fmt.Sprintf("/proc/%d/fd", pid), link)
	if n > 0 || exhausted(r.err) || (r.err != nil && !f.isMine(pid)) {
		return r
	}
	// The main thread has ended, which makes its folder empty, and root's; or
	// there are no descriptors at all. Other threads may still share some.
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	r = reading{err: err}
	for _, t := range tasks {
		if n, r = f.readFolder(fmt.Sprintf("/proc/%d/task/%s/fd", pid, t.Name()), link); n > 0 || exhausted(r.err) {
			break
		}
	}
	return r
}

// readFolder reads one folder of descriptors, and returns how many there are.
func (f *finder) readFolder(path string, link []byte) (int, reading) {
	dir, err := os.Open(path)
	if err != nil {
		return 0, reading{err: err}
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil && len(names) == 0 {
		return 0, reading{err: err}
	}
	var r reading
	told := make(map[monitor.SocketID]bool)
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, link)
		if err != nil {
			continue // closed meanwhile
		}
		inode := socketInode(link[:n])
		id, ok := f.inodes[inode]
		if !ok || told[id] {
			continue
		}
		fd, _ := strconv.Atoi(name) // the kernel names them by number
		told[id] = true
		r.held = append(r.held, match{id, inode, fd})
	}
	return len(names), r
}
