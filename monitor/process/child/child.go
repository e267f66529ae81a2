// Package child starts the child processes of tests: programs that listen, connect
// or refuse to end, as long as their standard input is open. Nothing but tests
// imports it.
package child

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
	"time"
)

// Child is a process that talks to the test.
type Child struct {
	PID int
	In  io.WriteCloser
	Out *bufio.Reader
}

// Start runs c, whose program ends with its standard input, until the test ends;
// then it must end by itself, without an error.
func Start(t *testing.T, c *exec.Cmd) Child {
	t.Helper()
	child := begin(t, c)
	t.Cleanup(func() {
		_ = child.In.Close()
		stuck := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("child %d: %v", child.PID, err)
		}
	})
	return child
}

// StartVictim runs c, which the test may stop in whatever way, at the latest until
// the test ends.
func StartVictim(t *testing.T, c *exec.Cmd) Child {
	t.Helper()
	child := begin(t, c)
	t.Cleanup(func() {
		_ = child.In.Close()
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	return child
}

func begin(t *testing.T, c *exec.Cmd) Child {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return Child{PID: c.Process.Pid, In: in, Out: bufio.NewReader(out)}
}
