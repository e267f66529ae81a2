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

	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// victim runs a child until it is stopped or the test ends, and returns the first
// line that it says.
func victim(t *testing.T, role string, change func(*exec.Cmd)) (pid int, said string) {
	t.Helper()
	c := command(role)
	c.Env = append(c.Env, addressVariable+"=127.0.0.1:0")
	if change != nil {
		change(c)
	}
	started := child.StartVictim(t, c)
	said, err := started.Out.ReadString('\n')
	if err != nil {
		t.Fatalf("%s said %q, %v", role, said, err)
	}
	return started.PID, strings.TrimSpace(said)
}

// stopping runs Stop and returns all that it says.
func stopping(t *testing.T, port string, o StopOptions) (string, error) {
	t.Helper()
	setSettings(t, "")
	var said bytes.Buffer
	o.Options = Options{Stdout: &said, Stderr: &said}
	err := Stop(t.Context(), port, o)
	return said.String(), err
}

func runs(pid int) bool {
	_, err := process.Info(pid)
	return err == nil
}

func TestStopAsksAndEndsTheProcess(t *testing.T) {
	pid, port := victim(t, "listen", func(c *exec.Cmd) { c.Args[0] = "node\x1b[31m" })
	for answer, stdin := range map[string]io.Reader{"no": strings.NewReader("n\n"), "nothing": strings.NewReader("")} {
		if said, err := stopping(t, port, StopOptions{Stdin: stdin}); !errors.Is(err, ErrStopCanceled) || Status(err) != 1 || !runs(pid) {
			t.Errorf("answered %s: %v, runs %t; it says\n%s", answer, err, runs(pid), said)
		}
	}
	if said, err := stopping(t, port, StopOptions{}); err == nil || Status(err) != 1 || !runs(pid) {
		t.Errorf("where nobody can be asked: %v, runs %t; it says\n%s", err, runs(pid), said)
	}
	said, err := stopping(t, port, StopOptions{Stdin: strings.NewReader("y\n")})
	if err != nil || runs(pid) {
		t.Errorf("answered yes: %v, runs %t", err, runs(pid))
	}
	for _, want := range []string{port + " is held by ", fmt.Sprintf("(%d), user ", pid), ", since ", "Stop it? [y/N]", fmt.Sprintf("(%d) has ended.", pid)} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "\x1b") {
		t.Errorf("it prints what another process chose as it is: %q", said)
	}
}

func TestStopOfAProcessThatIgnoresIt(t *testing.T) {
	pid, port := victim(t, "stubborn", nil)
	said, err := stopping(t, port, StopOptions{Yes: true, GracePeriod: 300 * time.Millisecond})
	if err == nil || Status(err) != 1 || !strings.Contains(err.Error(), "did not end within 300ms; porthole stop "+port+" --force") || !runs(pid) {
		t.Errorf("without force: %v, runs %t; it says\n%s", err, runs(pid), said)
	}
	said, err = stopping(t, port, StopOptions{Yes: true, Force: true, GracePeriod: 300 * time.Millisecond})
	if err != nil || runs(pid) || !strings.Contains(said, "by force now") {
		t.Errorf("with force: %v, runs %t; it says\n%s", err, runs(pid), said)
	}
}

// A question that nobody answers ends with the program.
func TestStopThatIsInterrupted(t *testing.T) {
	pid, port := victim(t, "listen", nil)
	setSettings(t, "")
	terminal, typed := io.Pipe()
	defer typed.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var said bytes.Buffer
	if err := Stop(ctx, port, StopOptions{Options: Options{Stdout: &said, Stderr: &said}, Stdin: terminal}); err == nil || !runs(pid) {
		t.Errorf("interrupted: %v, runs %t", err, runs(pid))
	}
}

func TestStopNamesAndStopsAllOwnersOfAPort(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	inherits := func(c *exec.Cmd) { c.ExtraFiles = []*os.File{file} }
	first, _ := victim(t, "hold", inherits)
	second, _ := victim(t, "hold", inherits)

	// This test holds it too, and is not to be stopped: then nobody is.
	said, err := stopping(t, port, StopOptions{Yes: true})
	if err == nil || !strings.Contains(err.Error(), "is Porthole itself") || !runs(first) || !runs(second) {
		t.Errorf("of ourselves: %v, runs %t and %t; it says\n%s", err, runs(first), runs(second), said)
	}
	_, _ = file.Close(), ln.Close()
	said, err = stopping(t, port, StopOptions{Yes: true})
	if err != nil || runs(first) || runs(second) {
		t.Errorf("of two owners: %v, runs %t and %t", err, runs(first), runs(second))
	}
	for _, pid := range []int{first, second} {
		if !strings.Contains(said, fmt.Sprintf("(%d) has ended.", pid)) {
			t.Errorf("it does not name %d:\n%s", pid, said)
		}
	}
}

func TestStopEndsChildrenTooWhereThatIsWanted(t *testing.T) {
	for _, children := range []bool{false, true} {
		pid, said := victim(t, "family", nil)
		port, number, _ := strings.Cut(said, " ")
		child, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the parent said %q", said)
		}
		out, err := stopping(t, port, StopOptions{Yes: true, Children: children})
		if err != nil || runs(pid) || runs(child) == children {
			t.Errorf("with children %t: %v, the parent runs %t, its child %t; it says\n%s", children, err, runs(pid), runs(child), out)
		}
		if named := strings.Contains(out, fmt.Sprintf("with its children: sleep (%d)", child)); named != children {
			t.Errorf("with children %t: it says\n%s", children, out)
		}
		_ = syscall.Kill(child, syscall.SIGKILL) // the one that was left
	}
}

func TestStopOfAFreePortAndOfBadInput(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	_ = ln.Close()
	if said, err := stopping(t, port, StopOptions{Yes: true}); err == nil || Status(err) != 1 || err.Error() != port+" is free: there is nothing to stop" {
		t.Errorf("of a free port: %v; it says %q", err, said)
	}
	for _, bad := range []string{"0", "70000", "http", "3000-3999", ""} {
		if _, err := stopping(t, bad, StopOptions{Yes: true}); Status(err) != 2 {
			t.Errorf("%q: %v; want a usage error", bad, err)
		}
	}
}

func TestStopOfAnotherUsersProcess(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	pid, port := victim(t, "listen", nil)
	c := command("stop", port)
	c.Dir, c.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.Output()
	if err != nil || !strings.Contains(string(out), "who holds "+port+" cannot be seen") || !runs(pid) {
		t.Errorf("it says %q, %v, runs %s", out, err, strconv.FormatBool(runs(pid)))
	}
}
