package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/monitor/process/child"
)

// workers starts two processes that hold one listening socket, as the workers of a
// server do.
func workers(t *testing.T) (first, second int, port string) {
	t.Helper()
	ln, port := listen(t, "127.0.0.1:0")
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	first, _ = startTarget(t, "hold", child.Holding(file))
	second, _ = startTarget(t, "hold", child.Holding(file))
	_, _ = file.Close(), ln.Close()
	return first, second, port
}

func TestStopOneOfSeveralOwners(t *testing.T) {
	first, second, port := workers(t)
	out, err := stopOutput(t, port, stopOptions{Yes: true, PIDs: []int{os.Getpid()}})
	if Status(err) != 1 || !strings.Contains(err.Error(), fmt.Sprintf("process %d does not listen on %s; its owners: ", os.Getpid(), port)) || !isRunning(first) || !isRunning(second) {
		t.Errorf("--pid of another process: error = %v\n%s", err, out)
	}
	out, err = stopOutput(t, port, stopOptions{Yes: true, PIDs: []int{second}})
	if err != nil || !isRunning(first) || isRunning(second) {
		t.Errorf("--pid %d: error = %v, running = %t and %t, want nil, true and false\n%s", second, err, isRunning(first), isRunning(second), out)
	}
	for _, want := range []string{fmt.Sprintf("not stopped: %s (%d)\n", filepath.Base(os.Args[0]), first), fmt.Sprintf("(%d) exited.", second), fmt.Sprintf("%s is still open: %s (%d).", port, filepath.Base(os.Args[0]), first)} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not contain %q:\n%s", want, out)
		}
	}
	out, err = stopOutput(t, port, stopOptions{Yes: true, PIDs: []int{first}})
	if err != nil || isRunning(first) || !strings.Contains(out, port+" is free.") {
		t.Errorf("the last owner: error = %v, running = %t\n%s", err, isRunning(first), out)
	}
}

func TestStopWithASignal(t *testing.T) {
	for _, name := range []string{"INT", "SIGHUP", "kill"} {
		pid, port := startTarget(t, "stubborn") // ignores SIGTERM alone
		out, err := stopOutput(t, port, stopOptions{Yes: true, Signal: name})
		if err != nil || isRunning(pid) {
			t.Errorf("--signal %s: error = %v, running = %t, want nil and false\n%s", name, err, isRunning(pid), out)
		}
	}
	pid, port := startTarget(t, "listen")
	for _, o := range []stopOptions{{Signal: "STOP"}, {Signal: "9"}, {Signal: "HUP", Manager: true}, {PIDs: []int{pid}, Manager: true}} {
		o.Yes = true
		if out, err := stopOutput(t, port, o); Status(err) != 2 || !isRunning(pid) {
			t.Errorf("%+v: error = %v, want a UsageError\n%s", o, err, out)
		}
	}
}

// A stop that has waited for the grace period is not followed by another wait.
func TestForceDoesNotWaitTwice(t *testing.T) {
	pid, port := startTarget(t, "stubborn")
	if out, err := stopOutput(t, port, stopOptions{Yes: true, GracePeriod: 300 * time.Millisecond}); err == nil || !isRunning(pid) {
		t.Fatalf("error = %v, running = %t, want a process that ignores SIGTERM\n%s", err, isRunning(pid), out)
	}
	out, err := stopOutput(t, port, stopOptions{Yes: true, Force: true, GracePeriod: time.Hour}) // the test ends first if it waits
	if err != nil || isRunning(pid) || !strings.Contains(out, "Force quitting") {
		t.Errorf("--force: error = %v, running = %t, want nil and false\n%s", err, isRunning(pid), out)
	}
	other, port := startTarget(t, "stubborn")
	out, err = stopOutput(t, port, stopOptions{Yes: true, Force: true, GracePeriod: 300 * time.Millisecond})
	if err != nil || isRunning(other) || !strings.Contains(out, "Waiting up to 300ms") {
		t.Errorf("--force without an earlier stop: error = %v, running = %t, want a wait\n%s", err, isRunning(other), out)
	}
}

// A connection that the server closed keeps the port after the server has ended, but not
// from a server that sets SO_REUSEADDR: the port is not called "not free".
func TestStopReportsWhatStillKeepsThePort(t *testing.T) {
	pid, port := startTarget(t, "refuse")
	c, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // until the server has closed it
	_ = c.Close()
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if err != nil || isRunning(pid) || !strings.Contains(out, "Nothing listens on "+port+" now. A closed connection keeps 127.0.0.1:"+port) || !strings.Contains(out, "TIME_WAIT") {
		t.Errorf("error = %v, running = %t, want TIME_WAIT\n%s", err, isRunning(pid), out)
	}
}

// Without a terminal nobody can answer: a pipe and /dev/null are refused alike.
func TestStopWithoutATerminal(t *testing.T) {
	pid, port := startTarget(t, "listen")
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, stdin := range map[string]io.Reader{"/dev/null": null, "a pipe": strings.NewReader("y\n")} {
		c := command("ask", port)
		c.Stdin = stdin
		out, err := c.Output()
		if want := "cannot ask for confirmation without a terminal; use --yes to skip it"; err != nil || !strings.Contains(string(out), want) || !isRunning(pid) {
			t.Errorf("%s: got %v, running = %t, want %q\n%s", name, err, isRunning(pid), want, out)
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// A running Porthole that does not respond delays a stop once, not for each process.
func TestStopAsksAHungAgentOnce(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	hung, err := net.Listen("unix", filepath.Join(dir.String(), "agent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	asked := make(chan net.Conn, 10)
	go func() {
		defer close(asked)
		for {
			c, err := hung.Accept()
			if err != nil {
				return
			}
			asked <- c // never answered
		}
	}()
	first, second, port := workers(t)
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if err != nil || isRunning(first) || isRunning(second) {
		t.Errorf("error = %v, running = %t and %t, want both stopped\n%s", err, isRunning(first), isRunning(second), out)
	}
	_ = hung.Close()
	n := 0
	for c := range asked {
		_ = c.Close()
		n++
	}
	if n != 1 {
		t.Errorf("the agent was asked %d times, want once", n)
	}
}
