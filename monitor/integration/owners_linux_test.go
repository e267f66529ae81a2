package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/internal/rawsocket"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// another gives the child its own copy of the program: children with the same program
// count as workers of one server.
func another(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	return child.Running(child.Copy(t, "another"))
}

func TestTwoProcessesOnOneAddress(t *testing.T) {
	first := child.Serve(t, "listen", child.With("127.0.0.1:0"))
	second := child.Serve(t, "listen", child.With(fmt.Sprintf("127.0.0.1:%d", first.Port)), another(t))
	w := watch(t, first.Port, 20*time.Millisecond)
	// If both started in the same tick, the lower PID is first.
	w.see("both", func(s monitor.Snapshot) bool {
		rows := onPort(s, first.Port)
		return len(rows) == 1 && len(rows[0].Sockets) == 2 && len(rows[0].Owners) == 2
	})
	id := onPort(w.now, first.Port)[0].ID
	second.End()
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", first.PID))
	w.refresh()
	for _, c := range w.notable() {
		if c.Kind == monitor.Closed || c.Kind == monitor.Opened {
			t.Errorf("got event %s; the port was open all the time", c.Kind)
		}
	}
	if got := onPort(w.now, first.Port)[0].ID; got != id {
		t.Errorf("the listener was %s and is %s", id, got)
	}
	first.End()
	w.see("closed", func(monitor.Snapshot) bool { return strings.HasSuffix(w.kinds(), "closed") })
}

func TestInheritedListener(t *testing.T) {
	parent := child.ServeParent(t)
	worker := parent.Workers[0]
	w := watch(t, parent.Port, 20*time.Millisecond)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d %d]", parent.PID, worker))
	parent.End()
	w.until("owner_changed")
	if got, want := format(onPort(w.now, parent.Port)), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", worker); got != want {
		t.Errorf("listener = %s, want %s", got, want)
	}
}

func TestDescriptorPassedOverAUnixSocket(t *testing.T) {
	r := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	fd, err := unix.Dup(r.FD) // the cleanup closes r.FD
	if err != nil {
		t.Fatal(err)
	}
	unix.CloseOnExec(fd)
	if err := unix.Close(r.FD); err != nil {
		t.Fatal(err)
	}
	giver := rawsocket.Socket{FD: fd, Port: r.Port}.Listen(t)
	w := watch(t, int(giver.Port), 20*time.Millisecond)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	before := onPort(w.now, int(giver.Port))[0]

	taker := child.PassTo(t, fd)
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	w.until("owner_changed")
	after := onPort(w.now, int(giver.Port))[0]
	if got := pids(after); !slices.Equal(got, []int{taker.PID}) || after.ID != before.ID || after.Sockets[0].ID != before.Sockets[0].ID {
		t.Errorf("listener %s with socket %d of %v; want %s, %d, %d", after.ID, after.Sockets[0].ID, got, before.ID, before.Sockets[0].ID, taker.PID)
	}
}

func TestExitedMainThread(t *testing.T) {
	c := child.Serve(t, "main thread ends", child.With("--port", "62893"))
	l := wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if o := l.Owners[0]; !slices.Equal(o.Command, []string{"/proc/self/exe", "--port", "62893"}) || o.Program != program || o.Folder == "" {
		t.Errorf("owner = %+v, want its command, the program %s and a folder", o, program)
	}
}

func TestListenerOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to run as another user")
	}
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	mine := wantListener(t, child.Port(ln), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	got := observeAsNobody(t, child.Port(ln), os.Getpid())
	if len(got.Listeners) != 1 || format(got.Listeners) != "tcp [127.0.0.1] loopback, 1 sockets of []" {
		t.Fatalf("another user sees %q, want the port without a PID", format(got.Listeners))
	}
	if l := got.Listeners[0]; l.User != "root" || l.OwnerUnknown != monitor.UnknownForeign || got.Cgroup != mine.Sockets[0].Cgroup {
		t.Errorf("user %q, reason %q, cgroup %d; want root, %q, %d", l.User, l.OwnerUnknown, got.Cgroup, monitor.UnknownForeign, mine.Sockets[0].Cgroup)
	}
	if mine.Sockets[0].Cgroup == 0 {
		t.Log("this kernel does not report the control group of a socket")
	}
	if o := got.Info; got.Denied != "" || !slices.Equal(o.Command, os.Args) || o.Program != "" || o.Folder != "" || o.User != "root" {
		t.Errorf("process of root: got %+v (%s); want its command and user, not its program and folder", o, got.Denied)
	}
}

