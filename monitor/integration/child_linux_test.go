package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// insideVariable is set for a test that runs itself again in new namespaces.
const insideVariable = "PORTHOLE_TEST_INSIDE"

var roles = map[string]func(){
	"listen":           child.Reporting(playListen),
	"hold":             child.Reporting(func() report { return report{} }),
	"parent":           child.Reporting(playParent),
	"prefork":          child.Reporting(playPrefork),
	"reloader":         playReloader,
	"become nobody":    child.Reporting(playBecomeNobody),
	"taker":            child.Reporting(playTaker),
	"main thread ends": playMainThreadEnds,
	"observer":         child.Reporting(playObserver),
	"stuck":            child.Reporting(playStuck),
	"reaper":           child.Reporting(playReaper),
}

// report is the report of a child.
type report struct {
	Port, Child int
	Children    []int
	Listeners   []*monitor.Listener
	Cgroup      uint64
	Info        monitor.Owner // of another process
	Denied      string        // why Info is empty
}

func TestMain(m *testing.M) { child.Main(m, roles) }

// testProcess is the test program in a role.
type testProcess struct {
	report
	pid int
	end func() // ends it and waits until it has exited
}

// begin starts the test program in a role and waits for its report.
func begin(t *testing.T, role string, change ...func(*exec.Cmd)) testProcess {
	t.Helper()
	p, err := try(t, role, change...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// try is begin for a child that the system may not allow.
func try(t *testing.T, role string, change ...func(*exec.Cmd)) (testProcess, error) {
	t.Helper()
	var p testProcess
	started, err := child.TryBegin(t, role, &p.report, change...)
	p.pid, p.end = started.PID, started.End
	return p, err
}

func with(args ...string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Args = append(c.Args, args...) }
}

func holding(files ...*os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.ExtraFiles = append(c.ExtraFiles, files...) }
}

// asNobody runs the child as another user.
func asNobody(c *exec.Cmd) {
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// inside runs this test again in new namespaces, applies the result, and returns false.
// In that run it returns true: the network has only a loopback interface, and this
// process has PID 1 in /proc. Without root, a user namespace is used too if the kernel
// allows it.
func inside(t *testing.T, namespaces uintptr) bool {
	t.Helper()
	if os.Getenv(insideVariable) == t.Name() {
		if err := setUp(namespaces); err != nil {
			t.Skipf("cannot set up the namespaces: %v", err)
		}
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), insideVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	switch {
	case denied(err):
		t.Skipf("needs root, or a kernel that lets every user create namespaces: %v", err)
	case err != nil:
		t.Fatalf("in its namespaces: %v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP: "+t.Name())):
		t.Skipf("in its namespaces:\n%s", out)
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Fatalf("the test did not run in its namespaces:\n%s", out)
	}
	return false
}

// denied reports whether the system does not allow a namespace.
func denied(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC)
}

