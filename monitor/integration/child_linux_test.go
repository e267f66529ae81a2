package integration

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
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

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"listen in another root": child.Reporting(playListenInAnotherRoot),
		"execute":                child.Reporting(playExecute),
		"prefork":                child.Reporting(playPrefork),
		"reloader":               playReloader,
		"become nobody":          child.Reporting(playBecomeNobody),
		"observer":               child.Reporting(playObserver),
		"stuck":                  child.Reporting(playStuck),
		"reaper":                 child.Reporting(playReaper),
	}))
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
	child.OwnNamespaces(namespaces)(c)
	out, err := c.CombinedOutput()
	switch {
	case child.Denied(err):
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

// playBecomeNobody listens and becomes another user, as servers do that root starts.
func playBecomeNobody() child.Listening {
	r := child.Listen()
	if err := syscall.Setgid(65534); err != nil {
		child.Fail(err)
	}
	if err := syscall.Setuid(65534); err != nil {
		child.Fail(err)
	}
	return r
}

// playPrefork listens and passes the socket to four workers, whose input is descriptor
// 3. With an argument, it waits that long before.
func playPrefork() child.Listening {
	ln, file := child.ListenerFile()
	input := os.NewFile(3, "input of the workers")
	r := child.Listening{Port: child.Port(ln)}
	if len(os.Args) > 1 {
		pause, err := time.ParseDuration(os.Args[1])
		if err != nil {
			child.Fail(err)
		}
		time.Sleep(pause)
	}
	for range 4 {
		r.Workers = append(r.Workers, child.StartWorker(file, input).Process.Pid)
	}
	_ = file.Close()
	return r
}

// playReloader listens and passes the socket to a worker, which it replaces at each line
// of its input, as a development server does when a file is saved. It prints a report
// for each worker.
func playReloader() {
	ln, file := child.ListenerFile()
	input, end, err := os.Pipe()
	if err != nil {
		child.Fail(err)
	}
	defer end.Close()
	for commands := bufio.NewReader(os.Stdin); ; {
		c := child.StartWorker(file, input)
		child.Report(child.Listening{Port: child.Port(ln), Workers: []int{c.Process.Pid}})
		_, err := commands.ReadString('\n')
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
		if err != nil {
			return
		}
	}
}

// observation is the report of an observer about a port and a process.
type observation struct {
	Listeners []*monitor.Listener
	Cgroup    uint64
	Info      monitor.Owner
	Denied    string // why Info is empty
}

// observeAsNobody returns what user nobody sees of a port and a process.
func observeAsNobody(t *testing.T, port, pid int) (seen observation) {
	t.Helper()
	child.Begin(t, "observer", &seen, child.With(strconv.Itoa(port), strconv.Itoa(pid)), child.AsNobody)
	return seen
}

// playObserver reports on the port and the process in its arguments.
func playObserver() observation {
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
	s := observation{Listeners: onPort(snapshot, port)}
	for _, l := range s.Listeners {
		s.Cgroup = l.Sockets[0].Cgroup
	}
	if s.Info, err = process.Info(pid); err != nil {
		s.Denied = err.Error()
	}
	return s
}
