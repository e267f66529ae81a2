package socket

import (
	"bytes"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// counters are the kernel's counts of sockets in this network namespace, IPv4's and
// IPv6's (/proc/net/sockstat of proc_pid_net(5), net/ipv4/proc.c): how many there
// are of each protocol, wait for their end, are in memory, and what they buffer.
// To have them told costs 2 µs, a hundredth of what a dump costs a machine at rest,
// whose caches have forgotten the table.
//
// The first line, of all sockets with those of a desktop's own bus among them, is
// left out: it moves all day and says nothing that the others do not.
type counters struct {
	files     []int
	last, now []byte
	changedAt time.Time // when they were last seen to have changed
}

// settleTime is how long counts that changed prove nothing: where connections end
// all the time, one may end as a listener opens, which leaves the sums as they were.
const settleTime = 3 * time.Second

// counterFiles are those of the thread that opens the table: a process can have its
// threads in several namespaces.
var counterFiles = []string{"/proc/thread-self/net/sockstat", "/proc/thread-self/net/sockstat6"}

// countersSize is room for both: they have 300 bytes.
const countersSize = 4 << 10

// openCounters returns counts that are never the same where they cannot be read;
// without IPv6 there is one file. The caller keeps to its thread.
func openCounters() *counters {
	c := &counters{last: make([]byte, 0, countersSize), now: make([]byte, 0, countersSize)}
	for i, path := range counterFiles {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			c.files = append(c.files, fd)
		} else if i == 0 || err != unix.ENOENT {
			c.close() // half of the counts tell nothing
			break
		}
	}
	return c
}

// unchanged reads the counts and reports whether they are those of the last time, to
// the byte, and have been so for a while.
func (c *counters) unchanged() bool {
	now := time.Now()
	if !c.read() {
		c.changedAt = now
	}
	return now.Sub(c.changedAt) >= settleTime
}

// read reads the counts and reports whether they are those of the last time.
func (c *counters) read() bool {
	c.last, c.now = c.now, c.last[:0]
	for _, fd := range c.files {
		room := c.now[len(c.now):cap(c.now)]
		if len(room) == 0 {
			return false
		}
		// The kernel writes it while it is asked: nothing blocks, as in ask.
		n, _, err := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(fd), uintptr(unsafe.Pointer(&room[0])), uintptr(len(room)), 0, 0, 0)
		if err != 0 || n == 0 {
			c.now = c.now[:0]
			return false
		}
		c.now = c.now[:len(c.now)+int(n)]
	}
	if line := bytes.IndexByte(c.now, '\n'); line > 0 {
		c.now = c.now[:copy(c.now, c.now[line:])]
	}
	return len(c.now) > 0 && bytes.Equal(c.now, c.last)
}

func (c *counters) close() {
	for _, fd := range c.files {
		_ = unix.Close(fd) // nothing was written to it
	}
	c.files = nil
}
