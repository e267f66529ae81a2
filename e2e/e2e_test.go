// Package e2e drives the built program on a real desktop: X server, session
// bus, window manager, panel, notification daemon, mouse and keys.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// stepLimit is how long one step may take before it counts as failed.
const stepLimit = 45 * time.Second

// TestMain lets the test binary be a server, too: what listens in these tests
// is another process, as it is for users.
func TestMain(m *testing.M) {
	if address := os.Getenv("PORTHOLE_E2E_LISTEN"); address != "" {
		serve(address)
		return
	}
	os.Exit(m.Run())
}

// testProgram is this test's own file.
var testProgram, _ = filepath.Abs(os.Args[0])

// serve listens until its standard input ends, so that it cannot outlive the
// test. It obeys what it reads there: "listen ADDRESSES" closes all sockets and
// listens there instead, "ignore" has it ignore SIGTERM, "child" has it start a
// child, whose pid it says, "pass PROGRAM" gives the first one to that program,
// which runs serve too, and ends.
func serve(addresses string) {
	var open []net.Listener
	if addresses == inherited {
		l, err := net.FileListener(os.NewFile(3, "inherited"))
		exitOn(err)
		open = append(open, l)
	} else {
		open = listenOn(addresses)
	}
	fmt.Println("listening", os.Getpid())
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		order, argument, _ := strings.Cut(orders.Text(), " ")
		switch order {
		case "listen":
			for _, l := range open {
				_ = l.Close()
			}
			open = listenOn(argument)
			fmt.Println("listening", os.Getpid())
		case "ignore":
			signal.Ignore(syscall.SIGTERM)
			fmt.Println("listening", os.Getpid())
		case "child":
			child := exec.Command("sleep", "60")
			exitOn(child.Start())
			go func() { _ = child.Wait() }() // ends with it
			fmt.Println("listening", child.Process.Pid)
		case "pass":
			f, err := open[0].(*net.TCPListener).File()
			exitOn(err)
			heir := exec.Command(argument)
			heir.Args = []string{filepath.Base(argument), "--serve"}
			heir.Env = append(os.Environ(), "PORTHOLE_E2E_LISTEN="+inherited)
			heir.Stdin, heir.Stdout, heir.Stderr = os.Stdin, os.Stdout, os.Stderr
			heir.ExtraFiles = []*os.File{f}
			exitOn(heir.Start())
			os.Exit(0)
		}
	}
}

// inherited is the address of a server that is given its socket as descriptor 3.
const inherited = "inherited"

func listenOn(addresses string) (open []net.Listener) {
	for address := range strings.SplitSeq(addresses, ",") {
		l, err := net.Listen("tcp", address)
		exitOn(err)
		open = append(open, l)
	}
	return open
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// long leaves a test that takes long to make test-long.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("PORTHOLE_LONG") == "" {
		t.Skip("make test-long runs it")
	}
}

// program returns the built program: PORTHOLE_BIN, or build/porthole.
func program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PORTHOLE_BIN")
	if path == "" {
		path = filepath.Join("..", "build", "porthole")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("PORTHOLE_E2E") == "required" {
			t.Fatalf("the program is not built: %v", err)
		}
		t.Skipf("the program is not built (make build): %v", err)
	}
	return path
}

// desk is a desktop with Porthole's program at hand.
type desk struct {
	*desktop.Desktop
	t    *testing.T
	bin  string
	rec  *desktop.Recorder
	tray *desktop.Tray

	raceDir string // for the race detector's reports
	failed  sync.Once
}

// boot starts a desktop that ends with the test. Should the test fail, a
// picture of it and Porthole's log are left.
func boot(t *testing.T, opts desktop.Options) *desk {
	t.Helper()
	bin := program(t)
	opts.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	started, err := desktop.Start(ctx, opts)
	if err != nil {
		t.Fatalf("start the desktop: %v", err)
	}
	d := &desk{Desktop: started, t: t, bin: bin, raceDir: t.TempDir()}
	t.Cleanup(func() {
		d.pictureFailure()
		if t.Failed() {
			b, _ := os.ReadFile(d.logPath())
			t.Logf("Porthole's log:\n%s", b)
		}
		d.Stop()
		d.races()
	})
	if opts.Bus {
		// On the test's own context: boot's ends with boot.
		if d.rec, err = d.Record(t.Context()); err != nil {
			t.Fatalf("record notifications: %v", err)
		}
		if d.tray, err = d.Tray(); err != nil {
			t.Fatalf("look at the tray: %v", err)
		}
		t.Cleanup(func() { _ = d.tray.Close(); _ = d.rec.Close() })
	}
	return d
}

