// Package owner finds the processes that hold sockets. Each operating system has
// its own files; see New.
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
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// finder searches /proc. A process shows its descriptors to its own user and to
// root; a socket among them is a link that reads "socket:[INODE]"
// (proc_pid_fd(5)). Reading a link costs 3 µs, so likely owners are searched
// first, and descriptor counts are cached.
type finder struct {
	uid        int
	known      map[int]monitor.Owner // by PID, of processes that hold listeners
	fdCounts   map[int]fdCount       // by PID, at the last search for all sockets
	inodes     map[uint64]monitor.SocketID
	targets    []monitor.Socket // of the current search
	buffers    readBuffers
	path       []byte
	stat       unix.Statx_t
	cgroups    cgroupIndex
	fdChecks   map[int]fdCheck  // by PID, of processes that hold listeners
	mark       startMark        // when the last search for all sockets began
	liveness   map[int]liveness // by PID, of processes that hold listeners
	programs   map[int]uint64   // by PID, of processes that hold listeners: see programMark
	incomplete error            // why the last search could not read some process

	inNamespace bool         // there are processes outside this PID namespace
	denied      bool         // some process could not be read for lack of permission
	rings       map[int]bool // PIDs of processes that use io_uring, which can hold a socket without a descriptor
	protected   protectedCheck
}

// fdCount is the number of descriptors of a process, and the inode number of the
// folder that lists them. Another process with the same PID has another folder,
// and must be read even if its count is the same.
type fdCount struct {
	descriptors uint64
	folder      uint64
}

// New returns a Finder for this system. It is used by one goroutine at a time.
func New() monitor.Finder {
	return &finder{uid: os.Getuid(), known: make(map[int]monitor.Owner), fdCounts: make(map[int]fdCount), fdChecks: make(map[int]fdCheck), liveness: make(map[int]liveness), programs: make(map[int]uint64),
		inNamespace: InPIDNamespace(), rings: make(map[int]bool)}
}

// Find implements monitor.Finder. It reads the processes in the order of
// splitByChange. A process that exits meanwhile is skipped; one that cannot be
// read because descriptors are exhausted counts as new next time. A Recent search
// is skipped for a while if no process has started.
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
	report := func(h monitor.Holding) {
		delete(missing, h.Socket)
		found(h)
	}
	batch := 1
	if scope == monitor.Everywhere {
		batch = batchSize
	}
	search := func(pids []int, counts map[int]fdCount) bool {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return searched[pid] })
		for some := range slices.Chunk(pids, batch) {
			if done() {
				break
			}
			for i, r := range f.read(some) {
				pid := some[i]
				searched[pid] = true
				f.denied = f.denied || errors.Is(r.err, fs.ErrPermission)
				if r.ring {
					f.rings[pid] = true
				} else {
					delete(f.rings, pid)
				}
				if len(r.held) > 0 {
					if scope == monitor.Likely {
						f.reportAncestors(pid, searched, report)
					}
					r.err = f.report(pid, r.held, report)
				}
				if monitor.OutOfResources(r.err) {
					f.incomplete = r.err
					delete(counts, pid) // it counts as new for the next search of any scope
					delete(f.fdCounts, pid)
				}
			}
		}
		return done()
	}
	if scope == monitor.Likely { // a server that opens another port is found without listing all processes
		holders := slices.Collect(maps.Keys(f.known))
		counts := f.countFDs(holders)
		changed, _ := f.splitByChange(holders, counts)
		if search(changed, counts) {
			return f.incomplete
		}
	}
	pids := f.processes()
	counts := f.countFDs(pids)
	changed, rest := f.splitByChange(pids, counts)
	if !search(changed, counts) && scope != monitor.Recent {
		search(rest, counts)
	}
	if scope != monitor.Likely && ctx.Err() == nil {
		f.fdCounts, f.mark = counts, now
	}
	if f.incomplete != nil {
		f.mark = startMark{} // the next Recent search must not be skipped
	}
	return f.incomplete
}

// setTargets sets the inode numbers to search, and returns the sockets that have
// one.
func (f *finder) setTargets(sockets []monitor.Socket) (missing map[monitor.SocketID]bool) {
	f.inodes = make(map[uint64]monitor.SocketID, len(sockets))
	f.targets = sockets
	missing = make(map[monitor.SocketID]bool, len(sockets))
	for _, s := range sockets {
		if s.Inode != 0 { // 0 would match every link that is not a socket
			f.inodes[s.Inode] = s.ID
			missing[s.ID] = true
		}
	}
	return missing
}

