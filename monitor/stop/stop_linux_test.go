package stop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// roles are more children of the tests: "tree" listens and has a child that has a child
// that ignores SIGTERM, "stops" tries to stop the process in its arguments and prints the
// result.
var roles = child.Roles(map[string]func(){
	"tree": child.Reporting(func() child.Listening {
		if err := child.Command("shell").Start(); err != nil {
			child.Fail(err)
		}
		return child.Listen()
	}),
	"shell": func() {
		if err := child.Command("sleeper").Start(); err != nil {
			child.Fail(err)
		}
		time.Sleep(time.Minute)
	},
	"sleeper": func() { signal.Ignore(syscall.SIGTERM); time.Sleep(time.Minute) },
	"stops":   tryToStop,
})

func TestMain(m *testing.M) { child.Main(m, roles) }

func tryToStop() {
	pid, _ := strconv.Atoi(os.Args[1]) // PID 0 is refused
	start, _ := strconv.ParseUint(os.Args[2], 10, 64)
	p, err := Open(monitor.Owner{PID: pid, Start: start, User: "root"})
	if err == nil {
		err = p.Terminate(alwaysHolds)
	}
	var refused PermissionError
	fmt.Print(errors.As(err, &refused), " ", err)
}

// victim runs a child until it is stopped or the test ends, and returns it as an
// owner.
func victim(t *testing.T, role string, change ...func(*exec.Cmd)) monitor.Owner {
	t.Helper()
	o, err := process.Info(child.ServeVictim(t, role, change...).PID)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func alwaysHolds(monitor.Owner) bool { return true }

func open(t *testing.T, o monitor.Owner) *Process {
	t.Helper()
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// exitsWithin reports whether p ends within d.
func exitsWithin(t *testing.T, p *Process, d time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err := p.Wait(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait: %v", err)
	}
	return err == nil
}

func TestTerminate(t *testing.T) {
	o := victim(t, "listen")
	p := open(t, o)
	if err := p.Terminate(alwaysHolds); err != nil {
		t.Fatal(err)
	}
	if !exitsWithin(t, p, GracePeriod) || process.IsAlive(o.PID, o.Start) {
		t.Error("the process did not end")
	}
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Kill after the end: got %v, want os.ErrProcessDone", err)
	}
	if _, err := Open(o); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Open after the end: got %v, want os.ErrProcessDone", err)
	}
}

func TestKillAfterIgnoredTerminate(t *testing.T) {
	for name, held := range map[string]func(monitor.Owner) (handle, error){"by a pidfd": openHandle, "by its number": openByPID} {
		t.Run(name, func(t *testing.T) {
			o := victim(t, "stubborn")
			h, err := held(o)
			if err != nil {
				t.Fatal(err)
			}
			p := &Process{o, h}
			defer p.Close()
			if err := p.Terminate(alwaysHolds); err != nil {
				t.Fatal(err)
			}
			if exitsWithin(t, p, 300*time.Millisecond) || !process.IsAlive(o.PID, o.Start) {
				t.Fatal("the process ended on SIGTERM")
			}
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
			if !exitsWithin(t, p, GracePeriod) {
				t.Error("the process did not end on SIGKILL")
			}
		})
	}
}

func TestOpenRefusals(t *testing.T) {
	o := victim(t, "listen")
	ourselves, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	parents := process.Parents(ourselves)
	if len(parents) == 0 {
		t.Fatal("no parents found")
	}
	later, unknown := o, o
	later.Start++
	unknown.Start = 0
	for _, test := range []struct {
		name string
		o    monitor.Owner
		want Reason
	}{
		{"pid 0", monitor.Owner{Start: 1}, SystemProcess},
		{"a negative pid, which is a group", monitor.Owner{PID: -o.PID, Start: o.Start}, SystemProcess},
		{"pid 1", monitor.Owner{PID: 1, Start: 1}, SystemProcess},
		{"ourselves", ourselves, Self},
		{"our parent", monitor.Owner{PID: parents[0].PID, Start: parents[0].Start}, ParentProcess},
		{"another process with that number", later, IdentityChanged},
		{"one whose start is not known", unknown, IdentityUnknown},
	} {
		p, err := Open(test.o)
		if err == nil {
			p.Close()
		}
		var refused RefusedError
		if test.name == "our parent" && test.o.PID == 1 {
			test.want = SystemProcess // in a container
		}
		if !errors.As(err, &refused) || refused.Reason != test.want {
			t.Errorf("%s: got %v, want reason %q", test.name, err, test.want)
		}
	}
	p := open(t, o)
	var refused RefusedError
	if err := p.Terminate(func(monitor.Owner) bool { return false }); !errors.As(err, &refused) || refused.Reason != PortReleased {
		t.Errorf("port released: got %v, want reason %q", err, PortReleased)
	}
	if !process.IsAlive(o.PID, o.Start) {
		t.Error("the process ended")
	}
}

func TestForeignProcessIsPermissionError(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to run as another user")
	}
	o := victim(t, "listen")
	c := child.Command("stops", strconv.Itoa(o.PID), strconv.FormatUint(o.Start, 10))
	child.AsNobody(c)
	out, err := c.Output()
	want := fmt.Sprintf("true process %d is root's: only that user or an administrator may stop it", o.PID)
	if err != nil || string(out) != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
	if !process.IsAlive(o.PID, o.Start) {
		t.Error("the process ended")
	}
}