// races fails the test for every data race of ours that the program's race
// detector reported, where it was built with one. systray has two that are none
// of ours: it counts the versions of its menu without a lock, and changes the
// icon in place while D-Bus may be writing it out, which at worst shows an icon
// that is half the old one until the next. Fyne (2.8.1) has one as a program ends:
// its loop closes the queue on which it tells of the program's life meanwhile.
func (d *desk) races() {
	reports, _ := filepath.Glob(filepath.Join(d.raceDir, "race.*")) // the pattern is well formed
	for _, path := range reports {
		b, err := os.ReadFile(path)
		if err != nil {
			d.t.Errorf("read the race detector's report: %v", err)
		}
		for report := range strings.SplitSeq(string(b), "WARNING: DATA RACE") {
			atEnd := strings.Contains(report, "runtime.closechan()") && strings.Contains(report, "(*Lifecycle).RunEventQueue()")
			if strings.Contains(report, "porthole/") && !strings.Contains(report, "fyne.io/systray") && !atEnd {
				d.t.Errorf("data race:%s", report)
			}
		}
	}
}

// pictureFailure takes one picture of a desktop on which a test has failed, as
// long as what it shows is there.
func (d *desk) pictureFailure() {
	if d.t.Failed() {
		d.failed.Do(func() { d.shot("failed-" + strings.ReplaceAll(d.t.Name(), "/", "-")) })
	}
}

func (d *desk) logPath() string {
	for _, kv := range d.Env() {
		if dir, ok := strings.CutPrefix(kv, "XDG_STATE_HOME="); ok {
			return filepath.Join(dir, "porthole", "porthole.log")
		}
	}
	d.t.Fatal("the desktop has no XDG_STATE_HOME")
	return ""
}

func (d *desk) log() string {
	b, err := os.ReadFile(d.logPath())
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// picture is where a screenshot called name goes.
func picture(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "build"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name+".png")
}

// shot takes a picture of the whole desktop.
func (d *desk) shot(name string) {
	d.t.Helper()
	if err := d.Screenshot(picture(d.t, name)); err != nil {
		d.t.Errorf("take a picture: %v", err)
	}
}

// step is a context for one step.
func (d *desk) step() context.Context {
	ctx, cancel := context.WithTimeout(d.t.Context(), stepLimit)
	d.t.Cleanup(cancel)
	return ctx
}

// process is a program that the test started; it ends with the test.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
	once  sync.Once
}

// start starts Porthole with args.
func (d *desk) start(args ...string) *process { return d.startWith(nil, args...) }

func (d *desk) startWith(env []string, args ...string) *process {
	d.t.Helper()
	return d.run(d.bin, env, args...)
}

func (d *desk) run(bin string, env []string, args ...string) *process {
	d.t.Helper()
	p := &process{cmd: d.Command(bin, args...), ended: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, "GORACE=exitcode=0 log_path="+filepath.Join(d.raceDir, "race"))
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		d.t.Fatalf("start %s: %v", bin, err)
	}
	go func() {
		_ = p.cmd.Wait() // wait reads the status
		close(p.ended)
	}()
	d.t.Cleanup(func() {
		d.pictureFailure()
		p.kill()
	})
	return p
}

func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(6 * time.Second):
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.ended
		}
	})
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// wait returns the exit status.
func (d *desk) wait(p *process) int {
	d.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(stepLimit):
		d.t.Fatalf("%v has not ended within %v", p.cmd.Args, stepLimit)
		return -1
	}
}

// wantStatus waits for the end of p.
func (d *desk) wantStatus(p *process, want int) {
	d.t.Helper()
	if got := d.wait(p); got != want {
		d.t.Fatalf("%v: exit status %d; want %d; it said %q", p.cmd.Args, got, want, p.out.String())
	}
}

