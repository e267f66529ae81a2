package owner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// listed returns the kernel's row of the socket with that inode.
func listed(t *testing.T, inode uint64) (monitor.Socket, bool) {
	t.Helper()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if !strings.HasPrefix(table.Source(), "sock_diag") {
		t.Skipf("the table here is %s, which knows no inodes", table.Source())
	}
	all, err := table.Sockets(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Inode == inode })
	if i < 0 {
		return monitor.Socket{}, false
	}
	return all[i], true
}

func row(t *testing.T, inode uint64) monitor.Socket {
	t.Helper()
	s, ok := listed(t, inode)
	if !ok {
		t.Fatalf("the socket with inode %d is not listed", inode)
	}
	return s
}

// holders returns who holds s, by PID.
func holders(t *testing.T, f monitor.Finder, s monitor.Socket) map[int]monitor.Holding {
	t.Helper()
	all := make(map[int]monitor.Holding)
	f.Find(t.Context(), monitor.Everywhere, []monitor.Socket{s}, func(h monitor.Holding) {
		if h.Socket != s.ID {
			t.Errorf("found a holder of socket %d, asked for %d", h.Socket, s.ID)
		}
		if _, twice := all[h.Owner.PID]; twice {
			t.Errorf("found %d twice", h.Owner.PID)
		}
		all[h.Owner.PID] = h
	})
	return all
}

// held fails unless exactly these processes hold s, and returns the holdings
// in their order.
func held(t *testing.T, f monitor.Finder, s monitor.Socket, pids ...int) []monitor.Holding {
	t.Helper()
	all := holders(t, f, s)
	var in []monitor.Holding
	for _, pid := range pids {
		h, ok := all[pid]
		if !ok || len(all) != len(pids) {
			t.Fatalf("holders of port %d = %v, want %v", s.Port, all, pids)
		}
		if !f.Holds(h) {
			t.Errorf("Holds(%+v) = false right after it was found", h)
		}
		in = append(in, h)
	}
	return in
}

func TestOwnerAsItIs(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name":"acme-web"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := begin(t, "listen", func(c *exec.Cmd) {
		c.Path, c.Args, c.Dir = program, []string{"acme server", "127.0.0.1:0", "--x"}, folder
	})
	o := held(t, New(), row(t, c.Inode), c.pid)[0].Owner
	if want := []string{"acme server", "127.0.0.1:0", "--x"}; !slices.Equal(o.Command, want) {
		t.Errorf("Command = %q, want %q", o.Command, want)
	}
	if o.Program != program || o.Folder != folder || o.Project != "acme-web" || o.ParentPID != os.Getpid() || o.Start == 0 {
		t.Errorf("owner = %+v; want program %s in %s (acme-web), parent %d, a start", o, program, folder, os.Getpid())
	}
	if me, err := user.Current(); err == nil && o.User != me.Username {
		t.Errorf("User = %q, want %q", o.User, me.Username)
	}
	if len(o.Parents) == 0 || o.Parents[0].PID != os.Getpid() {
		t.Errorf("Parents = %+v, want this test (%d) first", o.Parents, os.Getpid())
	}
}

func TestInheritedSocket(t *testing.T) {
	// The heir becomes this process's child when its parent ends, so that the
	// test can wait for its end.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	life, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	parent := begin(t, "parent", func(c *exec.Cmd) { c.ExtraFiles = []*os.File{life} })
	t.Cleanup(func() {
		_ = end.Close()
		parent.end()
		if _, err := unix.Wait4(parent.Child, nil, 0, nil); err != nil {
			t.Errorf("wait for the heir: %v", err)
		}
	})
	_ = life.Close()

	f, s := New(), row(t, parent.Inode)
	before := held(t, f, s, parent.pid, parent.Child)
	if got := before[1].Owner.ParentPID; got != parent.pid {
		t.Errorf("the heir's parent = %d, want %d", got, parent.pid)
	}
	parent.end()
	if f.Holds(before[0]) {
		t.Error("the parent ended, and Holds says that it holds the socket")
	}
	if !f.Holds(before[1]) {
		t.Error("the heir lives, and Holds says that it does not hold the socket")
	}
	heir := held(t, f, row(t, parent.Inode), parent.Child)[0].Owner
	if !heir.Same(before[1].Owner) || heir.ParentPID != os.Getpid() {
		t.Errorf("the heir = %+v; want the same process as before, now a child of %d", heir, os.Getpid())
	}
	if len(heir.Parents) == 0 || heir.Parents[0].PID != parent.pid {
		t.Errorf("the heir's parents = %+v, want them as first seen, %d first", heir.Parents, parent.pid)
	}
}

