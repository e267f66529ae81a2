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

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder walks /proc. A process shows its descriptors to its own user and to
// root; a listening socket among them is a link that reads "socket:[INODE]"
// (proc_pid_fd(5)). To read them all costs 3 µs each, which is why the walk has
// an order, and why how many a process has is remembered.
type finder struct {
	uid    int
	known  map[int]monitor.Owner // facts of processes that hold listeners, by pid
	counts map[int]count         // of each process at the last search for all sockets
	inodes map[uint64]monitor.SocketID
	memory memory
	groups groups
	calm   map[int]calm // by pid, of processes that hold listeners
	asked  struct {     // the last process that was asked whether it is calm
		pid  int
		at   time.Time
		calm bool
	}
	lived struct { // the last process that was seen to live
		owner monitor.Owner
		at    time.Time
	}
	blind error // why the last search did not see what it should have
}

// count is how many descriptors a process has, and the inode of the folder that
// shows them: another process with the same pid has another one, and what that
// holds must be looked at though it holds as many.
type count struct {
	descriptors int64
	folder      uint64
}

// calm says that a process had so many descriptors when all that it holds was
// checked.
type calm struct {
	count
	at time.Time
}

// As long as a process has as many descriptors as when its holdings were checked
// one by one, that need not be done at each verification: one stat(2) stands for
// all of them. It could have closed one and opened another meanwhile.
const (
	calmAfter = time.Second // by then the verification that saw it is over
	calmFor   = 15 * time.Second
)

// fresh is how long what was read of a process holds for its other holdings.
const fresh = 10 * time.Millisecond

// New returns a Finder for this system, to be used by one goroutine at a time.
func New() monitor.Finder {
	return &finder{uid: os.Getuid(), known: make(map[int]monitor.Owner), counts: make(map[int]count), calm: make(map[int]calm)}
}

// Find walks the processes in the order of likely. One that ends on the way is
// skipped. One that cannot be read for want of descriptors counts as new next
// time.
func (f *finder) Find(ctx context.Context, scope monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) error {
	f.blind = nil
	missing := f.seek(sockets)
	searched := make(map[int]bool)
	done := func() bool { return ctx.Err() != nil || (scope == monitor.Likely && len(missing) == 0) }
	tell := func(h monitor.Holding) {
		delete(missing, h.Socket)
		found(h)
	}
	at := 1 // processes are read at a time
	if scope == monitor.Everywhere {
		at = readAtOnce
	}
	walk := func(pids []int, counts map[int]count) bool {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return searched[pid] })
		for some := range slices.Chunk(pids, at) {
			if done() {
				break
			}
			for i, r := range f.read(some) {
				pid := some[i]
				searched[pid] = true
				if len(r.held) > 0 {
					r.err = f.tell(pid, r.held, tell)
				}
				if exhausted(r.err) {
					f.blind = r.err
					delete(counts, pid) // it counts as new for whichever search is next
					delete(f.counts, pid)
				}
			}
		}
		return done()
	}
	if scope == monitor.Likely { // a server that opens one more needs no list of all processes
		holders := slices.Collect(maps.Keys(f.known))
		counts := f.count(holders)
		changed, _ := f.likely(holders, counts)
		if walk(changed, counts) {
			return f.blind
		}
	}
	pids := f.processes()
	counts := f.count(pids)
	changed, rest := f.likely(pids, counts)
	if !walk(changed, counts) && scope != monitor.Recent {
		walk(rest, counts)
	}
	if scope != monitor.Likely && ctx.Err() == nil {
		f.counts = counts
	}
	return f.blind
}

// seek notes by which links sockets are known, and returns those that have one.
func (f *finder) seek(sockets []monitor.Socket) (missing map[monitor.SocketID]bool) {
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

// exhausted reports whether err says nothing of what was asked, but that there
// are no descriptors or no memory left to ask.
func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

var errNoProc = errors.New("there are no processes in /proc")

// processes lists all pids, the newest first as far as numbers tell, and
// forgets what is known of those that have ended.
func (f *finder) processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		f.blind = err
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
		f.blind = errNoProc // something else is mounted there
		return nil
	}
	for pid := range f.known {
		if !lives[pid] {
			delete(f.known, pid)
		}
	}
	for pid := range f.calm {
		if !lives[pid] {
			delete(f.calm, pid)
		}
	}
	slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(b, a) })
	return pids
}

