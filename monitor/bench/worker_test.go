//go:build bench && linux

package bench

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

// The bench starts itself to produce the load: with this variable it is a worker,
// which carries out one order per line until its input ends.
const workerVariable = "PORTHOLE_BENCH_WORKER"

// order is a task for a worker; answer is its reply when the task is done.
type order struct {
	Do      string
	N       int           // a number, or a port
	Address [4]byte       // address to listen on
	Rate    int           // repetitions per second
	For     time.Duration // duration of the repetitions
}

type answer struct {
	Kind           string        `json:",omitempty"` // kind of an event, which is not a reply
	Port           int           `json:",omitempty"`
	At             time.Duration `json:",omitempty"` // on the monotonic clock, in nanoseconds
	CPU            time.Duration `json:",omitempty"`
	Done           int           `json:",omitempty"`
	Opened, Closed int
	Problem        string `json:",omitempty"`
}

func init() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	h := &actions{out: json.NewEncoder(os.Stdout)}
	for orders := json.NewDecoder(os.Stdin); ; {
		var o order
		if err := orders.Decode(&o); err != nil {
			os.Exit(0) // the bench has ended, or closed the input
		}
		a, err := h.do(o)
		if err != nil {
			a.Problem = fmt.Sprintf("%s: %v", o.Do, err)
		}
		h.reply(a)
	}
}

// worker is a child process that runs this program.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// hire starts a worker and sends its first orders, without waiting for replies.
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

// reply returns the next reply of the worker. A worker that does not reply within a
// minute is killed.
func (c *worker) reply(t *testing.T) answer {
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
	return c.reply(t)
}

// end ends the worker and waits until it has exited. It may be called again.
func (c *worker) end() {
	if c.cmd.ProcessState != nil {
		return
	}
	_ = c.in.Close()
	stuck := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer stuck.Stop()
	var exit *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "end worker:", err)
	}
}
