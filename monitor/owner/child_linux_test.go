package owner

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
	"porthole/monitor/socket"
)

var roles = map[string]func(){
	"listen":           child.Reporting(playListen),
	"parent":           child.Reporting(playParent),
	"heir":             playHeir,
	"taker":            child.Reporting(playTaker),
	"main thread ends": playMainThreadEnds,
	"searcher":         child.Reporting(playSearcher),
	"unreadable":       child.Reporting(playUnreadable),
}

// report is the report of a child.
type report struct {
	Port, Child, Holders int
	Inode                uint64
	User, Unknown        string
	Unit                 string
	Inferred             int
	Listed               bool
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

// playUnreadable listens like sshd for a login, which its own user may not read.
func playUnreadable() report {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		child.Fail(err)
	}
	return playListen()
}

func playListen() report {
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
		child.Fail(err)
	}
	return describe(ln)
}

// kept protects listeners from the garbage collector, which would close them.
var kept []any

func describe(ln net.Listener) report {
	kept = append(kept, ln)
	_, inode := descriptor(ln)
	return report{Port: ln.Addr().(*net.TCPAddr).Port, Inode: inode}
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
func playParent() report {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		child.Fail(err)
	}
	c := child.Command("heir")
	c.ExtraFiles = []*os.File{file, os.NewFile(3, "end of the heir")}
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
	kept = append(kept, file, out)
	s := describe(ln)
	s.Child = c.Process.Pid
	return s
}

// playHeir keeps descriptor 3 open until the end of descriptor 4.
func playHeir() {
	child.Report(report{})
	_, _ = io.Copy(io.Discard, os.NewFile(4, "life"))
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

// playMainThreadEnds exits its main thread; the others keep the listener.
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
		child.Report(describe(ln))
		child.Wait()
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // only this thread
}

// playSearcher searches the holders of the socket with the inode number in the first
// argument.
func playSearcher() report {
	var inode uint64
	if _, err := fmt.Sscan(os.Args[1], &inode); err != nil {
		child.Fail(err)
	}
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		child.Fail(err)
	}
	defer table.Close()
	all, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		child.Fail(err)
	}
	for end := time.Now().Add(10 * time.Second); slices.ContainsFunc(all, func(s monitor.Socket) bool { return s.Inode == inode && s.User == fmt.Sprint(s.UID) }) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond) // the table does not wait for the name of a user
		if all, _, err = table.Poll(monitor.PollOptions{Fresh: true}); err != nil {
			child.Fail(err)
		}
	}
	for _, s := range all {
		if s.Inode != inode {
			continue
		}
		finder, holders := New(), 0
		finder.Find(context.Background(), monitor.Everywhere, []monitor.Socket{s}, func(monitor.Holding) { holders++ })
		unknown := finder.WhyUnknown(s)
		found := report{Listed: true, Port: int(s.Port), User: s.User, Unknown: unknown.Reason, Holders: holders, Unit: unknown.Unit}
		if unknown.Inferred != nil {
			found.Inferred = unknown.Inferred.PID
		}
		return found
	}
	return report{}
}
