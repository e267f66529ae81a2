// Package owner finds the processes that hold sockets. A file an OS; see New.
package owner

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder walks /proc. A process shows its descriptors to its own user and to
// root; a listening socket among them is a link that reads "socket:[INODE]"
// (proc_pid_fd(5)). To read them all costs 3 µs each, which is why the walk has
// an order, and why how many a process has is remembered.
type finder struct {
	uid        int
	known      map[int]monitor.Owner // facts of processes that hold listeners, by pid
	fdCounts   map[int]fdCount       // of each process at the last search for all sockets
	inodes     map[uint64]monitor.SocketID
	buffers    readBuffers
	path       []byte
	stat       unix.Statx_t
	groups     cgroupIndex
	fdChecks   map[int]fdCheck  // by pid, of processes that hold listeners
	mark       startMark        // when the last search for all sockets began
	liveness   map[int]liveness // by pid, of the same
	incomplete error            // why the last search did not see what it should have
}

// fdCount is how many descriptors a process has, and the inode of the folder that
// shows them: another process with the same pid has another one, and what that
// holds must be looked at though it holds as many.
type fdCount struct {
	descriptors uint64
	folder      uint64
}

// fdCheck says that a process had so many descriptors before all that it holds was
// checked.
type fdCheck struct {
	fdCount
	at time.Time
}

// liveness is what a process was seen to live as, and when: its start, and the inode of
// the folder of its descriptors.
type liveness struct {
	start, folder uint64
	at            time.Time
}

// fdCheckTTL is how long the number of its descriptors stands for all that a process
// holds, by one stat(2): it could have closed one and opened another meanwhile.
const fdCheckTTL = 5 * time.Second

// livenessTTL is how long what was read of a process holds for its other holdings.
const livenessTTL = 10 * time.Millisecond

// New returns a Finder for this system, to be used by one goroutine at a time.
func New() monitor.Finder {
	return &finder{uid: os.Getuid(), known: make(map[int]monitor.Owner), fdCounts: make(map[int]fdCount), fdChecks: make(map[int]fdCheck), liveness: make(map[int]liveness)}
}

// Find walks the processes in the order of likely. One that ends on the way is
// skipped. One that cannot be read for want of descriptors counts as new next
// time. A Recent search is let be for a while where nothing has started.
func (f *finder) Find(ctx context.Context, scope monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) error {
	f.incomplete = nil
	var now startMark
	if scope != monitor.Likely {
		now = currentMark()
	}
	if scope == monitor.Recent && f.mark.noStartUntil(now) {
		return nil
	}
	missing := f.setTargets(sockets)
	searched := make(map[int]bool)
	done := func() bool { return ctx.Err() != nil || (scope == monitor.Likely && len(missing) == 0) }
	tell := func(h monitor.Holding) {
		delete(missing, h.Socket)
		found(h)
	}
	at := 1 // processes are read at a time
	if scope == monitor.Everywhere {
		at = batchSize
	}
	walk := func(pids []int, counts map[int]fdCount) bool {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return searched[pid] })
		for some := range slices.Chunk(pids, at) {
			if done() {
				break
			}
			for i, r := range f.read(some) {
				pid := some[i]
				searched[pid] = true
				if len(r.held) > 0 {
					r.err = f.report(pid, r.held, tell)
				}
				if outOfResources(r.err) {
					f.incomplete = r.err
					delete(counts, pid) // it counts as new for whichever search is next
					delete(f.fdCounts, pid)
				}
			}
		}
		return done()
	}
	if scope == monitor.Likely { // a server that opens one more needs no list of all processes
		holders := slices.Collect(maps.Keys(f.known))
		counts := f.countFDs(holders)
		changed, _ := f.splitByChange(holders, counts)
		if walk(changed, counts) {
			return f.incomplete
		}
	}
	pids := f.processes()
	counts := f.countFDs(pids)
	changed, rest := f.splitByChange(pids, counts)
	if !walk(changed, counts) && scope != monitor.Recent {
		walk(rest, counts)
	}
	if scope != monitor.Likely && ctx.Err() == nil {
		f.fdCounts, f.mark = counts, now
	}
	if f.incomplete != nil {
		f.mark = startMark{} // there is something to see yet
	}
	return f.incomplete
}