var errNoProc = errors.New("/proc lists no processes")

// processes lists all PIDs, the highest and so probably newest first, and drops
// what is cached about processes that have exited.
func (f *finder) processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		f.incomplete = err
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a partial list is better than none
	pids := make([]int, 0, len(names))
	exists := make(map[int]bool, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
			exists[pid] = true
		}
	}
	if len(pids) == 0 {
		f.incomplete = errNoProc // another file system is mounted there
		return nil
	}
	exited := func(pid int) bool { return !exists[pid] }
	maps.DeleteFunc(f.known, func(pid int, _ monitor.Owner) bool { return exited(pid) })
	maps.DeleteFunc(f.rings, func(pid int, _ bool) bool { return exited(pid) })
	maps.DeleteFunc(f.fdChecks, func(pid int, _ fdCheck) bool { return exited(pid) })
	maps.DeleteFunc(f.liveness, func(pid int, _ liveness) bool { return exited(pid) })
	maps.DeleteFunc(f.programs, func(pid int, _ uint64) bool { return exited(pid) })
	slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(b, a) })
	return pids
}

// countFDs returns the descriptor count of each process. Since Linux 6.2 it is
// the size of the process's fd folder, which costs 2 µs to read and works for
// other users' processes too. On older kernels all counts are 0, and only new
// processes differ from before.
func (f *finder) countFDs(pids []int) map[int]fdCount {
	counts := make(map[int]fdCount, len(pids))
	for _, pid := range pids {
		if c, ok := f.countFDsOf(pid); ok {
			counts[pid] = c
		}
	}
	return counts
}

// countFDsOf returns the descriptor count of one process. A zombie still has one.
// The system call cannot block, so it bypasses the Go runtime, which would wake a
// thread to watch for a blocking call.
func (f *finder) countFDsOf(pid int) (fdCount, bool) {
	f.path = append(strconv.AppendInt(append(f.path[:0], "/proc/"...), int64(pid), 10), "/fd\x00"...)
	_, _, err := unix.RawSyscall6(unix.SYS_STATX, atFDCWD, uintptr(unsafe.Pointer(&f.path[0])), 0, unix.STATX_SIZE|unix.STATX_INO, uintptr(unsafe.Pointer(&f.stat)), 0)
	return fdCount{f.stat.Size, f.stat.Ino}, err == 0
}

// atFDCWD is AT_FDCWD of linux/fcntl.h: paths are relative to the working folder.
const atFDCWD = ^uintptr(-unix.AT_FDCWD - 1)

