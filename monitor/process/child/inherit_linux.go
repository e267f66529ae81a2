package child

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Linux adds roles:
//
//	hold              keeps the descriptors that it was given; reports nothing in its Listening
//	parent            listens and passes the socket to a worker whose input is descriptor 3,
//	                  as servers do
//	taker             receives a descriptor over the Unix socket that is its descriptor 3
//	main thread ends  listens and exits its main thread; the others keep the socket
func init() {
	Servers["hold"] = Reporting(func() Listening { return Listening{} })
	Servers["parent"] = Reporting(playParent)
	Servers["taker"] = Reporting(playTaker)
	Servers["main thread ends"] = playMainThreadEnds
}

// ServeParent starts a child in the role parent. Its worker ends with the test. After
// the end of the parent it is a child of this process, which becomes a subreaper.
func ServeParent(t *testing.T) Server {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	input, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	parent := Serve(t, "parent", Holding(input))
	t.Cleanup(func() {
		_ = end.Close()
		parent.End()
		if _, err := unix.Wait4(parent.Workers[0], nil, 0, nil); err != nil {
			t.Errorf("wait for the worker: %v", err)
		}
	})
	_ = input.Close()
	return parent
}

func playParent() Listening {
	ln, file := ListenerFile()
	c := StartWorker(file, os.NewFile(3, "input of the worker"))
	_ = file.Close()
	r := Describe(ln)
	r.Workers = []int{c.Process.Pid}
	return r
}

// ListenerFile listens on a port of loopback and returns a descriptor for workers too.
// Only a child may call it.
func ListenerFile() (net.Listener, *os.File) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		Fail(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		Fail(err)
	}
	kept = append(kept, ln)
	return ln, file
}

// StartWorker starts a child that holds a listener, and waits for its report. Only a
// child may call it.
func StartWorker(file, input *os.File) *exec.Cmd {
	c := Command("hold")
	c.ExtraFiles = []*os.File{file}
	c.Stdin = input
	out, err := c.StdoutPipe()
	if err != nil {
		Fail(err)
	}
	if err := c.Start(); err != nil {
		Fail(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		Fail(err)
	}
	kept = append(kept, out)
	return c
}

// PassTo passes a descriptor of this process over a Unix socket to a child, which it
// starts in the role taker.
func PassTo(t *testing.T, fd int) Server {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine, its := os.NewFile(uintptr(pair[0]), "mine"), os.NewFile(uintptr(pair[1]), "its")
	defer mine.Close()
	defer its.Close()
	if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fd), nil, 0); err != nil {
		t.Fatal(err)
	}
	return Serve(t, "taker", Holding(its))
}

func playTaker() Listening {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), rights, 0)
	if err != nil {
		Fail(err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		Fail(fmt.Errorf("got %d control messages: %w", len(messages), err))
	}
	if _, err := unix.ParseUnixRights(&messages[0]); err != nil {
		Fail(err)
	}
	return Listening{}
}

func playMainThreadEnds() {
	report := Listen()
	main := fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid())
	go func() {
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if stat, err := os.ReadFile(main); err == nil && strings.Contains(string(stat), ") Z ") {
				break
			}
		}
		Report(report)
		Wait()
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // only this thread
}
