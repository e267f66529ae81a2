package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// stepTimeout is how long one step of a test may take.
const stepTimeout = 60 * time.Second

// longTest skips a test that takes long, unless make test-long runs it.
func longTest(t *testing.T) {
	t.Helper()
	if os.Getenv("PORTHOLE_LONG") == "" {
		t.Skip("make test-long runs it")
	}
}

// builtProgram returns the program to test: PORTHOLE_BIN, by default build/porthole.
func builtProgram(t *testing.T) string {
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

// desk is a desktop for tests of Porthole.
type desk struct {
	*desktop.Desktop
	t    *testing.T
	bin  string // Porthole
	rec  *desktop.Recorder
	tray *desktop.Tray

	raceDir string // folder of the race detector's reports
	failed  sync.Once
}

// startDesk starts a desktop that ends with the test. If the test fails, a picture of
// the desktop is left in build/, and Porthole's log is in the test's output.
func startDesk(t *testing.T, opts desktop.Options) *desk {
	t.Helper()
	bin := builtProgram(t)
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
		d.checkRaces()
	})
	if opts.Bus {
		// With the test's context: ctx ends with this function.
		if d.rec, err = d.Record(t.Context()); err != nil {
			t.Fatalf("record notifications: %v", err)
		}
		if d.tray, err = d.Tray(); err != nil {
			t.Fatalf("connect to the tray: %v", err)
		}
		t.Cleanup(func() { _ = d.tray.Close(); _ = d.rec.Close() })
	}
	return d
}

// pictureFailure takes one picture of the desktop if the test has failed.
func (d *desk) pictureFailure() {
	if d.t.Failed() {
		d.failed.Do(func() { d.shot("failed-" + strings.ReplaceAll(d.t.Name(), "/", "-")) })
	}
}

// variable returns the value of an environment variable of the desktop's programs.
func (d *desk) variable(name string) string {
	d.t.Helper()
	for _, entry := range d.Env() {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	d.t.Fatalf("the desktop has no %s", name)
	return ""
}

// settingsPath returns the path of Porthole's settings file.
func (d *desk) settingsPath() string {
	d.t.Helper()
	return filepath.Join(d.variable("XDG_CONFIG_HOME"), "porthole", "settings.yaml")
}

// statePath returns the path of a file in Porthole's state folder.
func (d *desk) statePath(name string) string {
	d.t.Helper()
	return filepath.Join(d.variable("XDG_STATE_HOME"), "porthole", name)
}

// runtimePath returns a path in the desktop's runtime folder.
func (d *desk) runtimePath(names ...string) string {
	return filepath.Join(append([]string{d.Dir(), "runtime"}, names...)...)
}

func (d *desk) logPath() string { return d.statePath(logFile) }

func (d *desk) log() string {
	b, err := os.ReadFile(d.logPath())
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// logHas waits until the log contains a text.
func (d *desk) logHas(part string) {
	d.t.Helper()
	d.eventually("the log", func() error {
		if b, err := os.ReadFile(d.logPath()); err != nil || !strings.Contains(string(b), part) {
			return fmt.Errorf("got no %q in it (%v)", part, err)
		}
		return nil
	})
}

// write writes a file and creates its folder.
func (d *desk) write(path, text string) {
	d.t.Helper()
	d.do("create a folder", os.MkdirAll(filepath.Dir(path), 0o700))
	d.do("write a file", os.WriteFile(path, []byte(text), 0o600))
}

// writeSettings replaces Porthole's settings.
func (d *desk) writeSettings(text string) {
	d.t.Helper()
	d.write(d.settingsPath(), text)
}

// settingsHave waits until the settings file contains a text, or no longer does.
func (d *desk) settingsHave(text string, want bool) {
	d.t.Helper()
	d.eventually("the settings file", func() error {
		b, err := os.ReadFile(d.settingsPath())
		if err == nil && strings.Contains(string(b), text) != want {
			err = fmt.Errorf("got %q; want %q in it: %t", b, text, want)
		}
		return err
	})
}

// picturePath returns the path of the picture with that name.
func picturePath(t *testing.T, name string) string {
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
	if err := d.Screenshot(picturePath(d.t, name)); err != nil {
		d.t.Errorf("take a picture: %v", err)
	}
}

// step returns a context for one step.
func (d *desk) step() context.Context {
	ctx, cancel := context.WithTimeout(d.t.Context(), stepTimeout)
	d.t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok returns nil.
func (d *desk) eventually(what string, ok func() error) {
	d.t.Helper()
	var err error
	for end := time.Now().Add(stepTimeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	d.t.Fatalf("%s: %v", what, err)
}

// do fails the test if a step of it failed.
func (d *desk) do(what string, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
}

// process is a program that the test started. It ends with the test.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
	once  sync.Once
}

// start starts Porthole with arguments.
func (d *desk) start(args ...string) *process { return d.startWith(nil, args...) }

// startWith starts Porthole with additional environment variables.
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

// wait waits for the end of p and returns its exit status.
func (d *desk) wait(p *process) int {
	d.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(stepTimeout):
		d.t.Fatalf("%v has not ended within %v", p.cmd.Args, stepTimeout)
		return -1
	}
}

// wantStatus waits for the end of p and checks its exit status.
func (d *desk) wantStatus(p *process, want int) {
	d.t.Helper()
	if got := d.wait(p); got != want {
		d.t.Fatalf("%v: got exit status %d; want %d; it printed %q", p.cmd.Args, got, want, p.out.String())
	}
}

// quit ends Porthole with its command and waits for the agent's end.
func (d *desk) quit(agent *process) {
	d.t.Helper()
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
}

// alive reports whether a process runs. A zombie does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// waitGone waits for the end of a process.
func (d *desk) waitGone(pid int) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("process %d ends", pid), func() error {
		if alive(pid) {
			return fmt.Errorf("it is still running")
		}
		return nil
	})
}

