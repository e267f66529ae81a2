//go:build cgo

package window

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
	"porthole/monitor/stop"
	"porthole/ui"
)

// A test program with this variable is a child of a test: it listens at a port that
// it says, until its input ends. "stubborn" ignores SIGTERM, "lets go" closes the
// port when it is told a line, "family" has a child.
const roleVariable = "PORTHOLE_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		_ = os.Setenv("LANGUAGE", "en") // the sentences below, wherever this runs
		_ = os.Setenv("LC_ALL", "en_US.UTF-8")
		if err := ui.SetUpLanguage(""); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	if role == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err == nil && role == "family" {
		err = exec.Command("sleep", "60").Start()
	}
	fmt.Println(ln.Addr(), err)
	in := bufio.NewReader(os.Stdin)
	if role == "lets go" {
		_, _ = in.ReadString('\n')
		_ = ln.Close()
		fmt.Println("closed")
	}
	_, _ = io.Copy(io.Discard, in)
	runtime.KeepAlive(ln) // or it closes when Go collects what nobody uses any more
}

// testProcess is a child that listens, as the window sees it.
type testProcess struct {
	monitor.Owner
	row *monitor.Listener
	in  io.WriteCloser
	out *bufio.Reader
}

// startProcess runs a child until it is stopped or the test ends.
func startProcess(t *testing.T, role string) *testProcess {
	t.Helper()
	c := exec.Command("/proc/self/exe", "--serve")
	c.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	started := child.StartVictim(t, c)
	v := &testProcess{in: started.In, out: started.Out}
	line, err := v.out.ReadString('\n')
	address, _, _ := strings.Cut(line, " ")
	at, parsing := netip.ParseAddrPort(address)
	if err != nil || parsing != nil {
		t.Fatalf("%s said %q, %v", role, line, err)
	}
	if v.Owner, err = process.Info(c.Process.Pid); err != nil {
		t.Fatal(err)
	}
	v.row = &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}, Owners: []monitor.Owner{v.Owner}}
	return v
}

func (v *testProcess) lives() bool { return process.IsAlive(v.PID, v.Start) }

// stopTest is one stop, with what it told.
type stopTest struct {
	*stopping
	t         *testing.T
	news      chan ui.StopUpdate
	signalled []int // read it after news
	ended     chan struct{}
	cancel    context.CancelFunc
}

func startStop(t *testing.T, patience time.Duration, owners []monitor.Owner, rows ...*monitor.Listener) *stopTest {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &stopTest{t: t, news: make(chan ui.StopUpdate, 10), ended: make(chan struct{}), cancel: cancel}
	q := ui.StopRequest{Owners: owners, Listeners: rows, Snapshot: monitor.Snapshot{Listeners: rows}}
	c.stopping = newStopping(q, cancel, slog.New(slog.DiscardHandler))
	c.gracePeriod = patience
	c.report = func(n ui.StopUpdate) { c.news <- n }
	c.stopping.signalled = func(o monitor.Owner) { c.signalled = append(c.signalled, o.PID) }
	go func() {
		defer close(c.ended)
		c.run(ctx)
	}()
	t.Cleanup(func() { c.Close(); <-c.ended })
	return c
}

// next is the next news, which must be of that stage.
func (c *stopTest) next(stage ui.StopStage) ui.StopUpdate {
	c.t.Helper()
	select {
	case n := <-c.news:
		if n.Stage != stage {
			c.t.Fatalf("it is told %+v; want stage %d", n, stage)
		}
		return n
	case <-time.After(20 * time.Second):
		c.t.Fatalf("nothing is told; want stage %d", stage)
		return ui.StopUpdate{}
	}
}

func TestStopEndsAChildThatListens(t *testing.T) {
	v := startProcess(t, "ends")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.row)
	n := c.next(ui.StopReady)
	if len(n.Targets) != 1 || !n.Targets[0].Same(v.Owner) || len(n.Listeners) != 1 || n.Children != 0 || n.GracePeriod != 10*time.Second {
		t.Errorf("the question is about %+v", n)
	}
	if !v.lives() {
		t.Fatal("it was stopped before anyone said so")
	}
	c.Terminate(false)
	c.Terminate(false) // twice is once
	n = c.next(ui.StopDone)
	if v.lives() || len(n.Targets) != 1 || !slices.Equal(c.signalled, []int{v.PID}) {
		t.Errorf("it lives: %t; told %+v, signalled %v", v.lives(), n, c.signalled)
	}
	if got := n.Targets[0].Command; !slices.Equal(got, []string{"/proc/self/exe", "--serve"}) {
		t.Errorf("its command is %q", got)
	}
}

func TestStopForcesWhatRunsOn(t *testing.T) {
	v := startProcess(t, "stubborn")
	c := startStop(t, 300*time.Millisecond, []monitor.Owner{v.Owner}, v.row)
	c.next(ui.StopReady)
	c.Terminate(false)
	if n := c.next(ui.StopStillRunning); !v.lives() || len(n.StillRunning) != 1 || n.StillRunning[0].PID != v.PID {
		t.Fatalf("it lives: %t; told %+v", v.lives(), n)
	}
	c.Terminate(false) // is not to force
	time.Sleep(500 * time.Millisecond)
	if !v.lives() || len(c.news) != 0 {
		t.Fatalf("asked again: it lives: %t; %d news", v.lives(), len(c.news))
	}
	c.ForceQuit()
	if n := c.next(ui.StopDone); v.lives() || len(n.Targets) != 1 {
		t.Errorf("by force it lives: %t; told %+v", v.lives(), n)
	}
}