// The window's parent is the agent, which is Porthole too.
func TestParentThatIsPortholeIsSelf(t *testing.T) {
	ourselves, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.Command("stops", strconv.Itoa(ourselves.PID), strconv.FormatUint(ourselves.Start, 10)).Output()
	want := fmt.Sprintf("false process %d is not stopped: it is Porthole itself", ourselves.PID)
	if err != nil || string(out) != want {
		t.Errorf("parent with the same program: got %q, %v; want %q", out, err, want)
	}
}

// descendants waits until n processes run below o.
func descendants(t *testing.T, o monitor.Owner, n int) (found []monitor.Owner) {
	t.Helper()
	await.Until(t, fmt.Sprintf("%d descendants of %d run", n, o.PID), func() bool {
		var err error
		found, err = process.Descendants(o)
		return err != nil || len(found) == n
	})
	return found
}

func TestStopProcessTree(t *testing.T) {
	o := victim(t, "tree")
	found := descendants(t, o, 2)
	t.Cleanup(func() {
		for _, c := range found {
			if process.IsAlive(c.PID, c.Start) {
				_ = syscall.Kill(c.PID, syscall.SIGKILL)
			}
		}
	})
	if found[0].ParentPID != o.PID || found[1].ParentPID != found[0].PID {
		t.Fatalf("got %+v, want the child, then its child", found)
	}
	time.Sleep(200 * time.Millisecond) // until the last one ignores SIGTERM
	held, err := OpenAll([]monitor.Owner{o, o})
	if err != nil || len(held) != 1 {
		t.Fatalf("OpenAll with a duplicate: got %d, %v; want 1", len(held), err)
	}
	defer CloseAll(held)
	children, err := OpenDescendants(held)
	if err != nil || len(children) != 2 {
		t.Fatalf("OpenDescendants: got %d, %v; want 2", len(children), err)
	}
	defer CloseAll(children)
	limited, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var sent, ended []int
	out := Signal(limited, append(held, children...), func(p *Process) error { return p.Terminate(nil) }, Progress{
		Signaled: func(to []*Process) {
			for _, p := range to {
				sent = append(sent, p.Owner().PID)
			}
		},
		Ended: func(p *Process) { ended = append(ended, p.Owner().PID) },
	})
	if len(sent) != 3 || len(ended) != 2 || len(out.Failed) != 0 || len(out.StillRunning) != 1 || out.StillRunning[0].Owner().PID != found[1].PID {
		t.Fatalf("got signaled %v, ended %v, %+v; want all three, two, and %d still running", sent, ended, out, found[1].PID)
	}
	out = Signal(t.Context(), out.StillRunning, (*Process).Kill, Progress{})
	if len(out.StillRunning)+len(out.Failed) != 0 || process.IsAlive(found[1].PID, found[1].Start) {
		t.Errorf("after SIGKILL: %+v", out)
	}
}

// A server's child may hold the port between fork and exec. If it released the
// port, the stop has not failed; if all owners released it, that is an error.
func TestReleasedPortIsNotAnErrorIfOthersHoldIt(t *testing.T) {
	stays, other := victim(t, "listen"), victim(t, "listen")
	held, err := OpenAll([]monitor.Owner{other, stays})
	if err != nil {
		t.Fatal(err)
	}
	defer CloseAll(held)
	out := Signal(t.Context(), held[:1], func(p *Process) error { return p.Terminate(func(monitor.Owner) bool { return false }) }, Progress{})
	if p := out.Errors(1); len(p) != 1 || p[0].Owner.PID != other.PID {
		t.Errorf("all released: got errors %v, want that of %d", p, other.PID)
	}
	out = Signal(t.Context(), held, func(p *Process) error { return p.Terminate(stays.Same) }, Progress{})
	if p := out.Errors(2); len(p) != 0 || len(out.StillRunning) != 0 {
		t.Errorf("got errors %v, %d still running; want none", p, len(out.StillRunning))
	}
	if !process.IsAlive(other.PID, other.Start) || process.IsAlive(stays.PID, stays.Start) {
		t.Error("the wrong process was stopped")
	}
}

func TestOpenAllOpensNoneIfOneIsRefused(t *testing.T) {
	o := victim(t, "listen")
	held, err := OpenAll([]monitor.Owner{o, {PID: os.Getpid(), Start: 1}})
	var f Failure
	var refused RefusedError
	if len(held) != 0 || !errors.As(err, &f) || f.Owner.PID != os.Getpid() || !errors.As(err, &refused) || refused.Reason != Self {
		t.Errorf("OpenAll: got %d, %v; want a failure about this process", len(held), err)
	}
}

func TestHolderCheckRescans(t *testing.T) {
	o := victim(t, "listen")
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	listener := &monitor.Listener{Protocol: monitor.TCP, Port: uint16(ln.Addr().(*net.TCPAddr).Port)}
	for _, open := range []bool{true, false} {
		if !open {
			_ = ln.Close()
		}
		holds, err := NewHolderCheck(t.Context(), []*monitor.Listener{listener}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if holds(self) != open || holds(o) {
			t.Errorf("listener open %t: held by this process %t, by another %t", open, holds(self), holds(o))
		}
	}
}