// A server that root started opens its port and becomes another user: that user runs it.
func TestServerThatBecameAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user")
	}
	c := child.Serve(t, "become nobody", child.With("127.0.0.1:0"))
	l := wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
	if l.User != "nobody" || l.Owners[0].User != "nobody" || l.Sockets[0].UID != 0 {
		t.Errorf("user %q, owner's user %q, the socket's user ID %d; want nobody, nobody and 0", l.User, l.Owners[0].User, l.Sockets[0].UID)
	}
}

func TestProcWithHidepid(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount /proc with hidepid=2 and run as another user")
	}
	if !namespaces.Inside(t, unix.CLONE_NEWNS|unix.CLONE_NEWPID) {
		return
	}
	if err := namespaces.MountProc("hidepid=2"); err != nil {
		t.Skip(err)
	}
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := observeAsNobody(t, child.Port(ln), os.Getpid())
	if got.Denied == "" {
		t.Fatalf("the process is visible: %+v; this test is void", got.Info)
	}
	if len(got.Listeners) != 1 || format(got.Listeners) != "tcp [127.0.0.1] loopback, 1 sockets of []" {
		t.Fatalf("got %q, want the port without a PID", format(got.Listeners))
	}
	if l := got.Listeners[0]; l.User != "root" || l.OwnerUnknown != monitor.UnknownForeign {
		t.Errorf("user %q, reason %q; want root, %q", l.User, l.OwnerUnknown, monitor.UnknownForeign)
	}
}

// As with systemd: process 1 holds the listener and passed it to a service.
func TestServiceIsPrincipalBeforeInit(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWNET) {
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	wantListener(t, child.Port(ln), "tcp [127.0.0.1] loopback, 1 sockets of [1]")
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	service := child.Serve(t, "hold", child.Holding(file))
	wantListener(t, child.Port(ln), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d 1]", service.PID))
}

// Processes that start and exit during a scan do not hide other owners.
func TestScanAmongShortLivedProcesses(t *testing.T) {
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"))
	child.StartChurn(t, 2)
	m := needMonitor(t, false, 0)
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID)
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
		if got := format(onPort(snapshot(t, m), c.Port)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestNamesOfProcesses(t *testing.T) {
	for name, test := range map[string]struct{ comm, program, want string }{
		"spaces, brackets and newlines": {"a b) R 1\nc (d", "/proc/self/exe", "a b) R 1\nc (d"},
		"longer than 15 bytes":          {"", child.Copy(t, "a-name-longer-than-fifteen-bytes"), "a-name-longer-than-fifteen-bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			c := child.Serve(t, "listen", child.With("127.0.0.1:0"), func(c *exec.Cmd) {
				c.Path, c.Args[0] = test.program, test.program
				c.Env = append(c.Env, child.NameVariable+"="+test.comm)
			})
			o := wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID)).Owners[0]
			// gopsutil escapes a newline, as the kernel does.
			if got := strings.ReplaceAll(o.Name, `\n`, "\n"); got != test.want {
				t.Errorf("Name = %q, want %q", o.Name, test.want)
			}
			if o.ParentPID != os.Getpid() || !process.IsAlive(c.PID, o.Start) || o.Start < processStart(t) {
				t.Errorf("parent %d, start %d; want %d, and a start since %d", o.ParentPID, o.Start, os.Getpid(), processStart(t))
			}
		})
	}
}

// processStart returns the start of this process.
func processStart(t *testing.T) uint64 {
	t.Helper()
	o, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return o.Start
}

func TestDeletedProgram(t *testing.T) {
	program := child.Copy(t, "server")
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"), child.Running(program))
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID)
	if o := wantListener(t, c.Port, want).Owners[0]; o.Program != program || o.Deleted {
		t.Errorf("program %q, deleted %t; want %q, not deleted", o.Program, o.Deleted, program)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if o := wantListener(t, c.Port, want).Owners[0]; o.Program != program || !o.Deleted {
		t.Errorf("program %q, deleted %t; want %q, deleted", o.Program, o.Deleted, program)
	}
}
