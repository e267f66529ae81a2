package monitor_test

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// The test program is its own child too: with this variable it plays a role
// instead of testing. A role talks on its output and ends with its input.
const roleVariable = "PORTHOLE_TEST_ROLE"

var roles = map[string]func(args []string){
	"churn": playChurn,
	"watch": playWatch,
	"crowd": playCrowd,
	"many":  playManyFiles,
	"hold":  func([]string) { _, _ = io.Copy(io.Discard, os.Stdin) }, // what it was given
}

// The main goroutine of a child stays on the main thread.
func init() {
	if os.Getenv(roleVariable) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	role(os.Args[1:])
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

// child is the test program in a role.
type child struct {
	pid int
	in  io.WriteCloser
	out *bufio.Reader
	end func() // ends it and waits for that
}

// begin starts the test program in a role.
func begin(t *testing.T, role string, args []string, change ...func(*exec.Cmd)) child {
	t.Helper()
	c := command(role, args...)
	for _, f := range change {
		f(c)
	}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		if c.SysProcAttr != nil { // a namespace of its own
			t.Skipf("the system does not let us start child %q: %v", role, err)
		}
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		_ = in.Close()
		stuck := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("child %q: %v", role, err)
		}
	}
	t.Cleanup(end)
	return child{pid: c.Process.Pid, in: in, out: bufio.NewReader(out), end: end}
}

// command runs the test program in a role.
func command(role string, args ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", args...)
	c.Stderr = os.Stderr
	// The race detector would sleep for a second at the end of each child.
	c.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	return c
}

// line returns the next line that c says.
func (c child) line(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("a child said %q, then: %v", line, err)
	}
	return line[:len(line)-1]
}

// ownNamespaces gives a child namespaces of its own, with the help of a user
// namespace where this is not root.
func ownNamespaces(flags uintptr) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		if uid := os.Getuid(); uid != 0 {
			c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
			c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
	}
}

// listener is a listening socket without Go's runtime around it, which would
// make it an MPTCP one, whose cookie is not the one in the table.
type listener struct {
	fd     int
	id     monitor.SocketID
	opened time.Duration // on the clock that all processes share
}

func listen(address netip.AddrPort) (listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return listener{}, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())}); err == nil {
		err = unix.Listen(fd, 8)
	}
	if err != nil {
		_ = unix.Close(fd) // it is of no use
		return listener{}, fmt.Errorf("listen on %v: %w", address, err)
	}
	id, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	return listener{fd: fd, id: monitor.SocketID(id), opened: monotonic()}, err
}

// monotonic is the time on the clock that all processes share and nobody sets.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		fail(err)
	}
	return time.Duration(now.Nano())
}

// loopback is 127.a.b.c:port.
func loopback(a, b, c byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, a, b, c}), port)
}

// eventually waits until ok is true; what is told where it never gets so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after two minutes: %s", what)
}

// descriptors is how many this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d descriptors: %v", len(all), err)
	}
	return len(all)
}

// long reports whether this is a long run, see packaging/test-long.sh.
func long() bool { return os.Getenv("PORTHOLE_LONG") != "" }
