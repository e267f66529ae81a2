//go:build bench && linux

package monitor_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// The bench's load is the bench itself: with this variable it does what it is
// told, one order a line, until its input ends.
const workerVariable = "PORTHOLE_BENCH_WORKER"

// order is what a worker is to do; answer what it says when that is done.
type order struct {
	Do      string
	N       int           // how many, or a port
	Address [4]byte       // on which
	Rate    int           // of what is done again and again, a second
	For     time.Duration // how long it is
}

type answer struct {
	Kind           string        `json:",omitempty"` // of a change that nobody asked for
	Port           int           `json:",omitempty"`
	At             time.Duration `json:",omitempty"` // of the monotonic clock, in nanoseconds
	CPU            time.Duration `json:",omitempty"`
	Done           int           `json:",omitempty"`
	Opened, Closed int
	Problem        string `json:",omitempty"`
}

func init() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	h := &hand{said: json.NewEncoder(os.Stdout)}
	for orders := json.NewDecoder(os.Stdin); ; {
		var o order
		if err := orders.Decode(&o); err != nil {
			os.Exit(0) // the bench has ended, or wants this child to
		}
		a, err := h.do(o)
		if err != nil {
			a.Problem = fmt.Sprintf("%s: %v", o.Do, err)
		}
		h.say(a)
	}
}

// worker is this program as a process of its own.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// hire starts a worker and gives it its first orders, without waiting for them.
func hire(t *testing.T, first ...order) *worker {
	t.Helper()
	c := &worker{cmd: exec.Command("/proc/self/exe")}
	c.cmd.Stderr = os.Stderr
	c.cmd.Env = append(os.Environ(), workerVariable+"=1")
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = json.NewDecoder(bufio.NewReader(out))
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.end)
	for _, o := range first {
		c.order(t, o)
	}
	return c
}

func (c *worker) order(t *testing.T, o order) {
	t.Helper()
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		t.Fatalf("order %q: %v", o.Do, err)
	}
}

// hears returns the next thing that the worker says. A worker that says nothing
// for a minute is ended.
func (c *worker) hears(t *testing.T) answer {
	t.Helper()
	stuck := time.AfterFunc(time.Minute, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	var a answer
	if err := c.out.Decode(&a); err != nil {
		t.Fatalf("worker %d: %v", c.cmd.Process.Pid, err)
	}
	if a.Problem != "" {
		t.Fatalf("worker %d: %s", c.cmd.Process.Pid, a.Problem)
	}
	return a
}

func (c *worker) ask(t *testing.T, o order) answer {
	t.Helper()
	c.order(t, o)
	return c.hears(t)
}

// end ends the worker and waits for that. It may be called again.
func (c *worker) end() {
	if c.cmd.ProcessState != nil {
		return
	}
	_ = c.in.Close()
	stuck := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	var exit *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "end a worker:", err)
	}
}