// What was asked to end, and does so late, was stopped too.
func TestStopTellsOfALateEnd(t *testing.T) {
	v := startProcess(t, "stubborn")
	c := startStop(t, 300*time.Millisecond, []monitor.Owner{v.Owner}, v.row)
	c.next(ui.StopReady)
	c.Terminate(false)
	c.next(ui.StopStillRunning)
	_ = v.in.Close()
	if n := c.next(ui.StopDone); len(n.Targets) != 1 || n.Targets[0].PID != v.PID {
		t.Errorf("told %+v", n)
	}
}

func TestStopTakesChildrenAlong(t *testing.T) {
	v := startProcess(t, "family")
	children, err := process.Descendants(v.Owner)
	if err != nil || len(children) != 1 {
		t.Fatalf("its children are %+v, %v", children, err)
	}
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.row)
	if n := c.next(ui.StopReady); n.Children != 1 {
		t.Errorf("%d children are told of; want 1", n.Children)
	}
	c.Terminate(true)
	if n := c.next(ui.StopDone); len(n.Targets) != 2 || n.Targets[1].PID != children[0].PID || process.IsAlive(children[0].PID, children[0].Start) {
		t.Errorf("told %+v; want that both have ended", n)
	}
}

// Whoever wants the children to end too is not half obeyed.
func TestStopEndsNobodyWhereTheChildrenCannotBeFound(t *testing.T) {
	v := startProcess(t, "ends")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.row)
	c.openDescendants = func([]*stop.Process) ([]*stop.Process, error) { return nil, errors.New("no /proc") }
	c.next(ui.StopReady)
	c.Terminate(true)
	n := c.next(ui.StopRefused)
	if len(n.Problems) != 1 || !strings.HasPrefix(n.Problems[0], "Its children cannot be found now") || !v.lives() || len(c.signalled) != 0 {
		t.Errorf("it lives: %t; told %q, signalled %v", v.lives(), n.Problems, c.signalled)
	}
}

// The look before the signal is a new one: what the snapshot says is old.
func TestStopDoesNotTouchWhatLetGoOfThePort(t *testing.T) {
	v := startProcess(t, "lets go")
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.row)
	c.next(ui.StopReady)
	_, _ = io.WriteString(v.in, "now\n")
	if line, err := v.out.ReadString('\n'); line != "closed\n" {
		t.Fatalf("it said %q, %v", line, err)
	}
	c.Terminate(false)
	n := c.next(ui.StopRefused)
	if len(n.Problems) != 1 || !strings.HasSuffix(n.Problems[0], "is not stopped: it no longer holds the port.") || !v.lives() || len(c.signalled) != 0 {
		t.Errorf("it lives: %t; told %q, signalled %v", v.lives(), n.Problems, c.signalled)
	}
}

func TestStopRefusesWithOneSentence(t *testing.T) {
	v := startProcess(t, "ends")
	ourselves, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ourselves.Name = "port\x1b[31mhole"
	later := v.Owner
	later.Start++
	for want, o := range map[string]monitor.Owner{
		fmt.Sprintf("port [31mhole (%d) is not stopped: it is Porthole itself.", ourselves.PID):                                                     ourselves,
		"process 1 (1) is not stopped: it is the system's own: without it the machine stops.":                                                       {PID: 1, Start: 1},
		fmt.Sprintf("%s (%d) is not stopped: it is another process now: the one that was meant has ended.", monitor.Clean(v.Name, 60), v.Owner.PID): later,
	} {
		c := startStop(t, time.Second, []monitor.Owner{v.Owner, o}, v.row)
		if n := c.next(ui.StopRefused); len(n.Problems) != 1 || n.Problems[0] != want {
			t.Errorf("told %q; want %q", n.Problems, want)
		}
		<-c.ended
	}
	if !v.lives() {
		t.Error("another one was stopped all the same")
	}
}

func TestStopSaysThatItEndedByItself(t *testing.T) {
	v := startProcess(t, "ends")
	c := startStop(t, time.Second, []monitor.Owner{v.Owner}, v.row)
	c.next(ui.StopReady)
	_ = v.in.Close()
	c.next(ui.StopAlreadyExited)
	if len(c.signalled) != 0 {
		t.Errorf("it was signalled: %v", c.signalled)
	}
	c = startStop(t, time.Second, []monitor.Owner{v.Owner}, v.row) // after its end
	c.next(ui.StopAlreadyExited)
}

// Closing the window, or the dialog, ends the wait.
func TestStopEndsWithTheWindow(t *testing.T) {
	v := startProcess(t, "stubborn")
	for _, asked := range []bool{false, true} {
		c := startStop(t, time.Minute, []monitor.Owner{v.Owner}, v.row)
		c.next(ui.StopReady)
		if asked {
			c.Terminate(false)
			time.Sleep(300 * time.Millisecond)
		}
		c.cancel()
		select {
		case <-c.ended:
		case <-time.After(5 * time.Second):
			t.Fatalf("asked %t: it waits on", asked)
		}
		if len(c.news) != 0 || !v.lives() {
			t.Errorf("asked %t: told %+v, it lives: %t", asked, <-c.news, v.lives())
		}
	}
}

func TestStopOfAnotherUsersProcess(t *testing.T) {
	s := &stopping{log: slog.New(slog.DiscardHandler)}
	for want, o := range map[string]monitor.Owner{
		"x (9) belongs to ada: only that user and an administrator may stop it.":         {PID: 9, Name: "x", User: "ada"},
		"x (9) belongs to another user: only that one and an administrator may stop it.": {PID: 9, Name: "x"},
	} {
		if got := s.failureText(stop.Failure{Owner: o, Err: stop.PermissionError{PID: o.PID, User: o.User, Err: syscall.EPERM}}); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