func setUp(namespaces uintptr) error {
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

// kept protects files from the garbage collector, which would close them.
var kept []any

// playBecomeNobody listens and becomes another user, as servers do that root starts.
func playBecomeNobody() report {
	r := playListen()
	if err := syscall.Setgid(65534); err != nil {
		child.Fail(err)
	}
	if err := syscall.Setuid(65534); err != nil {
		child.Fail(err)
	}
	return r
}

// addressesVariable has addresses for a child whose command line names none.
const addressesVariable = "PORTHOLE_TEST_ADDRESSES"

// playListen listens on the addresses in its arguments or in addressesVariable. Port 0
// becomes the port of the first one.
func playListen() report {
	port := 0
	addresses := os.Args[1:]
	if i := slices.Index(addresses, "--"); i >= 0 {
		addresses = addresses[:i] // the rest is only there for the command line
	}
	for _, address := range append(addresses, strings.Fields(os.Getenv(addressesVariable))...) {
		ln, err := listenOn(address, port)
		if err != nil {
			child.Fail(err)
		}
		kept = append(kept, ln)
		port = portOf(ln)
	}
	return report{Port: port}
}

// listenOn listens on an address: [::] means both address families, "[::] only" means
// IPv6. Port 0 is replaced by port.
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

// playParent listens, passes the socket to a child, as servers do with their workers,
// and keeps running. The child's input is descriptor 3.
func playParent() report {
	ln, file := listenerFile()
	c := startWorker(file, os.NewFile(3, "input of the child"))
	_ = file.Close()
	kept = append(kept, ln)
	return report{Port: portOf(ln), Child: c.Process.Pid}
}

// playPrefork listens and passes the socket to four children, whose input is descriptor
// 3. With an argument, it waits that long before.
func playPrefork() report {
	ln, file := listenerFile()
	input := os.NewFile(3, "input of the children")
	r := report{Port: portOf(ln)}
	if len(os.Args) > 1 {
		pause, err := time.ParseDuration(os.Args[1])
		if err != nil {
			child.Fail(err)
		}
		time.Sleep(pause)
	}
	for range 4 {
		r.Children = append(r.Children, startWorker(file, input).Process.Pid)
	}
	_ = file.Close()
	kept = append(kept, ln)
	return r
}

// playReloader listens and passes the socket to a child, which it replaces at each line
// of its input, as a development server does when a file is saved. It prints a report
// for each child.
func playReloader() {
	ln, file := listenerFile()
	input, end, err := os.Pipe()
	if err != nil {
		child.Fail(err)
	}
	kept = append(kept, ln, end)
	for commands := bufio.NewReader(os.Stdin); ; {
		c := startWorker(file, input)
		child.Report(report{Port: portOf(ln), Child: c.Process.Pid})
		_, err := commands.ReadString('\n')
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
		if err != nil {
			return
		}
	}
}

// listenerFile listens on a port of loopback and returns a descriptor for children.
func listenerFile() (net.Listener, *os.File) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		child.Fail(err)
	}
	return ln, file
}

// startWorker starts a child that holds a listener, and waits for its report.
func startWorker(file, input *os.File) *exec.Cmd {
	c := child.Command("hold")
	c.ExtraFiles = []*os.File{file}
	c.Stdin = input
	out, err := c.StdoutPipe()
	if err != nil {
		child.Fail(err)
	}
	if err := c.Start(); err != nil {
		child.Fail(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		child.Fail(err)
	}
	kept = append(kept, out)
	return c
}

// playTaker receives a descriptor over the Unix socket that is its descriptor 3.
func playTaker() report {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), rights, 0)
	if err != nil {
		child.Fail(err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		child.Fail(fmt.Errorf("got %d control messages: %w", len(messages), err))
	}
	if _, err := unix.ParseUnixRights(&messages[0]); err != nil {
		child.Fail(err)
	}
	return report{}
}

// playMainThreadEnds exits its main thread; the others keep a listener.
func playMainThreadEnds() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	main := fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid())
	go func() {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if stat, err := os.ReadFile(main); err == nil && strings.Contains(string(stat), ") Z ") {
				break
			}
		}
		child.Report(report{Port: portOf(ln)})
		child.Wait()
		runtime.KeepAlive(ln)
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // only this thread
}

// playObserver reports on the port and the process in its arguments.
func playObserver() report {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	pid, err := strconv.Atoi(os.Args[2])
	if err != nil {
		child.Fail(err)
	}
	m, end, err := newMonitor(false, time.Hour)
	if err != nil {
		child.Fail(err)
	}
	defer end()
	snapshot, err := m.Scan(context.Background())
	if err != nil {
		child.Fail(err)
	}
	s := report{Listeners: onPort(snapshot, port)}
	for _, l := range s.Listeners {
		s.Cgroup = l.Sockets[0].Cgroup
	}
	if s.Info, err = process.Info(pid); err != nil {
		s.Denied = err.Error()
	}
	return s
}
