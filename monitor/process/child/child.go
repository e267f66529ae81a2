// Package child starts the child processes of tests: programs that listen, connect
// or ignore signals, as long as their standard input is open. Only tests import it.
//
// A test program can be its own child: with a role in its environment it plays that
// role instead of testing, see Main and Command.
package child

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"
)

const roleVariable = "PORTHOLE_TEST_ROLE"

// NameVariable is an environment variable with a process name for a child to take.
const NameVariable = "PORTHOLE_TEST_NAME"

// A child's main goroutine stays on the main thread.
func init() {
	if os.Getenv(roleVariable) != "" {
		runtime.LockOSThread()
	}
}

// Main is the TestMain of a program that is its own child. It plays the role that
// Command set, or runs the tests. It does not return.
func Main(m *testing.M, roles map[string]func()) {
	Play(roles)
	os.Exit(m.Run())
}

// Play plays the role that Command set and exits. In a test, which has no role, it
// returns.
func Play(roles map[string]func()) {
	role := os.Getenv(roleVariable)
	if role == "" {
		return
	}
	if name := os.Getenv(NameVariable); name != "" {
		if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
			Fail(err)
		}
	}
	play, ok := roles[role]
	if !ok {
		Fail(fmt.Errorf("unknown role %q", role))
	}
	play()
	os.Exit(0)
}

// Reporting returns a role that prints the report of play and waits for the end of
// its input.
func Reporting[T any](play func() T) func() {
	return func() {
		Report(play())
		Wait()
	}
}

// Report prints a report in one line of JSON.
func Report(report any) {
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		Fail(err)
	}
}

// Wait waits until the test closes the child's input.
func Wait() { _, _ = io.Copy(io.Discard, os.Stdin) }

// Fail ends a child that cannot play its role.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, "child:", err)
	os.Exit(1)
}

// Command returns a command that runs the test program in a role. On Linux its path
// also works for a user who may not enter the program's folder.
func Command(role string, args ...string) *exec.Cmd {
	program := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		program = os.Args[0]
	}
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	SetRole(c, role)
	return c
}

// SetRole adds a role to the environment of c.
func SetRole(c *exec.Cmd, role string) {
	if c.Env == nil {
		c.Env = os.Environ()
	}
	// The race detector would sleep for a second at the end of each child.
	c.Env = append(c.Env, roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
}

// Child is a process that talks to the test.
type Child struct {
	PID int
	In  io.WriteCloser
	Out *bufio.Reader
	End func() // closes its input and waits until it has exited; may be called again
}

// Start runs c, which exits at the end of its input, until End is called or the test
// ends. Then it must exit without an error.
func Start(t *testing.T, c *exec.Cmd) Child {
	t.Helper()
	child, err := TryStart(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return child
}

// TryStart is Start for a child that the system may not allow.
func TryStart(t *testing.T, c *exec.Cmd) (Child, error) {
	t.Helper()
	child, err := Launch(c)
	if err != nil {
		return child, err
	}
	child.End = sync.OnceFunc(func() {
		_ = child.In.Close()
		stuck := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("child %d (%v): %v", child.PID, c.Args, err)
		}
	})
	t.Cleanup(child.End)
	return child, nil
}

// Begin starts the test program in a role, after the changes to its command, and reads
// its report.
func Begin(t *testing.T, role string, report any, change ...func(*exec.Cmd)) Child {
	t.Helper()
	started, err := TryBegin(t, role, report, change...)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

// TryBegin is Begin for a child that the system may not allow. An error means that, or
// that the child did not report.
func TryBegin(t *testing.T, role string, report any, change ...func(*exec.Cmd)) (Child, error) {
	t.Helper()
	c := Command(role)
	for _, f := range change {
		f(c)
	}
	started, err := TryStart(t, c)
	if err != nil {
		return started, err
	}
	return started, started.ReadReport(report)
}

// StartVictim runs c, which the test may stop in any way, until the test ends.
func StartVictim(t *testing.T, c *exec.Cmd) Child {
	t.Helper()
	child, err := Launch(c)
	if err != nil {
		t.Fatal(err)
	}
	child.End = sync.OnceFunc(func() {
		_ = child.In.Close()
		_ = c.Process.Kill() // it may have exited
		_ = c.Wait()
	})
	t.Cleanup(child.End)
	return child
}

// Launch runs c. The caller ends it and calls c.Wait; End is nil.
func Launch(c *exec.Cmd) (Child, error) {
	in, err := c.StdinPipe()
	if err != nil {
		return Child{}, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return Child{}, err
	}
	if err := c.Start(); err != nil {
		return Child{}, err
	}
	return Child{PID: c.Process.Pid, In: in, Out: bufio.NewReader(out)}, nil
}

// Line returns the next line that the child prints.
func (c Child) Line(t *testing.T) string {
	t.Helper()
	line, err := c.Out.ReadString('\n')
	if err != nil {
		t.Fatalf("child %d printed %q, then: %v", c.PID, line, err)
	}
	return line[:len(line)-1]
}

// ReadReport reads what the child prints with Report into report.
func (c Child) ReadReport(report any) error {
	line, err := c.Out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("child %d printed %q: %w", c.PID, line, err)
	}
	return json.Unmarshal(line, report)
}
