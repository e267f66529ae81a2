//go:build bench && linux

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"porthole/monitor/process/child"
)

// The bench starts itself to produce the load: in the role "worker" it carries out one
// order per line until its input ends.
func TestMain(m *testing.M) {
	child.Main(m, map[string]func(){"worker": playWorker, "starting server": playStartingServer})
}

// order is a task for a worker; answer is its reply when the task is done.
type order struct {
	Do      string
	N       int           // a number, or a port
	Address [4]byte       // address to listen on
	Rate    int           // repetitions per second
	For     time.Duration // duration of the repetitions

	Programs bool // for "watch": learn which programs start
}

type answer struct {
	Kind           string        `json:",omitempty"` // kind of an event, which is not a reply
	Port           int           `json:",omitempty"`
	At             time.Duration `json:",omitempty"` // on the monotonic clock, in nanoseconds
	CPU            time.Duration `json:",omitempty"`
	Done           int           `json:",omitempty"`
	AtLeast        bool          `json:",omitempty"` // Done is a lower limit
	Opened, Closed int
	Problem        string `json:",omitempty"`
}

func playWorker() {
	h := &actions{out: json.NewEncoder(os.Stdout)}
	for orders := json.NewDecoder(os.Stdin); ; {
		var o order
		if err := orders.Decode(&o); err != nil {
			return // the bench has ended, or closed the input
		}
		a, err := h.do(o)
		if err != nil {
			a.Problem = fmt.Sprintf("%s: %v", o.Do, err)
		}
		h.reply(a)
	}
}

// worker is a child in the role "worker".
type worker struct {
	child.Child
	answers *json.Decoder
}

// hire starts a worker and sends its first orders, without waiting for replies.
func hire(t *testing.T, first ...order) *worker {
	t.Helper()
	c := &worker{Child: child.Start(t, child.Command("worker"))}
	c.answers = json.NewDecoder(c.Out)
	for _, o := range first {
		c.order(t, o)
	}
	return c
}

func (c *worker) order(t *testing.T, o order) {
	t.Helper()
	if err := json.NewEncoder(c.In).Encode(o); err != nil {
		t.Fatalf("order %q: %v", o.Do, err)
	}
}

// reply returns the next reply of the worker. A worker that does not reply within a
// minute is killed.
func (c *worker) reply(t *testing.T) answer {
	t.Helper()
	stuck := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(c.PID, syscall.SIGKILL) })
	defer stuck.Stop()
	var a answer
	if err := c.answers.Decode(&a); err != nil {
		t.Fatalf("worker %d: %v", c.PID, err)
	}
	if a.Problem != "" {
		t.Fatalf("worker %d: %s", c.PID, a.Problem)
	}
	return a
}

func (c *worker) ask(t *testing.T, o order) answer {
	t.Helper()
	c.order(t, o)
	return c.reply(t)
}