func TestSocketThatIsPassedOn(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine, its := os.NewFile(uintptr(pair[0]), "mine"), os.NewFile(uintptr(pair[1]), "its")
	defer mine.Close()
	defer its.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fd, inode := descriptor(ln)
	f, s := New(), row(t, inode)
	giver := held(t, f, s, os.Getpid())[0]
	if giver.FD != fd || giver.Inode != inode {
		t.Errorf("holding = descriptor %d of inode %d, want %d of %d", giver.FD, giver.Inode, fd, inode)
	}

	if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0); err != nil {
		t.Fatal(err)
	}
	taker := begin(t, "taker", func(c *exec.Cmd) { c.ExtraFiles = []*os.File{its} })
	held(t, f, s, os.Getpid(), taker.pid)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Holds(giver) {
		t.Error("the giver closed its socket, and Holds says that it holds it")
	}
	held(t, f, row(t, inode), taker.pid)
}

// Calm is false of a process that was not asked about, holds more or less than
// it did, or has ended.
func TestCalm(t *testing.T) {
	f := New().(*finder)
	want := func(pid int, calm bool, when string) {
		t.Helper()
		if got := f.Calm(pid); got != calm {
			t.Errorf("Calm = %t %s, want %t", got, when, calm)
		}
	}
	c := begin(t, "listen")
	want(c.pid, false, "at first")
	if f.fdChecks[c.pid].descriptors == 0 {
		t.Skip("this kernel does not tell how many descriptors a process has (Linux 6.2 does)")
	}
	want(c.pid, true, "of a child that does nothing")
	f.fdChecks[c.pid] = fdCheck{f.fdChecks[c.pid].fdCount, time.Now().Add(-fdCheckTTL)}
	want(c.pid, false, "after a while")
	c.end()
	want(c.pid, false, "of a process that has ended")

	mine := os.Getpid()
	files := []*os.File{nil}
	for i := range 50 { // others of this process's come and go: its finalizers, its poller
		f.Calm(mine)
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, null)
		if !f.Calm(mine) {
			break
		}
		if i == 49 {
			t.Error("Calm = true of a process that has opened a file, each of 50 times")
		}
	}
	for _, file := range files[1:] {
		_ = file.Close()
	}
}

func TestNothingHasStarted(t *testing.T) {
	before := startMark{last: "17", at: time.Unix(1000, 0)}
	for _, c := range []struct {
		now   startMark
		quiet bool
	}{
		{startMark{"17", before.at.Add(15 * time.Second)}, true},
		{startMark{"18", before.at.Add(15 * time.Second)}, false},
		{startMark{"17", before.at.Add(noStartTTL)}, false},
		{startMark{"", before.at.Add(15 * time.Second)}, false},
	} {
		if got := before.noStartUntil(c.now); got != c.quiet {
			t.Errorf("quiet(%+v) after %+v = %t, want %t", c.now, before, got, c.quiet)
		}
	}
	if unread := (startMark{at: before.at}); unread.noStartUntil(startMark{at: before.at}) {
		t.Error("quiet, and nothing could be read")
	}
	m := currentMark()
	begin(t, "listen")
	if now := currentMark(); m.last == "" || m.noStartUntil(now) {
		t.Errorf("a process has started: %+v, then %+v", m, now)
	}
}

// A process that starts is found by the next search for recent ones.
func TestRecentFindsWhatStarted(t *testing.T) {
	f := New()
	if err := f.Find(t.Context(), monitor.Everywhere, nil, nil); err != nil {
		t.Fatal(err)
	}
	c := begin(t, "listen")
	var found []int
	if err := f.Find(t.Context(), monitor.Recent, []monitor.Socket{row(t, c.Inode)}, func(h monitor.Holding) { found = append(found, h.Owner.PID) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, []int{c.pid}) {
		t.Errorf("found %v, want %d", found, c.pid)
	}
}

func TestMainThreadThatEnded(t *testing.T) {
	c := begin(t, "main thread ends")
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.pid))
	if err == nil && len(names) > 0 {
		t.Errorf("/proc/%d/fd has %d entries; want none, or the test is about nothing", c.pid, len(names))
	}
	held(t, New(), row(t, c.Inode), c.pid)
}