// splitByChange splits pids into those that are new, or whose descriptor count
// has changed since the last search for all sockets or since the last fdCheck;
// and the rest, those that hold listeners first.
func (f *finder) splitByChange(pids []int, counts map[int]fdCount) (changed, rest []int) {
	var others []int
	for _, pid := range pids {
		before, seen := f.fdCounts[pid]
		last, checked := f.fdChecks[pid]
		_, holds := f.known[pid]
		switch {
		case !seen || before != counts[pid] || checked && last.fdCount != counts[pid]:
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

// reportAncestors reports the parent of pid, its parent and so on, as far as they hold
// any of the sockets, the oldest first. A server that forks workers after listen(2) is
// found by its youngest worker: the server opened the port, not the worker.
func (f *finder) reportAncestors(pid int, searched map[int]bool, found func(monitor.Holding)) {
	type holder struct {
		pid  int
		held []match
	}
	var ancestors []holder
	for pid = parentOf(pid); pid > 0 && !searched[pid]; pid = parentOf(pid) {
		r := f.readProcess(pid, &f.buffers)
		if len(r.held) == 0 {
			break
		}
		searched[pid] = true
		ancestors = append(ancestors, holder{pid, r.held})
	}
	for _, a := range slices.Backward(ancestors) {
		_ = f.report(a.pid, a.held, found) // it may have exited; the next search sees what is left
	}
}

// parentOf returns the parent of pid, 0 if it has exited: field 4 of /proc/PID/stat
// (proc_pid_stat(5)).
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(string(fields[1])) // the kernel writes numbers
	return parent
}

// report calls found for everything that pid holds. An error means that the
// process has exited, or that descriptors are exhausted.
func (f *finder) report(pid int, held []match, found func(monitor.Holding)) error {
	owner, err := f.owner(pid) // read once for all its sockets, of which it may have 65,535
	if err != nil {
		return err
	}
	systemd := filepath.Base(owner.Program) == "systemd"
	for _, h := range held {
		if systemd {
			owner.Unit = cmp.Or(f.socketUnit(h.socket), f.known[pid].Unit)
		}
		found(monitor.Holding{Socket: h.socket, Inode: h.inode, Owner: owner, FD: h.fd})
	}
	return nil
}

// socketUnit returns the socket unit for which systemd holds a socket, "" if it is none:
// systemd creates the socket in the control group of the unit. systemd holds few
// listeners, so the targets are simply searched.
func (f *finder) socketUnit(id monitor.SocketID) string {
	i := slices.IndexFunc(f.targets, func(s monitor.Socket) bool { return s.ID == id })
	if i < 0 {
		return ""
	}
	if unit := unitOf(f.cgroups.path(f.targets[i].Cgroup)); strings.HasSuffix(unit, ".socket") {
		return unit
	}
	return ""
}

// owner reads a process. Its parents and its unit are those of when it was first
// seen to hold a listener: they may change later.
func (f *finder) owner(pid int) (monitor.Owner, error) {
	known, ok := f.known[pid]
	f.programs[pid] = f.programMark(pid) // before the rest, so that a later exec is noticed
	if ok && process.IsAlive(pid, known.Start) {
		return f.update(known), nil
	}
	owner, err := process.Info(pid)
	if err != nil {
		return owner, err
	}
	owner.Parents = process.Parents(owner)
	owner.Unit = CgroupOf(pid).unitOfProcess()
	f.known[pid] = owner
	return owner, nil
}

// update reads again what a process can change by exec, or if its parent exits.
func (f *finder) update(known monitor.Owner) monitor.Owner {
	now, err := process.Info(known.PID)
	if err != nil {
		return known
	}
	now = keepKnown(now, known)
	f.known[known.PID] = now
	return now
}

// keepKnown returns now with the facts of known that could not be read this time:
// because the process is mapping a file of a slow disk, or descriptors were short.
// Without them the listener would be reported as updated, and again when they are read.
func keepKnown(now, known monitor.Owner) monitor.Owner {
	now.Parents, now.Unit = known.Parents, known.Unit
	if len(now.Command) == 0 { // the name depends on it
		now.Command, now.Name = known.Command, known.Name
	}
	now.ParentPID = cmp.Or(now.ParentPID, known.ParentPID)
	if now.UserID == "" {
		now.User, now.UserID = known.User, known.UserID
	}
	now.Program = cmp.Or(now.Program, known.Program)
	now.Folder = cmp.Or(now.Folder, known.Folder)
	return now
}

// WhyUnknown implements monitor.Finder with the help of the socket's control
// group.
func (f *finder) WhyUnknown(s monitor.Socket) monitor.OwnerUnknown {
	u := monitor.OwnerUnknown{Reason: monitor.UnknownNotFound}
	switch {
	case f.uid != 0 && int(s.UID) != f.uid:
		u.Reason = monitor.UnknownForeign
		if f.inNamespace && !f.seesUser(s.UID) {
			u.Reason = monitor.UnknownOutside
		}
	case f.incomplete != nil:
		u.Reason = monitor.UnknownUnreadable
	case f.uid != 0 && len(f.protectedProcesses()) > 0:
		u.Reason = monitor.UnknownProtected
	case f.inNamespace:
		u.Reason = monitor.UnknownOutside
	case f.uid != 0 || f.denied: // a process that may not be read can own it
	case len(f.rings) > 0:
		u.Reason = monitor.UnknownNoFile
	default:
		u.Reason = monitor.UnknownKernel
	}
	path := f.cgroups.path(s.Cgroup)
	if service := f.cgroups.startedService(path); service != "" {
		path = service
	}
	u.Unit, u.UnitUser, u.ContainerID = unitOf(path), unitUser(path), containerOf(path)
	pid := f.cgroups.onlyProcess(path)
	if pid == 0 && f.uid != 0 && int(s.UID) == f.uid {
		forwards := false
		if pid, forwards = f.probableHolder(path); forwards {
			u.Reason = monitor.UnknownRemoteForward
			if strings.HasSuffix(u.Unit, ".service") { // without logind, all logins are in the unit of the daemon
				u.Unit = ""
			}
		}
	}
	if pid != 0 {
		if owner, err := f.owner(pid); err == nil {
			u.Inferred = &owner
		}
	}
	return u
}