// setTargets notes by which links sockets are known, and returns those that have one.
func (f *finder) setTargets(sockets []monitor.Socket) (missing map[monitor.SocketID]bool) {
	f.inodes = make(map[uint64]monitor.SocketID, len(sockets))
	missing = make(map[monitor.SocketID]bool, len(sockets))
	for _, s := range sockets {
		if s.Inode != 0 { // else every link to no socket would be one to it
			f.inodes[s.Inode] = s.ID
			missing[s.ID] = true
		}
	}
	return missing
}

// outOfResources reports whether err says nothing of what was asked, but that there
// are no descriptors or no memory left to ask.
func outOfResources(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

var errNoProc = errors.New("there are no processes in /proc")

// processes lists all pids, the newest first as far as numbers tell, and
// forgets what is known of those that have ended.
func (f *finder) processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		f.incomplete = err
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what was read counts
	pids := make([]int, 0, len(names))
	lives := make(map[int]bool, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
			lives[pid] = true
		}
	}
	if len(pids) == 0 {
		f.incomplete = errNoProc // something else is mounted there
		return nil
	}
	ended := func(pid int) bool { return !lives[pid] }
	maps.DeleteFunc(f.known, func(pid int, _ monitor.Owner) bool { return ended(pid) })
	maps.DeleteFunc(f.fdChecks, func(pid int, _ fdCheck) bool { return ended(pid) })
	maps.DeleteFunc(f.liveness, func(pid int, _ liveness) bool { return ended(pid) })
	slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(b, a) })
	return pids
}

// countFDs returns how many descriptors each process has: since Linux 6.2 that is
// the size of its folder, which costs 2 µs and is told of other users' too. On
// older kernels all are 0, and only new processes differ from before.
func (f *finder) countFDs(pids []int) map[int]fdCount {
	counts := make(map[int]fdCount, len(pids))
	for _, pid := range pids {
		if c, ok := f.countFDsOf(pid); ok {
			counts[pid] = c
		}
	}
	return counts
}

// countFDsOf counts those of one process, whose entry is left as long as nobody has
// waited for it. Nothing blocks there, and the runtime need not be told: that would
// wake a thread that keeps watch over calls that block.
func (f *finder) countFDsOf(pid int) (fdCount, bool) {
	f.path = append(strconv.AppendInt(append(f.path[:0], "/proc/"...), int64(pid), 10), "/fd\x00"...)
	_, _, err := unix.RawSyscall6(unix.SYS_STATX, atFDCWD, uintptr(unsafe.Pointer(&f.path[0])), 0, unix.STATX_SIZE|unix.STATX_INO, uintptr(unsafe.Pointer(&f.stat)), 0)
	return fdCount{f.stat.Size, f.stat.Ino}, err == 0
}

// atFDCWD is the folder that relative paths begin at: AT_FDCWD of linux/fcntl.h.
const atFDCWD = ^uintptr(-unix.AT_FDCWD - 1)

// splitByChange splits pids: those that are new or have other counts than at the last
// search for all sockets, or than when they were last asked whether they are calm;
// and the rest, those that hold listeners first.
func (f *finder) splitByChange(pids []int, counts map[int]fdCount) (changed, rest []int) {
	var others []int
	for _, pid := range pids {
		before, seen := f.fdCounts[pid]
		last, asked := f.fdChecks[pid]
		_, holds := f.known[pid]
		switch {
		case !seen || before != counts[pid] || asked && last.fdCount != counts[pid]:
			changed = append(changed, pid)
		case holds:
			rest = append(rest, pid)
		default:
			others = append(others, pid)
		}
	}
	return changed, append(rest, others...)
}

// isMine reports whether pid is a process of this program's user.
func (f *finder) isMine(pid int) bool {
	var stat unix.Stat_t
	return unix.Stat(fmt.Sprintf("/proc/%d", pid), &stat) == nil && int(stat.Uid) == f.uid
}

// report tells what pid holds. An error means that it has ended, or that no
// descriptors are left to ask.
func (f *finder) report(pid int, held []match, found func(monitor.Holding)) error {
	owner, err := f.facts(pid) // one reading for all its sockets, of which it may have 65,535
	if err != nil {
		return err
	}
	for _, h := range held {
		found(monitor.Holding{Socket: h.socket, Inode: h.inode, Owner: owner, FD: h.fd})
	}
	return nil
}

// socketInode reads "socket:[123]", and returns 0 for every other link.
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