// count returns how many descriptors each process has: since Linux 6.2 that is
// the size of its folder, which costs 2 µs and is told of other users' too. On
// older kernels all are 0, and only new processes differ from before.
func (f *finder) count(pids []int) map[int]count {
	counts := make(map[int]count, len(pids))
	path := make([]byte, 0, 32)
	for _, pid := range pids {
		path = append(strconv.AppendInt(append(path[:0], "/proc/"...), int64(pid), 10), "/fd"...)
		var stat unix.Stat_t
		if unix.Stat(string(path), &stat) == nil {
			counts[pid] = count{stat.Size, stat.Ino}
		}
	}
	return counts
}

// likely splits pids: those that are new or have other counts than at the last
// search for all sockets, and the rest, those that hold listeners first.
func (f *finder) likely(pids []int, counts map[int]count) (changed, rest []int) {
	var others []int
	for _, pid := range pids {
		before, seen := f.counts[pid]
		_, holds := f.known[pid]
		switch {
		case !seen || before != counts[pid]:
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

// tell tells what pid holds. An error means that it has ended, or that no
// descriptors are left to ask.
func (f *finder) tell(pid int, held []match, found func(monitor.Holding)) error {
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
	if ok && process.Lives(pid, known.Start) {
		return f.renew(known), nil
	}
	owner, err := process.Facts(pid)
	if err != nil {
		return owner, err
	}
	owner.Parents = process.Parents(owner)
	f.known[pid] = owner
	return owner, nil
}

// renew reads again what a process can change by exec or by losing its parent.
func (f *finder) renew(known monitor.Owner) monitor.Owner {
	now, err := process.Facts(known.PID)
	if err != nil {
		return known
	}
	now.Parents = known.Parents
	f.known[known.PID] = now
	return now
}

// Holds asks for the one descriptor that made h a fact. What it cannot ask now
// still holds.
func (f *finder) Holds(h monitor.Holding) bool { return f.stillHolds(h) || !canAsk() }

// canAsk reports whether a process that lives, this one, can be asked.
func canAsk() bool {
	fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	_ = unix.Close(fd) // nothing was written to it
	return true
}

// lives reports whether o's process lives, by one reading for all that it
// holds.
func (f *finder) lives(o monitor.Owner) bool {
	if l := f.lived; l.owner.Same(o) && time.Since(l.at) < fresh {
		return true
	}
	if !process.Lives(o.PID, o.Start) {
		return false
	}
	f.lived.owner, f.lived.at = o, time.Now()
	return true
}

// isCalm reports whether pid has the descriptors that it had when its holdings
// were checked, as far as their number tells, by one reading for all that it
// holds; where it has not, they are to be checked now. The folder's inode tells
// that it is the same process.
func (f *finder) isCalm(pid int) bool {
	now := time.Now()
	if f.asked.pid != pid || now.Sub(f.asked.at) > fresh {
		present, before := f.count([]int{pid})[pid], f.calm[pid]
		same := present == before.count && present.descriptors > 0 && now.Before(before.at.Add(calmFor))
		if !same {
			f.calm[pid] = calm{present, now}
		}
		f.asked.pid, f.asked.at, f.asked.calm = pid, now, same && now.After(before.at.Add(calmAfter))
	}
	return f.asked.calm
}

func (f *finder) stillHolds(h monitor.Holding) bool {
	if f.isCalm(h.Owner.PID) {
		return true
	}
	if !f.lives(h.Owner) {
		return false
	}
	inode, err := inodeOf(fmt.Sprintf("/proc/%d/fd/%d", h.Owner.PID, h.FD))
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
		inode, err := inodeOf(fmt.Sprintf("/proc/%d/task/%s/fd/%d", h.Owner.PID, t.Name(), h.FD))
		if inode == h.Inode {
			return true
		}
		refused = refused && errors.Is(err, fs.ErrPermission)
	}
	return refused // by every thread: it became another user's; the next search decides
}

// inodeOf returns the inode of the file that path leads to: for a socket that
// is what its link reads.
func inodeOf(path string) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return 0, err
	}
	return stat.Ino, nil
}

// Hidden says why nobody is seen to hold s, and what its control group tells.
func (f *finder) Hidden(s monitor.Socket) monitor.Hidden {
	h := monitor.Hidden{Reason: monitor.HiddenNobody}
	switch {
	case f.uid != 0 && int(s.UID) != f.uid:
		h.Reason = monitor.HiddenForeign
	case f.blind != nil:
		h.Reason = monitor.HiddenBlind
	}
	path := f.groups.path(s.Cgroup)
	h.Unit, h.Container = unitOf(path), containerOf(path)
	if pid := f.groups.alone(path); pid != 0 {
		if owner, err := f.facts(pid); err == nil {
			h.Inferred = &owner
		}
	}
	return h
}