// windowPID returns the PID of an agent's window process, or 0 if it has none.
func windowPID(agent *process) int { return childOf(agent.pid()) }

// childOf returns the PID of a child of a process, or 0 if it has none.
func childOf(parent int) int {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", parent)) // any thread may have started it
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", parent, task.Name()))
		var pid int
		if n, _ := fmt.Sscan(string(b), &pid); n == 1 {
			return pid
		}
	}
	return 0
}

// noWindowProcess waits until the agent has no window process.
func (d *desk) noWindowProcess(agent *process) {
	d.t.Helper()
	d.eventually("the window process ends", func() error {
		if pid := windowPID(agent); pid != 0 {
			return fmt.Errorf("%d is still running", pid)
		}
		return nil
	})
}

// item waits for the tray item of an agent.
func (d *desk) item(agent *process) desktop.Item {
	d.t.Helper()
	item, err := d.tray.WaitItem(d.step(), agent.pid())
	if err != nil {
		d.t.Fatalf("the tray item: %v", err)
	}
	return item
}

// oneItem checks that the tray has exactly one item.
func (d *desk) oneItem() {
	d.t.Helper()
	items, err := d.tray.Items(d.step())
	if err != nil || len(items) != 1 {
		d.t.Fatalf("got %d tray items, %v; want 1", len(items), err)
	}
}

// mainWindow waits for Porthole's main window.
func (d *desk) mainWindow() desktop.Window {
	d.t.Helper()
	return d.window(mainTitle)
}

// noMainWindow waits until Porthole's main window is not visible.
func (d *desk) noMainWindow() {
	d.t.Helper()
	d.noWindow(mainTitle)
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

// noWindow waits until no window with that title is visible.
func (d *desk) noWindow(title string) {
	d.t.Helper()
	if err := d.WaitNoWindow(d.step(), title); err != nil {
		d.t.Fatalf("the window %q does not close: %v", title, err)
	}
}

// closeMainWindow closes Porthole's main window.
func (d *desk) closeMainWindow() {
	d.t.Helper()
	d.do("close the window", d.mainWindow().Close())
	d.noMainWindow()
}

// oneListener returns the only listener that a command, such as who, prints for a port. T has the
// parts of its JSON that the test needs.
func oneListener[T any](d *desk, command, port string) (l T, _ error) {
	d.t.Helper()
	p := d.start(command, port, "--json")
	d.wantStatus(p, 0)
	var answer struct{ Listeners []T }
	if err := json.Unmarshal(p.out.Bytes(), &answer); err != nil {
		return l, err
	}
	if len(answer.Listeners) != 1 {
		return l, fmt.Errorf("%s %s printed %d listeners; want one", command, port, len(answer.Listeners))
	}
	return answer.Listeners[0], nil
}

// note waits for a notification whose summary begins with a text.
func (d *desk) note(summary string) desktop.Note {
	d.t.Helper()
	n, err := d.rec.WaitNote(d.step(), func(n desktop.Note) bool { return strings.HasPrefix(n.Summary, summary) })
	if err != nil {
		d.t.Fatalf("the notification %q: %v", summary, err)
	}
	return n
}
