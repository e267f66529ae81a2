package owner

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process/child"
	"porthole/monitor/socket"
)

// listed returns the socket with that inode number from the kernel's table.
func listed(t *testing.T, inode uint64) (monitor.Socket, bool) {
	t.Helper()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if !strings.HasPrefix(table.Source(), "sock_diag") {
		t.Skipf("%s reports no inode numbers", table.Source())
	}
	all, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Inode == inode })
	if i < 0 {
		return monitor.Socket{}, false
	}
	return all[i], true
}

func socketOf(t *testing.T, inode uint64) monitor.Socket {
	t.Helper()
	s, ok := listed(t, inode)
	if !ok {
		t.Fatalf("the table has no socket with inode %d", inode)
	}
	return s
}

// holders returns the holders of s by PID.
func holders(t *testing.T, f monitor.Finder, s monitor.Socket) map[int]monitor.Holding {
	t.Helper()
	all := make(map[int]monitor.Holding)
	f.Find(t.Context(), monitor.Everywhere, []monitor.Socket{s}, func(h monitor.Holding) {
		if h.Socket != s.ID {
			t.Errorf("got a holder of socket %d, want socket %d", h.Socket, s.ID)
		}
		if _, twice := all[h.Owner.PID]; twice {
			t.Errorf("process %d was found twice", h.Owner.PID)
		}
		all[h.Owner.PID] = h
	})
	return all
}

// held fails unless exactly these processes hold s, and returns the holdings in their
// order.
func held(t *testing.T, f monitor.Finder, s monitor.Socket, pids ...int) []monitor.Holding {
	t.Helper()
	all := holders(t, f, s)
	var in []monitor.Holding
	for _, pid := range pids {
		h, ok := all[pid]
		if !ok || len(all) != len(pids) {
			t.Fatalf("holders of port %d = %v, want %v", s.Port, all, pids)
		}
		if !exists(f, h) {
			t.Errorf("Verify reports %+v as gone, which was just found", h)
		}
		in = append(in, h)
	}
	return in
}

// exists checks a holding, even if the descriptor count of its process is unchanged.
func exists(f monitor.Finder, h monitor.Holding) bool {
	clear(f.(*finder).fdChecks)
	gone, _ := f.Verify([]monitor.Holding{h})
	return len(gone) == 0
}

func TestOwner(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name":"acme-web"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := child.Serve(t, "listen", func(c *exec.Cmd) {
		c.Path, c.Args, c.Dir = program, []string{"acme server", "127.0.0.1:0", "--x"}, folder
	})
	o := held(t, New(), socketOf(t, c.Inode), c.PID)[0].Owner
	if want := []string{"acme server", "127.0.0.1:0", "--x"}; !slices.Equal(o.Command, want) {
		t.Errorf("Command = %q, want %q", o.Command, want)
	}
	if o.Program != program || o.Folder != folder || o.ParentPID != os.Getpid() || o.Start == 0 {
		t.Errorf("owner = %+v; want program %s in %s, parent %d, a start", o, program, folder, os.Getpid())
	}
	if me, err := user.Current(); err == nil && o.User != me.Username {
		t.Errorf("User = %q, want %q", o.User, me.Username)
	}
	if len(o.Parents) == 0 || o.Parents[0].PID != os.Getpid() {
		t.Errorf("Parents = %+v, want this test (%d) first", o.Parents, os.Getpid())
	}
}

func TestInheritedSocket(t *testing.T) {
	parent := child.ServeParent(t)
	worker := parent.Workers[0]
	f, s := New(), socketOf(t, parent.Inode)
	before := held(t, f, s, parent.PID, worker)
	if got := before[1].Owner.ParentPID; got != parent.PID {
		t.Errorf("the worker's parent = %d, want %d", got, parent.PID)
	}
	parent.End()
	if exists(f, before[0]) {
		t.Error("Verify does not report the socket of the exited parent as gone")
	}
	if !exists(f, before[1]) {
		t.Error("Verify reports the socket of the running heir as gone")
	}
	heir := held(t, f, socketOf(t, parent.Inode), worker)[0].Owner
	if !heir.Same(before[1].Owner) || heir.ParentPID != os.Getpid() {
		t.Errorf("heir = %+v; want the same process as before, now a child of %d", heir, os.Getpid())
	}
	if len(heir.Parents) == 0 || heir.Parents[0].PID != parent.PID {
		t.Errorf("parents of the worker = %+v, want them as first seen, %d first", heir.Parents, parent.PID)
	}
}

func TestPassedSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fd, inode := child.Descriptor(ln)
	f, s := New(), socketOf(t, inode)
	giver := held(t, f, s, os.Getpid())[0]
	if giver.FD != fd || giver.Inode != inode {
		t.Errorf("holding = descriptor %d of inode %d, want %d of %d", giver.FD, giver.Inode, fd, inode)
	}

	taker := child.PassTo(t, fd)
	held(t, f, s, os.Getpid(), taker.PID)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(f, giver) {
		t.Error("Verify does not report the socket that its giver closed as gone")
	}
	held(t, f, socketOf(t, inode), taker.PID)
}

// fdsUnchanged is false for a process that was not checked before, whose descriptor
// count has changed, or that has exited.
func TestFDsUnchanged(t *testing.T) {
	f := New().(*finder)
	want := func(pid int, unchanged bool, when string) {
		t.Helper()
		if got := f.fdsUnchanged(pid); got != unchanged {
			t.Errorf("fdsUnchanged = %t %s, want %t", got, when, unchanged)
		}
	}
	c := child.Serve(t, "listen")
	want(c.PID, false, "the first time")
	if f.fdChecks[c.PID].descriptors == 0 {
		t.Skip("this kernel does not report descriptor counts (Linux 6.2 does)")
	}
	want(c.PID, true, "for an idle child")
	f.fdChecks[c.PID] = fdCheck{f.fdChecks[c.PID].fdCount, time.Now().Add(-fdCheckTTL)}
	want(c.PID, false, "after fdCheckTTL")
	c.End()
	want(c.PID, false, "for an exited process")

	mine := os.Getpid()
	files := []*os.File{nil}
	for i := range 50 { // finalizers and the poller of this process open and close others
		f.fdsUnchanged(mine)
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, null)
		if !f.fdsUnchanged(mine) {
			break
		}
		if i == 49 {
			t.Error("fdsUnchanged = true for a process that has opened a file, each of 50 times")
		}
	}
	for _, file := range files[1:] {
		_ = file.Close()
	}
}

// As long as the descriptor count of a process is unchanged, its holdings are not
// checked one by one.
func TestVerifySkipsProcessesWithUnchangedFDs(t *testing.T) {
	f := New().(*finder)
	c := child.Serve(t, "listen")
	h := held(t, f, socketOf(t, c.Inode), c.PID)[0]
	if f.fdChecks[c.PID].descriptors == 0 {
		t.Skip("this kernel does not report descriptor counts (Linux 6.2 does)")
	}
	wrong := h
	wrong.Inode++ // gone, if it is checked
	if gone, _ := f.Verify([]monitor.Holding{h, wrong}); len(gone) != 0 {
		t.Errorf("Verify = %+v while the descriptor count is unchanged, want nothing", gone)
	}
	f.fdChecks[c.PID] = fdCheck{f.fdChecks[c.PID].fdCount, time.Now().Add(-fdCheckTTL)}
	if gone, _ := f.Verify([]monitor.Holding{h, wrong}); len(gone) != 1 || gone[0].Inode != wrong.Inode {
		t.Errorf("Verify = %+v after fdCheckTTL, want %+v", gone, wrong)
	}
}

func TestNoStartUntil(t *testing.T) {
	before := startMark{last: "17", at: time.Unix(1000, 0)}
	for _, c := range []struct {
		now  startMark
		want bool
	}{
		{startMark{"17", before.at.Add(15 * time.Second)}, true},
		{startMark{"18", before.at.Add(15 * time.Second)}, false},
		{startMark{"17", before.at.Add(noStartTTL)}, false},
		{startMark{"", before.at.Add(15 * time.Second)}, false},
	} {
		if got := before.noStartUntil(c.now); got != c.want {
			t.Errorf("noStartUntil(%+v) after %+v = %t, want %t", c.now, before, got, c.want)
		}
	}
	if unread := (startMark{at: before.at}); unread.noStartUntil(startMark{at: before.at}) {
		t.Error("noStartUntil = true for marks that could not be read")
	}
	m := currentMark()
	child.Serve(t, "listen")
	if now := currentMark(); m.last == "" || m.noStartUntil(now) {
		t.Errorf("a process has started, but the marks are %+v, then %+v", m, now)
	}
}

// The next Recent search finds a process that has just started.
func TestRecentFindsNewProcess(t *testing.T) {
	f := New()
	if err := f.Find(t.Context(), monitor.Everywhere, nil, nil); err != nil {
		t.Fatal(err)
	}
	c := child.Serve(t, "listen")
	var found []int
	if err := f.Find(t.Context(), monitor.Recent, []monitor.Socket{socketOf(t, c.Inode)}, func(h monitor.Holding) { found = append(found, h.Owner.PID) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, []int{c.PID}) {
		t.Errorf("got %v, want %d", found, c.PID)
	}
}

func TestExitedMainThread(t *testing.T) {
	c := child.Serve(t, "main thread ends")
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.PID))
	if err == nil && len(names) > 0 {
		t.Errorf("/proc/%d/fd has %d entries; want none, or this test is void", c.PID, len(names))
	}
	held(t, New(), socketOf(t, c.Inode), c.PID)
}

