package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

func copyProgram(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	copyTo(t, path)
	return path
}

// copyTo makes path a copy of the test program.
func copyTo(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
}

// another lets the child run a program of its own: children with one program
// are taken for the workers of one server.
func another(t *testing.T) func(*exec.Cmd) {
	t.Helper()
	program := copyProgram(t, "another")
	return func(c *exec.Cmd) { c.Path = program }
}

func TestTwoProcessesOnOneAddress(t *testing.T) {
	first := begin(t, "listen", with("127.0.0.1:0"))
	second := begin(t, "listen", with(fmt.Sprintf("127.0.0.1:%d", first.Port)), another(t))
	w := watch(t, first.Port, 20*time.Millisecond)
	// Both may have started in one tick: then the lower number stands first.
	w.see("both", func(s monitor.Snapshot) bool {
		rows := onPort(s, first.Port)
		return len(rows) == 1 && len(rows[0].Sockets) == 2 && len(rows[0].Owners) == 2
	})
	id := onPort(w.now, first.Port)[0].ID
	second.end()
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", first.pid))
	w.look()
	for _, c := range w.loud() {
		if c.Kind == monitor.Closed || c.Kind == monitor.Opened {
			t.Errorf("told %s; the port was open all the time", c.Kind)
		}
	}
	if got := onPort(w.now, first.Port)[0].ID; got != id {
		t.Errorf("the row was %s and is %s", id, got)
	}
	first.end()
	w.see("closed", func(monitor.Snapshot) bool { return strings.HasSuffix(w.told(), "closed") })
}

func TestListenerThatAChildInherits(t *testing.T) {
	// The child becomes this process's when its parent ends, so that the test
	// can wait for its end.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	life, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	parent := begin(t, "parent", holding(life))
	t.Cleanup(func() {
		_ = end.Close()
		parent.end()
		if _, err := unix.Wait4(parent.Child, nil, 0, nil); err != nil {
			t.Errorf("wait for the child: %v", err)
		}
	})
	_ = life.Close()
	w := watch(t, parent.Port, 20*time.Millisecond)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d %d]", parent.pid, parent.Child))
	parent.end()
	w.until("owner_changed")
	if got, want := picture(onPort(w.now, parent.Port)), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", parent.Child); got != want {
		t.Errorf("row = %s, want %s", got, want)
	}
}

func TestDescriptorPassedOverAUnixSocket(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine, its := os.NewFile(uintptr(pair[0]), "mine"), os.NewFile(uintptr(pair[1]), "its")
	defer mine.Close()
	defer its.Close()
	r := bind(t, unix.SOCK_STREAM, "127.0.0.1")
	fd, err := unix.Dup(r.fd) // r's is closed by the cleanup
	if err != nil {
		t.Fatal(err)
	}
	unix.CloseOnExec(fd)
	if err := unix.Close(r.fd); err != nil {
		t.Fatal(err)
	}
	giver := raw{fd, r.port}.listen(t)
	w := watch(t, giver.port, 20*time.Millisecond)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	before := onPort(w.now, giver.port)[0]

	if err := unix.Sendmsg(int(mine.Fd()), []byte{0}, unix.UnixRights(fd), nil, 0); err != nil {
		t.Fatal(err)
	}
	taker := begin(t, "taker", holding(its))
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	w.until("owner_changed")
	after := onPort(w.now, giver.port)[0]
	if got := pids(after); !slices.Equal(got, []int{taker.pid}) || after.ID != before.ID || after.Sockets[0].ID != before.Sockets[0].ID {
		t.Errorf("row %s with socket %d of %v; want %s, %d, %d", after.ID, after.Sockets[0].ID, got, before.ID, before.Sockets[0].ID, taker.pid)
	}
}

func TestMainThreadThatEnded(t *testing.T) {
	c := begin(t, "main thread ends", with("--port", "62893"))
	l := row(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.pid))
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if o := l.Owners[0]; !slices.Equal(o.Command, []string{"/proc/self/exe", "--port", "62893"}) || o.Program != program || o.Folder == "" {
		t.Errorf("owner = %+v, want its command, the program %s and a folder", o, program)
	}
}

