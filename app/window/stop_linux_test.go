//go:build cgo

package window

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
	"porthole/ui/words"
)

// roles are the children of the tests. "closes" closes its port when it reads a line.
var roles = child.Roles(map[string]func(){
	"closes": func() {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			child.Fail(err)
		}
		child.Report(child.Describe(ln))
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		_ = ln.Close()
		fmt.Println("closed")
		child.Wait()
	},
})

func TestMain(m *testing.M) {
	child.Play(roles)
	_ = os.Setenv("LANGUAGE", "en") // the tests compare English text
	_ = os.Setenv("LC_ALL", "en_US.UTF-8")
	if err := words.SetUpLanguage(""); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// testProcess is a child process that listens, and how the window knows it.
type testProcess struct {
	monitor.Owner
	listener *monitor.Listener
	child    child.Server
}

// startProcess starts a child process, which is killed at the end of the test.
func startProcess(t *testing.T, role string) *testProcess {
	t.Helper()
	v := &testProcess{child: child.ServeVictim(t, role, child.With("--serve"))}
	var err error
	if v.Owner, err = process.Info(v.child.PID); err != nil {
		t.Fatal(err)
	}
	at := v.child.Address
	v.listener = &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}, Owners: []monitor.Owner{v.Owner}}
	return v
}

func (v *testProcess) alive() bool { return process.IsAlive(v.PID, v.Start) }

// stopTest is a stopping with its reports.
type stopTest struct {
	*stopping
	t        *testing.T
	updates  chan uistop.Update
	signaled []int // PIDs; valid after an update
	ended    chan struct{}
	cancel   context.CancelFunc
}

// startStop starts to stop owners, which hold listeners.
func startStop(t *testing.T, gracePeriod time.Duration, owners []monitor.Owner, listeners ...*monitor.Listener) *stopTest {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &stopTest{t: t, updates: make(chan uistop.Update, 10), ended: make(chan struct{}), cancel: cancel}
	q := uistop.Request{Owners: owners, Listeners: listeners, Snapshot: monitor.Snapshot{Listeners: listeners}}
	c.stopping = newStopping(q, cancel, slog.New(slog.DiscardHandler))
	c.gracePeriod = gracePeriod
	c.report = func(u uistop.Update) { c.updates <- u }
	c.onSignal = func(o monitor.Owner, _ string) { c.signaled = append(c.signaled, o.PID) }
	go func() {
		defer close(c.ended)
		c.run(ctx)
	}()
	t.Cleanup(func() { c.Close(); <-c.ended })
	return c
}

// next returns the next update, which must have that stage.
func (c *stopTest) next(stage uistop.Stage) uistop.Update {
	c.t.Helper()
	select {
	case u := <-c.updates:
		if u.Stage != stage {
			c.t.Fatalf("got update %+v, want stage %d", u, stage)
		}
		return u
	case <-time.After(20 * time.Second):
		c.t.Fatalf("got no update within 20 s, want stage %d", stage)
		return uistop.Update{}
	}
}

func TestStop(t *testing.T) {
	v := startProcess(t, "listen")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.listener)
	u := c.next(uistop.Ready)
	if len(u.Targets) != 1 || !u.Targets[0].Same(v.Owner) || len(u.Listeners) != 1 || u.Children != 0 || u.GracePeriod != 10*time.Second {
		t.Errorf("got %+v, want one target and its listener", u)
	}
	if !v.alive() {
		t.Fatal("the process was stopped before Terminate")
	}
	c.Terminate(false)
	c.Terminate(false) // no effect
	u = c.next(uistop.Done)
	if v.alive() || len(u.Targets) != 1 || !slices.Equal(c.signaled, []int{v.PID}) {
		t.Errorf("got alive %t, update %+v, signaled %v; want one signal and the end", v.alive(), u, c.signaled)
	}
	if got := u.Targets[0].Command; !slices.Equal(got, []string{"/proc/self/exe", "--serve"}) {
		t.Errorf("got command %q", got)
	}
}

// The owners come from the agent as JSON, which lacks what is needed to start them again.
func TestStopOffersToStartAgain(t *testing.T) {
	v := startProcess(t, "listen")
	b, err := json.Marshal(v.Owner)
	if err != nil {
		t.Fatal(err)
	}
	var received monitor.Owner
	if err := json.Unmarshal(b, &received); err != nil {
		t.Fatal(err)
	}
	c := startStop(t, 10*time.Second, []monitor.Owner{received}, v.listener)
	c.next(uistop.Ready)
	c.Terminate(false)
	if u := c.next(uistop.Done); !strings.Contains(u.Again, "Start again runs") {
		t.Errorf("got %q, want what it runs", u.Again)
	}
}

