package procevents

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// pidfds has a descriptor of each watched process. Since Linux 6.15 it gives the exit of a
// process that its parent has waited for: PIDFD_GET_INFO with PIDFD_INFO_EXIT of
// linux/pidfd.h. Unlike an event, that also tells a status of 0, and works in containers.
// The events come sooner, and for processes that nobody waits for.
type pidfds struct {
	supported bool
	all       map[processID]*pidfd
}

type pidfd struct {
	fd   int
	seen time.Time // when watch last had the process
}

// maxPidfds limits the number of descriptors: by default a process may have 1,024.
const maxPidfds = 128

func newPidfds() *pidfds {
	return &pidfds{supported: kernelAtLeast(6, 15), all: map[processID]*pidfd{}}
}

// kernelAtLeast reports whether this is Linux of at least that version.
func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	var a, b int
	if err := unix.Uname(&u); err != nil {
		return false
	}
	if n, _ := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &a, &b); n < 2 {
		return false
	}
	return a > major || a == major && b >= minor
}

// watch replaces the processes. Those that are no longer watched are kept for a while.
func (p *pidfds) watch(owners []monitor.Owner, now time.Time) {
	if !p.supported {
		return
	}
	for _, o := range owners {
		id := processID{o.PID, o.Start}
		if p.all[id] == nil && len(p.all) < maxPidfds {
			p.open(o, id)
		}
		if f := p.all[id]; f != nil {
			f.seen = now
		}
	}
	for id, f := range p.all {
		if now.Sub(f.seen) > exitAge {
			_ = unix.Close(f.fd) // nothing was written to it
			delete(p.all, id)
		}
	}
}

func (p *pidfds) open(o monitor.Owner, id processID) {
	fd, err := unix.PidfdOpen(o.PID, 0)
	if err != nil {
		return // it has exited, or there are too many descriptors
	}
	if lifeOf(o) != monitor.Alive { // another process may have the PID now
		_ = unix.Close(fd) // nothing was written to it
		return
	}
	p.all[id] = &pidfd{fd: fd}
}

// has reports whether the exit of o can be known.
func (p *pidfds) has(o monitor.Owner) bool { return p.all[processID{o.PID, o.Start}] != nil }

// waitStatus returns the status as in wait(2) of a process that its parent has waited for.
func (p *pidfds) waitStatus(o monitor.Owner) (status uint32, ok bool) {
	f := p.all[processID{o.PID, o.Start}]
	if f == nil {
		return 0, false
	}
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	if err := unix.IoctlPidfdInfo(f.fd, &info); err != nil || info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		return 0, false
	}
	return uint32(info.Exit_code), true
}

func (p *pidfds) close() (err error) {
	for _, f := range p.all {
		err = errors.Join(err, unix.Close(f.fd))
	}
	clear(p.all)
	return err
}