func TestTwoProcessesOnOnePort(t *testing.T) {
	first := child.Serve(t, "listen")
	second := child.Serve(t, "listen", child.With(fmt.Sprintf("127.0.0.1:%d", first.Port)))
	f := New()
	held(t, f, socketOf(t, first.Inode), first.PID)
	held(t, f, socketOf(t, second.Inode), second.PID)
	first.End()
	held(t, f, socketOf(t, second.Inode), second.PID)
}

// A search finds only holders of the given sockets, and none of a socket without an
// inode number, such as the kernel's own.
func TestOtherSocketsAreNotFound(t *testing.T) {
	c := child.Serve(t, "listen")
	if got := holders(t, New(), monitor.Socket{ID: 1, Port: uint16(c.Port), Inode: 1}); len(got) != 0 {
		t.Errorf("holders of inode 1 = %v, want none", got)
	}
	if got := holders(t, New(), monitor.Socket{ID: 1, Port: uint16(c.Port)}); len(got) != 0 {
		t.Errorf("holders of a socket without an inode = %v, want none", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	New().Find(ended, monitor.Everywhere, []monitor.Socket{socketOf(t, c.Inode)}, func(h monitor.Holding) { t.Errorf("got %+v after the end of ctx", h) })
}

func TestExitedProcess(t *testing.T) {
	c := child.Serve(t, "listen")
	f := New()
	h := held(t, f, socketOf(t, c.Inode), c.PID)[0]
	younger := h
	younger.Owner.Start++
	if exists(f, younger) {
		t.Error("Verify does not report the holding of a process with another start as gone")
	}
	c.End()
	if exists(f, h) {
		t.Error("Verify does not report the holding of an exited process as gone")
	}
	if s, ok := listed(t, c.Inode); ok {
		t.Errorf("got %+v after its owner exited, want none", s)
	}
}

// Processes that start and exit during a search do not hide other holders.
func TestSearchAmongShortLivedProcesses(t *testing.T) {
	c := child.Serve(t, "listen")
	s, f := socketOf(t, c.Inode), New()
	child.StartChurn(t, 1)
	for deadline := time.Now().Add(500 * time.Millisecond); time.Now().Before(deadline); {
		if _, ok := holders(t, f, s)[c.PID]; !ok {
			t.Fatalf("process %d, which holds port %d, was not found", c.PID, s.Port)
		}
	}
}

func TestSearchOrder(t *testing.T) {
	f := New().(*finder)
	const none = 1 << 30 // not a PID
	f.known[os.Getpid()] = monitor.Owner{PID: os.Getpid()}
	f.known[none] = monitor.Owner{PID: none}
	pids := f.processes()
	if !slices.IsSortedFunc(pids, func(a, b int) int { return b - a }) {
		t.Errorf("processes = %v, want the newest first", pids)
	}
	if _, ok := f.known[none]; ok {
		t.Error("an exited process is still known")
	}
	counts := f.countFDs(pids)
	pids = slices.DeleteFunc(pids, func(pid int) bool { _, runs := counts[pid]; return !runs }) // the others have exited meanwhile
	if changed, rest := f.splitByChange(pids, counts); len(changed) != len(pids) || len(rest) != 0 {
		t.Errorf("first time: %d of %d processes count as changed, want all", len(changed), len(pids))
	}
	f.fdCounts = counts
	later := maps.Clone(counts)
	last := pids[len(pids)-1]
	later[last] = fdCount{later[last].descriptors + 1, later[last].folder}
	changed, rest := f.splitByChange(pids, later)
	if !slices.Equal(changed, pids[len(pids)-1:]) || len(rest) == 0 || rest[0] != os.Getpid() {
		t.Errorf("changed = %v, rest = %v…; want %v, then %d, which holds listeners", changed, rest[:1], pids[len(pids)-1:], os.Getpid())
	}
}

func TestRecentFindsNewProcessesAndNewDescriptors(t *testing.T) {
	f := New().(*finder)
	f.Find(t.Context(), monitor.Everywhere, nil, nil)
	find := func(s monitor.Socket) (pids []int) {
		f.mark.at = time.Now().Add(-noStartTTL) // so that the search is not skipped
		f.Find(t.Context(), monitor.Recent, []monitor.Socket{s}, func(h monitor.Holding) { pids = append(pids, h.Owner.PID) })
		return pids
	}
	c := child.Serve(t, "listen")
	s := socketOf(t, c.Inode)
	if got := find(s); !slices.Equal(got, []int{c.PID}) {
		t.Errorf("new process: got %v, want %d", got, c.PID)
	}
	if got := find(s); slices.Contains(got, c.PID) {
		t.Errorf("second search: got %v, want nothing", got)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if got := find(socketOf(t, child.Inode(ln))); !slices.Contains(got, os.Getpid()) {
		t.Errorf("process with one more descriptor: got %v, want %d", got, os.Getpid())
	}
}

func BenchmarkFind(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	inode := child.Inode(ln)
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

func TestWhyUnknown(t *testing.T) {
	for _, test := range []struct {
		me     int
		socket uint32
		want   string
	}{
		{1000, 0, monitor.UnknownForeign},
		{1000, 1001, monitor.UnknownForeign},
		{1000, 1000, monitor.UnknownNotFound},
		{0, 1000, monitor.UnknownKernel},
		{0, 0, monitor.UnknownKernel},
	} {
		f := &finder{uid: test.me}
		if got := f.WhyUnknown(monitor.Socket{UID: test.socket}).Reason; got != test.want {
			t.Errorf("user %d, socket of user %d: got %q, want %q", test.me, test.socket, got, test.want)
		}
	}
	for name, test := range map[string]struct {
		finder finder
		want   string
	}{
		"some process could not be read": {finder{denied: true}, monitor.UnknownNotFound},
		"a process uses io_uring":        {finder{rings: map[int]bool{7: true}}, monitor.UnknownNoFile},
		"root in a PID namespace":        {finder{inNamespace: true}, monitor.UnknownOutside},
		"a user in a PID namespace":      {finder{uid: 1000, inNamespace: true}, monitor.UnknownForeign},
	} {
		if got := test.finder.WhyUnknown(monitor.Socket{}).Reason; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	f := &finder{uid: 1000, inNamespace: true}
	if got := f.WhyUnknown(monitor.Socket{UID: 4_000_000_001}).Reason; got != monitor.UnknownOutside {
		t.Errorf("in a PID namespace without a process of the socket's user: got %q, want %q", got, monitor.UnknownOutside)
	}
}

// User nobody sees a listener of root, but not its owner.
func TestListenerOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to run as another user")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	inode := child.Inode(ln)
	got := searchAsNobody(t, inode)
	want := searched{Listed: true, Port: ln.Addr().(*net.TCPAddr).Port, User: "root", Unknown: monitor.UnknownForeign}
	if got != want {
		t.Errorf("as another user: got %+v, want %+v", got, want)
	}
}

// Root sees the owner of every listener.
func TestRootSeesOwnersOfAllUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to see the processes of all users")
	}
	c := child.Serve(t, "listen", child.AsNobody)
	s := socketOf(t, c.Inode)
	if o := held(t, New(), s, c.PID)[0].Owner; s.UID != 65534 || o.UserID != "65534" {
		t.Errorf("socket of %d, owner of %s; want user 65534 for both", s.UID, o.UserID)
	}
}

func TestAnotherNetworkNamespace(t *testing.T) {
	c, err := child.TryServe(t, "listen", child.With("0.0.0.0:0"), child.OwnNamespaces(syscall.CLONE_NEWNET))
	if child.Denied(err) {
		t.Skipf("needs root, or a kernel that lets every user create network namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := listed(t, c.Inode); ok {
		t.Errorf("got %+v of another network namespace, want none", s)
	}
}

// Facts that cannot be read for a while stay, or each failure would be reported as
// two updates of the listener.
func TestUnreadableFactsStay(t *testing.T) {
	known := monitor.Owner{PID: 7, Start: 1, ParentPID: 1, Name: "node", Command: []string{"node", "a.js"}, User: "ada", Program: "/usr/bin/node", Folder: "/src/shop",
		Unit: "shop.service", Parents: []monitor.Parent{{PID: 1}}}
	late := monitor.Owner{PID: 7, Start: 1, Name: "MainThread"}
	if got := keepKnown(late, known); !reflect.DeepEqual(got, known) {
		t.Errorf("nothing read: got %+v, want %+v", got, known)
	}
	moved := monitor.Owner{PID: 7, Start: 1, Command: known.Command, User: "ada", Program: "/usr/bin/node", Folder: "/src/other"}
	if got := keepKnown(moved, known); got.Folder != "/src/other" {
		t.Errorf("another folder: got %+v", got)
	}
}