func TestTwoProcessesOnOnePort(t *testing.T) {
	first := begin(t, "listen")
	second := begin(t, "listen", func(c *exec.Cmd) { c.Args = append(c.Args, fmt.Sprintf("127.0.0.1:%d", first.Port)) })
	f := New()
	held(t, f, row(t, first.Inode), first.pid)
	held(t, f, row(t, second.Inode), second.pid)
	first.end()
	held(t, f, row(t, second.Inode), second.pid)
}

// A look at one socket finds no other's holders, and a socket without an inode,
// as the kernel itself may have, is nobody's.
func TestOnlyWhatIsAskedFor(t *testing.T) {
	c := begin(t, "listen")
	if got := holders(t, New(), monitor.Socket{ID: 1, Port: uint16(c.Port), Inode: 1}); len(got) != 0 {
		t.Errorf("holders of inode 1 = %v, want none", got)
	}
	if got := holders(t, New(), monitor.Socket{ID: 1, Port: uint16(c.Port)}); len(got) != 0 {
		t.Errorf("holders of a socket without an inode = %v, want none", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	New().Find(ended, monitor.Everywhere, []monitor.Socket{row(t, c.Inode)}, func(h monitor.Holding) { t.Errorf("found %+v after the end of ctx", h) })
}

func TestProcessThatEnded(t *testing.T) {
	c := begin(t, "listen")
	f := New()
	h := held(t, f, row(t, c.Inode), c.pid)[0]
	younger := h
	younger.Owner.Start++
	if f.Holds(younger) {
		t.Error("Holds is true of a process with another start")
	}
	c.end()
	if f.Holds(h) {
		t.Error("Holds is true of a process that ended")
	}
	if s, ok := listed(t, c.Inode); ok {
		t.Errorf("row %+v after its owner ended, want none", s)
	}
}

// Processes that come and go during the search cost nobody else's row.
func TestSearchAmongProcessesThatEnd(t *testing.T) {
	c := begin(t, "listen")
	s, f := row(t, c.Inode), New()
	stop := make(chan struct{})
	var churn sync.WaitGroup
	churn.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command("/bin/true").Run() // that it may not be there changes little
			}
		}
	})
	defer churn.Wait()
	defer close(stop)
	for deadline := time.Now().Add(500 * time.Millisecond); time.Now().Before(deadline); {
		if _, ok := holders(t, f, s)[c.pid]; !ok {
			t.Fatalf("process %d, which holds port %d all the time, was not found", c.pid, s.Port)
		}
	}
}

func TestTheOrderOfTheSearch(t *testing.T) {
	f := New().(*finder)
	const nobody = 1 << 30
	f.known[os.Getpid()] = monitor.Owner{PID: os.Getpid()}
	f.known[nobody] = monitor.Owner{PID: nobody}
	pids := f.processes()
	if !slices.IsSortedFunc(pids, func(a, b int) int { return b - a }) {
		t.Errorf("processes = %v, want the newest first", pids)
	}
	if _, ok := f.known[nobody]; ok {
		t.Error("a process that is gone is still known")
	}
	counts := f.countFDs(pids)
	if changed, rest := f.splitByChange(pids, counts); len(changed) != len(pids) || len(rest) != 0 {
		t.Errorf("at first %d of %d processes count as changed; want all", len(changed), len(pids))
	}
	f.fdCounts = counts
	later := maps.Clone(counts)
	last := pids[len(pids)-1]
	later[last] = fdCount{later[last].descriptors + 1, later[last].folder}
	changed, rest := f.splitByChange(pids, later)
	if !slices.Equal(changed, pids[len(pids)-1:]) || len(rest) == 0 || rest[0] != os.Getpid() {
		t.Errorf("changed = %v, rest = %v…; want %v first, then %d, who holds listeners", changed, rest[:1], pids[len(pids)-1:], os.Getpid())
	}
}