func TestAnotherUsersListener(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to look as another user")
	}
	ln, err := listenOn("127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	mine := row(t, portOf(ln), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	got := begin(t, "observer", with(fmt.Sprint(portOf(ln)), fmt.Sprint(os.Getpid())), asNobody)
	if len(got.Rows) != 1 || picture(got.Rows) != "tcp [127.0.0.1] loopback, 1 sockets of []" {
		t.Fatalf("another user sees %q, want the port without a pid", picture(got.Rows))
	}
	if l := got.Rows[0]; l.User != "root" || l.OwnerUnknown != monitor.UnknownForeign || got.Cgroup != mine.Sockets[0].Cgroup {
		t.Errorf("user %q, hidden %q, cgroup %d; want root, %q, %d", l.User, l.OwnerUnknown, got.Cgroup, monitor.UnknownForeign, mine.Sockets[0].Cgroup)
	}
	if mine.Sockets[0].Cgroup == 0 {
		t.Log("this kernel tells no control group of a socket")
	}
	if o := got.Facts; got.Denied != "" || !slices.Equal(o.Command, os.Args) || o.Program != "" || o.Folder != "" || o.User != "root" {
		t.Errorf("facts of root's process: %+v (%s); want its command and user, not its program and folder", o, got.Denied)
	}
}

func TestProcThatHidesForeignProcesses(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to mount /proc with hidepid=2 and look as another user")
	}
	if !inside(t, unix.CLONE_NEWNS|unix.CLONE_NEWPID) {
		return
	}
	if err := mountProc("hidepid=2"); err != nil {
		t.Skip(err)
	}
	ln, err := listenOn("127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := begin(t, "observer", with(fmt.Sprint(portOf(ln)), fmt.Sprint(os.Getpid())), asNobody)
	if got.Denied == "" {
		t.Fatalf("the process is seen: %+v; the test is about nothing", got.Facts)
	}
	if len(got.Rows) != 1 || picture(got.Rows) != "tcp [127.0.0.1] loopback, 1 sockets of []" {
		t.Fatalf("rows = %q, want the port without a pid", picture(got.Rows))
	}
	if l := got.Rows[0]; l.User != "root" || l.OwnerUnknown != monitor.UnknownForeign {
		t.Errorf("user %q, hidden %q; want root, %q", l.User, l.OwnerUnknown, monitor.UnknownForeign)
	}
}

// As systemd does: process 1 holds the listener and a service has it from there.
func TestServiceComesBeforeTheInitThatOpenedItsSocket(t *testing.T) {
	if !inside(t, unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWNET) {
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	row(t, portOf(ln), "tcp [127.0.0.1] loopback, 1 sockets of [1]")
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	service := begin(t, "hold", holding(file))
	row(t, portOf(ln), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d 1]", service.pid))
}

// Processes that come and go while a look goes on cost nobody else's row.
func TestProcessesThatEndInMidScan(t *testing.T) {
	c := begin(t, "listen", with("127.0.0.1:0"))
	stop := make(chan struct{})
	var churn sync.WaitGroup
	for range 2 {
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
	}
	defer churn.Wait()
	defer close(stop)
	m := needMonitor(t, false, 0)
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.pid)
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
		if got := picture(onPort(snapshot(t, m), c.Port)); got != want {
			t.Fatalf("row = %q, want %q", got, want)
		}
	}
}

func TestNamesOfProcesses(t *testing.T) {
	for name, test := range map[string]struct{ comm, program, want string }{
		"spaces, brackets and newlines": {"a b) R 1\nc (d", "/proc/self/exe", "a b) R 1\nc (d"},
		"longer than the kernel keeps":  {"", copyProgram(t, "a-name-longer-than-fifteen-bytes"), "a-name-longer-than-fifteen-bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t, "listen", with("127.0.0.1:0"), func(c *exec.Cmd) {
				c.Path, c.Args[0] = test.program, test.program
				c.Env = append(c.Env, nameVariable+"="+test.comm)
			})
			o := row(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.pid)).Owners[0]
			// gopsutil writes a newline as the kernel does, escaped.
			if got := strings.ReplaceAll(o.Name, `\n`, "\n"); got != test.want {
				t.Errorf("Name = %q, want %q", o.Name, test.want)
			}
			if o.ParentPID != os.Getpid() || !process.IsAlive(c.pid, o.Start) || o.Start < processStart(t) {
				t.Errorf("parent %d, start %d; want %d, and a start since %d", o.ParentPID, o.Start, os.Getpid(), processStart(t))
			}
		})
	}
}

// processStart is this process's own.
func processStart(t *testing.T) uint64 {
	t.Helper()
	o, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return o.Start
}

func TestProgramThatIsDeleted(t *testing.T) {
	program := copyProgram(t, "server")
	c := begin(t, "listen", with("127.0.0.1:0"), func(c *exec.Cmd) { c.Path = program })
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.pid)
	if o := row(t, c.Port, want).Owners[0]; o.Program != program || o.Deleted {
		t.Errorf("program %q, deleted %t; want %q, which is there", o.Program, o.Deleted, program)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if o := row(t, c.Port, want).Owners[0]; o.Program != program || !o.Deleted {
		t.Errorf("program %q, deleted %t; want %q, said to be gone", o.Program, o.Deleted, program)
	}
}