// server is another process that listens.
type server struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// listen starts a server on addresses ("127.0.0.1:62893") and returns when it listens.
func (d *desk) listen(addresses string) *server {
	d.t.Helper()
	return d.serve(testProgram, "/", addresses) // in no project
}

// project makes a folder that is a project of that name and starts a server
// there, whose process is called program.
func (d *desk) project(name, program, addresses string) *server {
	d.t.Helper()
	return d.projectIn(d.t.TempDir(), name, program, addresses)
}

func (d *desk) projectIn(dir, name, program, addresses string) *server {
	d.t.Helper()
	dir = filepath.Join(dir, name)
	manifest := []byte(fmt.Sprintf("{\"name\": %q}\n", name))
	path := filepath.Join(dir, program)
	d.do("make a project", errors.Join(os.Mkdir(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o644), os.Link(testProgram, path)))
	return d.serve(path, dir, addresses)
}

// serve runs the test's own program, by whatever name, as a server in dir.
func (d *desk) serve(path, dir, addresses string) *server {
	d.t.Helper()
	cmd := exec.Command(path)
	cmd.Args = []string{filepath.Base(path), "--serve"} // what a user would see
	cmd.Env = append(os.Environ(), "PORTHOLE_E2E_LISTEN="+addresses)
	cmd.Stderr = os.Stderr
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	s := &server{cmd, in, bufio.NewReader(out)}
	d.t.Cleanup(s.close)
	s.listening(d)
	return s
}

// listening waits until the server says so and returns its pid.
func (s *server) listening(d *desk) (pid int) {
	d.t.Helper()
	line, err := s.out.ReadString('\n')
	if n, _ := fmt.Sscanf(line, "listening %d", &pid); n != 1 {
		d.t.Fatalf("a server said %q, %v; want that it listens", line, err)
	}
	return pid
}

// order lets the server do something (see serve) and returns when it listens
// again, or the process that has its socket then.
func (s *server) order(d *desk, order string) (pid int) {
	d.t.Helper()
	_, err := io.WriteString(s.in, order+"\n")
	d.do("tell a server to "+order, err)
	return s.listening(d)
}

func (s *server) close() {
	_ = s.in.Close() // it ends with its standard input
	_ = s.cmd.Wait() // a second time: an error of no interest
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// name is how the server's process is called.
func serverName() string { return filepath.Base(os.Args[0]) }

// item waits for Porthole's tray item.
func (d *desk) item(p *process) desktop.Item {
	d.t.Helper()
	item, err := d.tray.WaitItem(d.step(), p.pid())
	if err != nil {
		d.t.Fatalf("the tray item: %v", err)
	}
	return item
}

// window waits for a window by its title.
func (d *desk) window(title string) desktop.Window {
	d.t.Helper()
	w, err := d.WaitWindow(d.step(), title)
	if err != nil {
		d.t.Fatalf("the window %q: %v", title, err)
	}
	return w
}

func (d *desk) noWindow(title string) {
	d.t.Helper()
	if err := d.WaitNoWindow(d.step(), title); err != nil {
		d.t.Fatalf("the window %q does not go: %v", title, err)
	}
}

// note waits for a notification whose title begins so.
func (d *desk) note(title string) desktop.Note {
	d.t.Helper()
	n, err := d.rec.WaitNote(d.step(), func(n desktop.Note) bool { return strings.HasPrefix(n.Summary, title) })
	if err != nil {
		d.t.Fatalf("the notification %q: %v", title, err)
	}
	return n
}

// eventually waits until ok says so.
func (d *desk) eventually(what string, ok func() error) {
	d.t.Helper()
	var err error
	for end := time.Now().Add(stepLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	d.t.Fatalf("%s: %v", what, err)
}

// do fails the test where an action of the user's cannot be done.
func (d *desk) do(what string, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
}

// windowPID is the window process of the agent p, 0 where there is none.
func windowPID(p *process) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.pid(), p.pid()))
	pids := strings.Fields(string(b))
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.pid())) // any thread may have started it
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", p.pid(), task.Name()))
		pids = append(pids, strings.Fields(string(b))...)
	}
	if err != nil || len(pids) == 0 {
		return 0
	}
	var pid int
	_, _ = fmt.Sscan(pids[0], &pid)
	return pid
}