func TestARecentSearchFindsWhoIsNewAndWhoHoldsMore(t *testing.T) {
	f := New().(*finder)
	f.Find(t.Context(), monitor.Everywhere, nil, nil)
	find := func(s monitor.Socket) (pids []int) {
		f.mark.at = time.Now().Add(-noStartTTL) // it is not let be
		f.Find(t.Context(), monitor.Recent, []monitor.Socket{s}, func(h monitor.Holding) { pids = append(pids, h.Owner.PID) })
		return pids
	}
	c := begin(t, "listen")
	s := row(t, c.Inode)
	if got := find(s); !slices.Equal(got, []int{c.pid}) {
		t.Errorf("a new process: found %v, want %d", got, c.pid)
	}
	if got := find(s); slices.Contains(got, c.pid) {
		t.Errorf("the second time it is searched again, though nothing changed: %v", got)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if got := find(row(t, inodeOfListener(t, ln))); !slices.Contains(got, os.Getpid()) {
		t.Errorf("a process that holds one more: found %v, want %d", got, os.Getpid())
	}
}

func inodeOfListener(t *testing.T, ln net.Listener) uint64 {
	t.Helper()
	_, inode := descriptor(ln)
	return inode
}

func BenchmarkFind(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	_, inode := descriptor(ln)
	s := monitor.Socket{ID: 1, Inode: inode}
	for name, scope := range map[string]monitor.Scope{"likely": monitor.Likely, "recent": monitor.Recent, "everywhere": monitor.Everywhere} {
		b.Run(name, func(b *testing.B) {
			f := New()
			f.Find(b.Context(), monitor.Everywhere, []monitor.Socket{s}, func(monitor.Holding) {})
			for b.Loop() {
				f.Find(b.Context(), scope, []monitor.Socket{s}, func(monitor.Holding) {})
			}
		})
	}
}

func TestSocketInode(t *testing.T) {
	for link, want := range map[string]uint64{
		"socket:[62893]": 62893, "socket:[]": 0, "socket:[12a]": 0, "socket:[-1]": 0, "pipe:[62893]": 0,
		"/dev/null": 0, "/tmp/socket:[62893]": 0, "": 0, "socket:[99999999999999999999]": 0,
	} {
		if got := socketInode([]byte(link)); got != want {
			t.Errorf("socketInode(%q) = %d, want %d", link, got, want)
		}
	}
}

func TestHiddenSaysWhy(t *testing.T) {
	for _, test := range []struct {
		me     int
		socket uint32
		want   string
	}{
		{1000, 0, monitor.UnknownForeign},
		{1000, 1001, monitor.UnknownForeign},
		{1000, 1000, monitor.UnknownNotFound},
		{0, 1000, monitor.UnknownNotFound},
		{0, 0, monitor.UnknownNotFound},
	} {
		f := &finder{uid: test.me}
		if got := f.Hidden(monitor.Socket{UID: test.socket}).Reason; got != test.want {
			t.Errorf("user %d looks at a socket of user %d: %q, want %q", test.me, test.socket, got, test.want)
		}
	}
}

// Root's listener, looked for by nobody: the port is there, its owner hidden.
func TestAnotherUsersSocket(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to look as another user")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, inode := descriptor(ln)
	got := begin(t, "searcher", func(c *exec.Cmd) {
		c.Args = append(c.Args, fmt.Sprint(inode))
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}).said
	want := said{Listed: true, Port: ln.Addr().(*net.TCPAddr).Port, User: "root", Hidden: monitor.UnknownForeign}
	if got != want {
		t.Errorf("as another user: %+v, want %+v", got, want)
	}
}

// And the other way round: root sees whose process it is.
func TestRootSeesEveryUsersProcess(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to see every user's processes")
	}
	c := begin(t, "listen", func(c *exec.Cmd) {
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	})
	s := row(t, c.Inode)
	if o := held(t, New(), s, c.pid)[0].Owner; s.UID != 65534 || o.User != s.User {
		t.Errorf("socket of %d (%s), owner of %s; want user 65534 both", s.UID, s.User, o.User)
	}
}

func TestAnotherNetworkNamespace(t *testing.T) {
	c, err := try(t, "listen", func(c *exec.Cmd) {
		c.Args = append(c.Args, "0.0.0.0:0")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if os.Getuid() != 0 {
			c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		}
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC) {
		t.Skipf("needs root, or a kernel that lets every user make a network namespace: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := listed(t, c.Inode); ok {
		t.Errorf("row %+v of another network namespace, want none", s)
	}
}
