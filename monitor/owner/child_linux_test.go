package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// The test program also runs as a child process: with this variable it plays a role
// instead of testing. A role prints a report in one line of JSON and exits at the end
// of its input.
const roleVariable = "PORTHOLE_TEST_ROLE"

var roles = map[string]func() said{
	"listen":           playListen,
	"parent":           playParent,
	"heir":             playHeir,
	"taker":            playTaker,
	"main thread ends": playMainThreadEnds,
	"searcher":         playSearcher,
}

// said is the report of a child.
type said struct {
	Port, Child, Holders int
	Inode                uint64
	User, Unknown        string
	Unit                 string
	Inferred             int
	Listed               bool
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

// child is the test program in a role.
type child struct {
	said
	pid int
	end func() // ends it and waits until it has exited
}

// begin starts the test program in a role and waits for its report.
func begin(t *testing.T, role string, change ...func(*exec.Cmd)) child {
	t.Helper()
	c, err := try(t, role, change...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try is begin for a child that the system may not allow.
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
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return k, fmt.Errorf("child %q printed %q: %w", role, line, err)
	}
	return k, json.Unmarshal([]byte(line), &k.said)
}

// command runs the test program in a role. Its path also works for a user who may not
// enter the program's folder.
func command(role string) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Stderr = os.Stderr
	// The race detector would sleep for a second at the end of each child.
	c.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	return c
}

func playListen() said {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 && strings.Contains(os.Args[1], ":") {
		address = os.Args[1]
	}
	reuse := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	ln, err := reuse.Listen(context.Background(), "tcp", address)
	if err != nil {
		fail(err)
	}
	return describe(ln)
}

// kept protects listeners from the garbage collector, which would close them.
var kept []any

func describe(ln net.Listener) said {
	kept = append(kept, ln)
	_, inode := descriptor(ln)
	return said{Port: ln.Addr().(*net.TCPAddr).Port, Inode: inode}
}

// descriptor returns the number and the inode of a listener's socket.
func descriptor(ln net.Listener) (fd int, inode uint64) {
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		return -1, 0
	}
	var stat unix.Stat_t
	if err := raw.Control(func(n uintptr) { fd = int(n); err = unix.Fstat(fd, &stat) }); err != nil {
		return -1, 0
	}
	return fd, stat.Ino
}

// playParent listens, passes the socket to an heir, as servers do with their workers,
// and keeps running.
func playParent() said {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		fail(err)
	}
	c := command("heir")
	c.ExtraFiles = []*os.File{file, os.NewFile(3, "end of the heir")}
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
	kept = append(kept, file, out)
	s := describe(ln)
	s.Child = c.Process.Pid
	return s
}

// playHeir keeps descriptor 3 open until the end of descriptor 4.
func playHeir() said {
	say(said{})
	_, _ = io.Copy(io.Discard, os.NewFile(4, "life"))
	os.Exit(0)
	return said{}
}

// playTaker receives a descriptor over the Unix socket that is its descriptor 3.
func playTaker() said {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), rights, 0)
	if err != nil {
		fail(err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		fail(fmt.Errorf("got %d control messages: %w", len(messages), err))
	}
	if _, err := unix.ParseUnixRights(&messages[0]); err != nil {
		fail(err)
	}
	return said{}
}

// playMainThreadEnds exits its main thread; the others keep the listener.
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
		say(describe(ln))
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // only this thread
	return said{}
}

// playSearcher searches the holders of the socket with the inode number in the first
// argument.
func playSearcher() said {
	var inode uint64
	if _, err := fmt.Sscan(os.Args[1], &inode); err != nil {
		fail(err)
	}
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		fail(err)
	}
	defer table.Close()
	all, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		fail(err)
	}
	for _, s := range all {
		if s.Inode != inode {
			continue
		}
		finder, holders := New(), 0
		finder.Find(context.Background(), monitor.Everywhere, []monitor.Socket{s}, func(monitor.Holding) { holders++ })
		unknown := finder.WhyUnknown(s)
		found := said{Listed: true, Port: int(s.Port), User: s.User, Unknown: unknown.Reason, Holders: holders, Unit: unknown.Unit}
		if unknown.Inferred != nil {
			found.Inferred = unknown.Inferred.PID
		}
		return found
	}
	return said{}
}
