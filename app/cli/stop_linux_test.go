package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// startTarget runs a child until it is stopped or the test ends.
func startTarget(t *testing.T, role string, change ...func(*exec.Cmd)) (pid int, port string) {
	t.Helper()
	s := child.ServeVictim(t, role, append(change, withoutSettings)...)
	return s.PID, strconv.Itoa(s.Port)
}

// stopOutput returns all that runStop prints.
func stopOutput(t *testing.T, port string, o stopOptions) (string, error) {
	t.Helper()
	setSettings(t, "")
	var out bytes.Buffer
	o.Options = Options{Stdout: &out, Stderr: &out}
	err := runStop(t.Context(), port, o)
	return out.String(), err
}

func isRunning(pid int) bool {
	_, err := process.Info(pid)
	return err == nil
}

func TestStopAsksForConfirmation(t *testing.T) {
	pid, port := startTarget(t, "listen", func(c *exec.Cmd) { c.Args[0] = "node\x1b[31m" })
	for answer, stdin := range map[string]io.Reader{"n": strings.NewReader("n\n"), "": strings.NewReader("")} {
		if out, err := stopOutput(t, port, stopOptions{Stdin: stdin}); !errors.Is(err, errStopCanceled) || Status(err) != 1 || !isRunning(pid) {
			t.Errorf("answer %q: error = %v, running = %t, want %v and the process running; output:\n%s", answer, err, isRunning(pid), errStopCanceled, out)
		}
	}
	if out, err := stopOutput(t, port, stopOptions{}); Status(err) != 2 || !strings.Contains(err.Error(), "--yes") || !isRunning(pid) {
		t.Errorf("without a terminal: error = %v, running = %t, want a UsageError that names --yes; output:\n%s", err, isRunning(pid), out)
	}
	out, err := stopOutput(t, port, stopOptions{Stdin: strings.NewReader("y\n")})
	if err != nil || isRunning(pid) {
		t.Errorf("answer y: error = %v, running = %t, want nil and false", err, isRunning(pid))
	}
	for _, want := range []string{port + " is used by ", fmt.Sprintf("(%d), user ", pid), ", since ", "Stop this process? [y/N]", fmt.Sprintf("(%d) exited.", pid)} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not contain %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("the output contains control characters of the process name: %q", out)
	}
}

func TestStopProcessThatIgnoresSIGTERM(t *testing.T) {
	pid, port := startTarget(t, "stubborn")
	out, err := stopOutput(t, port, stopOptions{Yes: true, GracePeriod: 300 * time.Millisecond})
	if err == nil || Status(err) != 1 || !strings.Contains(err.Error(), "still running after 300ms") || !strings.Contains(err.Error(), "porthole stop "+port+" --force") || !isRunning(pid) {
		t.Errorf("without --force: error = %v, running = %t, want an error that names --force; output:\n%s", err, isRunning(pid), out)
	}
	out, err = stopOutput(t, port, stopOptions{Yes: true, Force: true, GracePeriod: 300 * time.Millisecond})
	if err != nil || isRunning(pid) || !strings.Contains(out, "Force quitting") {
		t.Errorf("with --force: error = %v, running = %t, want nil, false and \"Force quitting\" in the output:\n%s", err, isRunning(pid), out)
	}
}

func TestInterruptedStopStopsNothing(t *testing.T) {
	pid, port := startTarget(t, "listen")
	setSettings(t, "")
	stdin, typed := io.Pipe()
	defer typed.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := runStop(ctx, port, stopOptions{Options: Options{Stdout: &out, Stderr: &out}, Stdin: stdin}); err == nil || !isRunning(pid) {
		t.Errorf("error = %v, running = %t, want an error and the process running", err, isRunning(pid))
	}
}

func TestStopAllOwners(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	first, _ := startTarget(t, "hold", child.Holding(file))
	second, _ := startTarget(t, "hold", child.Holding(file))

	// The test itself is an owner, too, and must not be stopped: then none is.
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if err == nil || !strings.Contains(err.Error(), "Porthole itself") || !isRunning(first) || !isRunning(second) {
		t.Errorf("with the test as an owner: error = %v, running = %t and %t, want an error and both running; output:\n%s", err, isRunning(first), isRunning(second), out)
	}
	_, _ = file.Close(), ln.Close()
	out, err = stopOutput(t, port, stopOptions{Yes: true})
	if err != nil || isRunning(first) || isRunning(second) {
		t.Errorf("two owners: error = %v, running = %t and %t, want nil, false and false", err, isRunning(first), isRunning(second))
	}
	for _, pid := range []int{first, second} {
		if want := fmt.Sprintf("(%d) exited.", pid); !strings.Contains(out, want) {
			t.Errorf("the output does not contain %q:\n%s", want, out)
		}
	}
}

func TestStopChildren(t *testing.T) {
	for _, children := range []bool{false, true} {
		family := child.ServeVictim(t, "family", withoutSettings)
		pid, port, child := family.PID, strconv.Itoa(family.Port), family.Workers[0]
		out, err := stopOutput(t, port, stopOptions{Yes: true, Children: children})
		if err != nil || isRunning(pid) || isRunning(child) == children {
			t.Errorf("children %t: error = %v, parent running = %t, child running = %t; output:\n%s", children, err, isRunning(pid), isRunning(child), out)
		}
		if named := strings.Contains(out, fmt.Sprintf("with its children: sleep (%d)", child)); named != children {
			t.Errorf("children %t: child named = %t; output:\n%s", children, named, out)
		}
		_ = syscall.Kill(child, syscall.SIGKILL) // the child that was kept
	}
}

func TestStopFreePortAndInvalidInput(t *testing.T) {
	port := fmt.Sprint(freeport.Get(t))
	if out, err := stopOutput(t, port, stopOptions{Yes: true}); Status(err) != 1 || err.Error() != port+" is free; there is nothing to stop" {
		t.Errorf("free port: error = %v, output %q, want that it is free", err, out)
	}
	for _, port := range []string{"0", "70000", "3000-3999", ""} {
		if _, err := stopOutput(t, port, stopOptions{Yes: true}); Status(err) != 2 {
			t.Errorf("%q: error = %v, want a UsageError", port, err)
		}
	}
}

func TestStopProcessOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to run as another user")
	}
	pid, port := startTarget(t, "listen")
	c := command("stop", port)
	child.AsNobody(c)
	out, err := c.Output()
	if want := "cannot stop the owner of " + port + ", which is unknown"; err != nil || !strings.Contains(string(out), want) || !isRunning(pid) {
		t.Errorf("got %q, %v, running = %t, want %q and the process running", out, err, isRunning(pid), want)
	}
}

// A port that only UDP uses is not called free without saying so.
func TestStopNamesUDPSockets(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if Status(err) != 1 || !strings.HasPrefix(err.Error(), port+" is free for TCP; there is nothing to stop. ") || !strings.Contains(err.Error(), "--udp") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want the UDP socket and --udp\n%s", err, out)
	}
}