func TestForceQuit(t *testing.T) {
	v := startProcess(t, "stubborn")
	c := startStop(t, 300*time.Millisecond, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	c.Terminate(false)
	if u := c.next(uistop.StillRunning); !v.alive() || len(u.StillRunning) != 1 || u.StillRunning[0].PID != v.PID {
		t.Fatalf("after Terminate: got alive %t, update %+v; want it running", v.alive(), u)
	}
	c.Terminate(false) // no effect
	time.Sleep(500 * time.Millisecond)
	if !v.alive() || len(c.updates) != 0 {
		t.Fatalf("after a second Terminate: got alive %t and %d updates, want true and none", v.alive(), len(c.updates))
	}
	c.ForceQuit()
	if u := c.next(uistop.Done); v.alive() || len(u.Targets) != 1 {
		t.Errorf("after ForceQuit: got alive %t, update %+v; want the end", v.alive(), u)
	}
}

// The user need not wait for the grace period.
func TestForceQuitNow(t *testing.T) {
	v := startProcess(t, "stubborn")
	c := startStop(t, time.Hour, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	c.Terminate(false)
	for len(c.orders) > 0 { // it was taken: an order is dropped while another one is pending
		time.Sleep(time.Millisecond)
	}
	c.ForceQuit()
	if u := c.next(uistop.Done); v.alive() || len(u.Targets) != 1 {
		t.Errorf("got alive %t, update %+v; want the end", v.alive(), u)
	}
}

func TestStopOneOfSeveralOwners(t *testing.T) {
	first, second := startProcess(t, "listen"), startProcess(t, "listen")
	c := startStop(t, 10*time.Second, []monitor.Owner{first.Owner, second.Owner}, first.listener, second.listener)
	c.next(uistop.Ready)
	c.Keep([]monitor.Owner{first.Owner})
	c.Terminate(false)
	u := c.next(uistop.Done)
	if !first.alive() || second.alive() || len(u.Targets) != 1 || len(u.InUse) != 0 {
		t.Errorf("got alive %t and %t, update %+v; want only the second one stopped", first.alive(), second.alive(), u)
	}
	if want := fmt.Sprintf("%d is still open: ", first.listener.Port); len(u.StillOpen) != 1 || !strings.HasPrefix(u.StillOpen[0], want) {
		t.Errorf("got %q, want %q", u.StillOpen, want)
	}
}

func TestStopNamesTheMaster(t *testing.T) {
	master, worker := startProcess(t, "listen"), startProcess(t, "listen")
	worker.Parents = []monitor.Parent{{PID: master.PID, Start: master.Start}}
	s := newStopping(uistop.Request{}, func() {}, slog.New(slog.DiscardHandler))
	opened, err := stop.OpenAll([]monitor.Owner{worker.Owner, master.Owner})
	if err != nil {
		t.Fatal(err)
	}
	defer stop.CloseAll(opened)
	want := fmt.Sprintf("(%d) is the master of the others", master.PID)
	if u := s.readyUpdate(opened); len(u.Notes) != 1 || !strings.Contains(u.Notes[0], want) {
		t.Errorf("got %q, want one note with %q", u.Notes, want)
	}
}

// A process that exits after the grace period was stopped, too.
func TestStopReportsALateExit(t *testing.T) {
	v := startProcess(t, "stubborn")
	c := startStop(t, 300*time.Millisecond, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	c.Terminate(false)
	c.next(uistop.StillRunning)
	_ = v.child.In.Close()
	if u := c.next(uistop.Done); len(u.Targets) != 1 || u.Targets[0].PID != v.PID {
		t.Errorf("got %+v, want the process among the targets", u)
	}
}

func TestStopWithChildren(t *testing.T) {
	v := startProcess(t, "family")
	children, err := process.Descendants(v.Owner)
	if err != nil || len(children) != 1 {
		t.Fatalf("Descendants: got %+v, error %v; want one", children, err)
	}
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.listener)
	if u := c.next(uistop.Ready); u.Children != 1 {
		t.Errorf("got %d children, want 1", u.Children)
	}
	c.Terminate(true)
	if u := c.next(uistop.Done); len(u.Targets) != 2 || u.Targets[1].PID != children[0].PID || process.IsAlive(children[0].PID, children[0].Start) {
		t.Errorf("got %+v, want that both have exited", u)
	}
}

// If the children cannot be found, the parent must not be stopped without them.
func TestStopSignalsNothingIfChildrenCannotBeFound(t *testing.T) {
	v := startProcess(t, "listen")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.listener)
	c.openDescendants = func([]*stop.Process) ([]*stop.Process, error) { return nil, errors.New("no /proc") }
	c.next(uistop.Ready)
	c.Terminate(true)
	u := c.next(uistop.Refused)
	if len(u.Problems) != 1 || !strings.HasPrefix(u.Problems[0], "Can't find the child processes") || !v.alive() || len(c.signaled) != 0 {
		t.Errorf("got alive %t, problems %q, signaled %v; want a problem and no signal", v.alive(), u.Problems, c.signaled)
	}
}

// Owners are checked again before a signal: the snapshot may be outdated.
func TestStopIgnoresAProcessThatClosedThePort(t *testing.T) {
	v := startProcess(t, "closes")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	_, _ = io.WriteString(v.child.In, "now\n")
	if line := v.child.Line(t); line != "closed" {
		t.Fatalf("got line %q, want closed", line)
	}
	c.Terminate(false)
	u := c.next(uistop.Refused)
	if len(u.Problems) != 1 || !strings.HasSuffix(u.Problems[0], ": it no longer owns the port.") || !v.alive() || len(c.signaled) != 0 {
		t.Errorf("got alive %t, problems %q, signaled %v; want a problem and no signal", v.alive(), u.Problems, c.signaled)
	}
}

func TestStopRefusals(t *testing.T) {
	v := startProcess(t, "listen")
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	self.Name = "port\x1b[31mhole"
	reusedPID := v.Owner
	reusedPID.Start++
	for want, o := range map[string]monitor.Owner{
		fmt.Sprintf("Can't stop port [31mhole (%d): it is Porthole itself.", self.PID):                                                     self,
		"Can't stop process 1 (1): it is a critical system process.":                                                                       {PID: 1, Start: 1},
		fmt.Sprintf("Can't stop %s (%d): it is now a different process; the original has exited.", monitor.Clean(v.Name, 60), v.Owner.PID): reusedPID,
	} {
		owners := []monitor.Owner{v.Owner, o}
		if o.PID == 1 {
			owners = owners[1:] // beside a server it is systemd, which passed the socket on
		}
		c := startStop(t, time.Second, owners, v.listener)
		if u := c.next(uistop.Refused); len(u.Problems) != 1 || u.Problems[0] != want {
			t.Errorf("got problems %q, want %q", u.Problems, want)
		}
		<-c.ended
	}
	if !v.alive() {
		t.Error("the other process was stopped")
	}
}

func TestStopReportsAnExitByItself(t *testing.T) {
	v := startProcess(t, "listen")
	c := startStop(t, time.Second, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	_ = v.child.In.Close()
	c.next(uistop.AlreadyExited)
	if len(c.signaled) != 0 {
		t.Errorf("got signals to %v, want none", c.signaled)
	}
	c = startStop(t, time.Second, []monitor.Owner{v.Owner}, v.listener) // it has exited
	c.next(uistop.AlreadyExited)
}

// Closing the window or the dialog ends the operation.
func TestStopEndsWithTheWindow(t *testing.T) {
	v := startProcess(t, "stubborn")
	for _, terminated := range []bool{false, true} {
		c := startStop(t, time.Minute, []monitor.Owner{v.Owner}, v.listener)
		c.next(uistop.Ready)
		if terminated {
			c.Terminate(false)
			time.Sleep(300 * time.Millisecond)
		}
		c.cancel()
		select {
		case <-c.ended:
		case <-time.After(5 * time.Second):
			t.Fatalf("terminated %t: the operation did not end within 5 s", terminated)
		}
		if len(c.updates) != 0 || !v.alive() {
			t.Errorf("terminated %t: got update %+v, alive %t; want none and true", terminated, <-c.updates, v.alive())
		}
	}
}

func TestFailureTextOfAForeignProcess(t *testing.T) {
	s := &stopping{log: slog.New(slog.DiscardHandler)}
	for want, o := range map[string]monitor.Owner{
		"Can't stop x (9): only ada or an administrator can do that.":      {PID: 9, Name: "x", User: "ada"},
		"Can't stop x (9): only its user or an administrator can do that.": {PID: 9, Name: "x"},
	} {
		if got := s.failureText(stop.Failure{Owner: o, Err: stop.PermissionError{PID: o.PID, User: o.User, Err: syscall.EPERM}}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
