package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// The test program is its own child too. With the first variable it plays a
// role: it says what it has in one line of JSON and ends with its input. With
// the second it is a test that runs itself again in namespaces of its own. The
// third is a name for it to take.
const (
	roleVariable   = "PORTHOLE_TEST_ROLE"
	insideVariable = "PORTHOLE_TEST_INSIDE"
	nameVariable   = "PORTHOLE_TEST_NAME"
)

var roles = map[string]func() said{
	"listen":           playListen,
	"hold":             func() said { return said{} },
	"parent":           playParent,
	"taker":            playTaker,
	"main thread ends": playMainThreadEnds,
	"observer":         playObserver,
	"stuck":            playStuck,
	"reaper":           playReaper,
}

// said is what a child says of itself.
type said struct {
	Port, Child int
	Rows        []*monitor.Listener
	Cgroup      uint64
	Facts       monitor.Owner // of another process
	Denied      string        // why there are none
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
	if name := os.Getenv(nameVariable); name != "" {
		if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
			fail(err)
		}
	}
	say(role())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func say(s said) {
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

type child struct {
	said
	pid int
	end func() // ends it and waits for that
}

// begin starts the test program in a role and waits for what it says.
func begin(t *testing.T, role string, change ...func(*exec.Cmd)) child {
	t.Helper()
	c, err := try(t, role, change...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try is begin for a child that the system may refuse to start.
func try(t *testing.T, role string, change ...func(*exec.Cmd)) (child, error) {
	t.Helper()
	c := command(role)
	for _, f := range change {
		f(c)
	}
	in, err := c.StdinPipe()
	if err != nil {
		return child{}, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return child{}, err
	}
	if err := c.Start(); err != nil {
		return child{}, err
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		_ = in.Close()
		stuck := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("child %q: %v", role, err)
		}
	}
	t.Cleanup(end)
	k := child{pid: c.Process.Pid, end: end}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return k, fmt.Errorf("child %q said %q: %w", role, line, err)
	}
	return k, json.Unmarshal(line, &k.said)
}

// command runs the test program in a role. Its path is one that a user who may
// not enter the folder of the program can use.
func command(role string) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Stderr = os.Stderr
	c.Env = childEnv(roleVariable + "=" + role)
	return c
}

// childEnv is the environment of a child. The race detector would sleep for a
// second at its end.
func childEnv(more ...string) []string {
	return append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), more...)
}

func with(args ...string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Args = append(c.Args, args...) }
}

func holding(files ...*os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.ExtraFiles = append(c.ExtraFiles, files...) }
}

// asNobody makes the child another user's.
func asNobody(c *exec.Cmd) {
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// inside runs this test again in namespaces of its own and returns false, with
// that run's verdict. In that run it returns true: then the network has a
// loopback and nothing else, and /proc shows this process as number 1. Who is
// not root has a namespace of users too, where the kernel grants one.
func inside(t *testing.T, namespaces uintptr) bool {
	t.Helper()
	if os.Getenv(insideVariable) == t.Name() {
		if err := settle(namespaces); err != nil {
			t.Skipf("these namespaces are not to be had: %v", err)
		}
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = childEnv(insideVariable + "=" + t.Name())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	switch {
	case refused(err):
		t.Skipf("needs root, or a kernel that gives every user namespaces: %v", err)
	case err != nil:
		t.Fatalf("in its namespaces: %v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP: "+t.Name())):
		t.Skipf("in its namespaces:\n%s", out)
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Fatalf("in its namespaces the test did not run:\n%s", out)
	}
	return false
}

// refused reports whether the system gives no namespace.
func refused(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC)
}

func settle(namespaces uintptr) error {
	if namespaces&unix.CLONE_NEWNS != 0 {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make the mounts private: %w", err)
		}
	}
	if namespaces&unix.CLONE_NEWPID != 0 {
		if err := mountProc(""); err != nil {
			return err
		}
	}
	if namespaces&unix.CLONE_NEWNET != 0 {
		return loopbackUp()
	}
	return nil
}

func mountProc(options string) error {
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount /proc (%s): %w", options, err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("bring the loopback up: %w", err)
	}
	return nil
}

// kept holds what would else be closed by the garbage collector.
var kept []any

// playListen listens on the addresses in its arguments; those that have port 0
// are given the first one's.
func playListen() said {
	port := 0
	for _, address := range os.Args[1:] {
		if address == "--" {
			break // what follows is there to be long
		}
		ln, err := listenOn(address, port)
		if err != nil {
			fail(err)
		}
		kept = append(kept, ln)
		port = portOf(ln)
	}
	return said{Port: port}
}

// listenOn listens as the address is written: [::] is both families, "[::]
// only" is IPv6. Port 0 is replaced by port.
func listenOn(address string, port int) (net.Listener, error) {
	address, v6only := strings.CutSuffix(address, " only")
	network := "tcp4"
	if strings.HasPrefix(address, "[") {
		network = "tcp"
	}
	if v6only {
		network = "tcp6"
	}
	if strings.HasSuffix(address, ":0") {
		address = strings.TrimSuffix(address, "0") + strconv.Itoa(port)
	}
	reuse := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	return reuse.Listen(context.Background(), network, address)
}

func portOf(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

// playParent listens, passes the socket to a child, as servers do to their
// workers, and stays. The child's input is descriptor 3.
func playParent() said {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		fail(err)
	}
	c := command("hold")
	c.ExtraFiles = []*os.File{file}
	c.Stdin = os.NewFile(3, "the child's life")
	out, err := c.StdoutPipe()
	if err != nil {
		fail(err)
	}
	if err := c.Start(); err != nil {
		fail(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		fail(err)
	}
	_ = file.Close()
	kept = append(kept, ln, out)
	return said{Port: portOf(ln), Child: c.Process.Pid}
}

// playTaker receives a descriptor over the unix socket that is its descriptor 3.
func playTaker() said {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), rights, 0)
	if err != nil {
		fail(err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		fail(fmt.Errorf("%d control messages: %w", len(messages), err))
	}
	if _, err := unix.ParseUnixRights(&messages[0]); err != nil {
		fail(err)
	}
	return said{}
}

// playMainThreadEnds leaves a listener to the other threads.
func playMainThreadEnds() said {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	main := fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid())
	go func() {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if stat, err := os.ReadFile(main); err == nil && strings.Contains(string(stat), ") Z ") {
				break
			}
		}
		say(said{Port: portOf(ln)})
		_, _ = io.Copy(io.Discard, os.Stdin)
		runtime.KeepAlive(ln)
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // this thread alone
	return said{}
}

// playObserver looks at the port and the process in its arguments.
func playObserver() said {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	pid, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	m, end, err := newMonitor(false, time.Hour)
	if err != nil {
		fail(err)
	}
	defer end()
	snapshot, err := m.Scan(context.Background())
	if err != nil {
		fail(err)
	}
	s := said{Rows: onPort(snapshot, port)}
	for _, l := range s.Rows {
		s.Cgroup = l.Sockets[0].Cgroup
	}
	if s.Facts, err = process.Info(pid); err != nil {
		s.Denied = err.Error()
	}
	return s
}