// facts reads a process once: what it was when it was first seen to hold a
// listener, its parents too, which may be gone later.
func (f *finder) facts(pid int) (monitor.Owner, error) {
	known, ok := f.known[pid]
	if ok && process.IsAlive(pid, known.Start) {
		return f.renew(known), nil
	}
	owner, err := process.Info(pid)
	if err != nil {
		return owner, err
	}
	owner.Parents = process.Parents(owner)
	f.known[pid] = owner
	return owner, nil
}

// renew reads again what a process can change by exec or by losing its parent.
func (f *finder) renew(known monitor.Owner) monitor.Owner {
	now, err := process.Info(known.PID)
	if err != nil {
		return known
	}
	now.Parents = known.Parents
	f.known[known.PID] = now
	return now
}

// Holds asks for the one descriptor that made h a fact. What it cannot ask now
// still holds.
func (f *finder) Holds(h monitor.Holding) bool { return f.stillHolds(h) || !canReadProc() }

// canReadProc reports whether a process that lives, this one, can be asked.
func canReadProc() bool {
	fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	_ = unix.Close(fd) // nothing was written to it
	return true
}

// isAlive reports whether o's process lives, by one reading for all that it holds.
// As long as the folder of its descriptors is the same it is the same process,
// which costs a fifth of reading its start.
func (f *finder) isAlive(o monitor.Owner) bool {
	now, l := time.Now(), f.liveness[o.PID]
	if l.start == o.Start && now.Sub(l.at) < livenessTTL {
		return true
	}
	present, there := f.countFDsOf(o.PID)
	same := there && present.descriptors > 0 && l.start == o.Start && l.folder == present.folder
	if !same && !process.IsAlive(o.PID, o.Start) {
		return false
	}
	f.liveness[o.PID] = liveness{o.Start, present.folder, now}
	return true
}

// Calm reports whether pid has as many descriptors as when it last did not, for
// a while. The folder's inode tells that it is the same process.
func (f *finder) Calm(pid int) bool {
	now := time.Now()
	before := f.fdChecks[pid]
	present, there := f.countFDsOf(pid)
	if there && present == before.fdCount && present.descriptors > 0 && now.Before(before.at.Add(fdCheckTTL)) {
		return true
	}
	f.fdChecks[pid] = fdCheck{present, now}
	return false
}

func (f *finder) stillHolds(h monitor.Holding) bool {
	if !f.isAlive(h.Owner) {
		return false
	}
	inode, err := f.inodeOf(fmt.Sprintf("/proc/%d/fd/%d", h.Owner.PID, h.FD))
	if inode == h.Inode {
		return true
	}
	// The main thread may have ended: ask the others.
	refused := errors.Is(err, fs.ErrPermission)
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", h.Owner.PID))
	if err != nil {
		return false
	}
	for _, t := range tasks {
		inode, err := f.inodeOf(fmt.Sprintf("/proc/%d/task/%s/fd/%d", h.Owner.PID, t.Name(), h.FD))
		if inode == h.Inode {
			return true
		}
		refused = refused && errors.Is(err, fs.ErrPermission)
	}
	return refused // by every thread: it became another user's; the next search decides
}

// inodeOf returns the inode of the socket that the link at path leads to, 0 where
// that is another file. The file itself is not asked, which may be on a disk that
// never answers.
func (f *finder) inodeOf(path string) (uint64, error) {
	f.path = append(append(f.path[:0], path...), 0)
	link, err := readlink(unix.AT_FDCWD, f.path, f.buffers.link[:])
	return socketInode(link), err
}

// Hidden says why nobody is seen to hold s, and what its control group tells.
func (f *finder) Hidden(s monitor.Socket) monitor.OwnerUnknown {
	h := monitor.OwnerUnknown{Reason: monitor.UnknownNotFound}
	switch {
	case f.uid != 0 && int(s.UID) != f.uid:
		h.Reason = monitor.UnknownForeign
	case f.incomplete != nil:
		h.Reason = monitor.UnknownUnreadable
	}
	path := f.groups.path(s.Cgroup)
	h.Unit, h.ContainerID = unitOf(path), containerOf(path)
	if pid := f.groups.onlyProcess(path); pid != 0 {
		if owner, err := f.facts(pid); err == nil {
			h.Inferred = &owner
		}
	}
	return h
}
