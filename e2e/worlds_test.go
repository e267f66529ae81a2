package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

func TestKillingTheWindowLeavesTheAgentUnharmed(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	d.window("Porthole")
	d.do("kill the window process", syscall.Kill(windowPID(agent), syscall.SIGKILL))
	d.noWindow("Porthole")
	d.note("Porthole's window ended unexpectedly")
	d.logHas("can't show the window")
	d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	d.do("open it again", item.Click(d.step(), "Open Porthole"))
	d.window("Porthole")
}

func TestKillingTheAgentLeavesAWindowThatSaysSo(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	window := d.window("Porthole")
	before := d.steady(window)
	pid := windowPID(agent)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // nobody else would end it
	d.do("kill the agent", syscall.Kill(agent.pid(), syscall.SIGKILL))
	d.eventually("the window says that nobody watches", func() error { return differs(d, window, before) })
	d.shot("agent-died")
	d.do("press a key", window.Key("F5")) // what it would tell the agent must not end it

	// Its button starts an agent, which takes the dead one's socket over and
	// brings a window of its own.
	d.eventually("an agent again", func() error {
		frame, err := window.Geometry()
		if err != nil || alive(pid) {
			_ = window.Click(frame.Dx()-70, 108) // the window may go under the pointer
			time.Sleep(time.Second)
		}
		_, err = d.tray.WaitItem(d.step(), 0)
		return err
	})
	d.window("Porthole")
	d.wantStatus(d.start("quit"), 0)
	d.noWindow("Porthole")
}

func TestQuitEndsAWindowThatHangs(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	d.window("Porthole")
	pid := windowPID(agent)
	d.do("freeze the window process", syscall.Kill(pid, syscall.SIGSTOP))
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
	if alive(pid) {
		t.Error("the window process lives")
	}
}

func TestNoDisplay(t *testing.T) {
	d := boot(t, desktop.Options{Bus: true})
	nowhere := []string{"DISPLAY=", "WAYLAND_DISPLAY="}
	p := d.startWith(nowhere)
	d.wantStatus(p, 3)
	out := p.out.String()
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, "porthole list") || strings.Contains(out, "goroutine") {
		t.Errorf("without a display it says %q; want one line that names what works", out)
	}
	gone := d.startWith([]string{"DISPLAY=:4711"})
	d.wantStatus(gone, 3)
	list := d.startWith(nowhere, "list")
	d.wantStatus(list, 0)

	// --hidden needs the bus alone, and says so where there is none.
	hidden := d.startWith(nowhere, "--hidden")
	d.logHas("started")
	d.answers(hidden)
	none := d.startWith(append(nowhere, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "XDG_RUNTIME_DIR="+t.TempDir()), "--hidden")
	d.wantStatus(none, 3)
}

// answers waits until an agent without a tray host answers.
func (d *desk) answers(p *process) {
	d.t.Helper()
	d.eventually("the agent answers", func() error {
		second := d.run(d.bin, []string{"DISPLAY="}, "--hidden")
		if status := d.wait(second); status != 0 || strings.Contains(second.out.String(), "not answer") {
			return fmt.Errorf("a second start: %d, %q", status, second.out.String())
		}
		return nil
	})
	select {
	case <-p.ended:
		d.t.Fatalf("the agent has ended: %s", p.out.String())
	default:
	}
}

func TestNoSessionBus(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Bus, opts.Panel, opts.Notifications = false, false, false
	d := boot(t, opts)
	agent := d.start()
	window := d.window("Porthole")
	d.steady(window)
	d.shot("no-bus")
	d.logHas("no tray icon")
	d.do("close the window", window.Close())
	d.noWindow("Porthole")
	second := d.start()
	d.wantStatus(second, 0)
	d.window("Porthole")
	d.do("quit", agent.cmd.Process.Signal(syscall.SIGTERM))
	d.wantStatus(agent, 0)
	if out, err := exec.Command("pgrep", "-f", "dbus-launch|dbus-daemon.*"+d.Dir()).Output(); err == nil {
		t.Errorf("a bus was started and left behind: %s", out)
	}
}

func TestNoNotificationDaemonThenOne(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	item := d.item(d.start())
	window := d.window("Porthole")
	before := d.steady(window)
	server := d.listen("127.0.0.1:62893")
	d.tooltip(item, "1 of 1 watched open")
	d.logHas("a notification failed")
	d.eventually("the window says what is missing", func() error { return differs(d, window, before) })
	d.shot("no-notifications")
	d.do("start a daemon", d.StartNotifications(d.step()))
	server.close()
	d.note("62893 closed")
}

func TestNoTrayThenOneThatRestarts(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Panel = false
	d := boot(t, opts)
	d.write(d.settings(), "start_hidden: true\n") // which nobody means where nothing else would show it
	agent := d.start()
	window := d.window("Porthole")
	d.steady(window)
	d.warned(window, true)
	d.shot("no-tray")
	if notes := d.rec.Notes(); len(notes) > 0 {
		t.Errorf("what the window says is said again: %q", summaries(notes))
	}
	doctor := d.startWith([]string{"XDG_CURRENT_DESKTOP=GNOME"}, "doctor")
	if d.wait(doctor); !strings.Contains(doctor.out.String(), "AppIndicator and KStatusNotifierItem Support") {
		t.Errorf("doctor does not name GNOME's extension: %s", doctor.out.String())
	}
	d.do("close the window", window.Close())
	d.noWindow("Porthole")
	d.do("start the panel", d.StartPanel(d.step()))
	d.item(agent)
	for range 2 {
		d.StopPanel()
		d.do("start the panel again", d.StartPanel(d.step()))
		d.item(agent)
		items, err := d.tray.Items(d.step())
		if err != nil || len(items) != 1 {
			t.Fatalf("%d tray items, %v; want one", len(items), err)
		}
	}
}

func TestABrokenSettingsFileIsSaidAndKept(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	path := ""
	for _, kv := range d.Env() {
		if dir, ok := strings.CutPrefix(kv, "XDG_CONFIG_HOME="); ok {
			path = filepath.Join(dir, "porthole", "settings.yaml")
		}
	}
	const text = "watches:\n  - ports: 70000\n"
	d.do("write settings", errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)))
	item := d.item(d.start())
	window := d.window("Porthole")
	d.menuHas(item, "○ 62893 free")
	d.logHas("line 2")
	d.steady(window)
	d.shot("broken-settings")
	d.do("watch a port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, "○ 5432 free") // for this run
	if b, err := os.ReadFile(path); err != nil || string(b) != text {
		t.Errorf("the file became %q, %v", b, err)
	}
	d.do("mend the file", os.WriteFile(path, []byte("watches:\n  - ports: 4321\n"), 0o600))
	d.menuHas(item, "○ 4321 free") // taken over while it runs
}

func TestTheDisplayGoes(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false // dunst would end with the display
	d := boot(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	agent := d.start()
	d.item(agent)
	d.window("Porthole")
	d.StopX()
	d.eventually("the window process ends", func() error {
		if pid := windowPID(agent); pid != 0 {
			return fmt.Errorf("%d is there", pid)
		}
		return nil
	})
	d.listen("127.0.0.1:62893")
	d.note("62893 is open") // the agent goes on

	// A start on another display shows the window there.
	other := boot(t, desktop.Options{WindowManager: true})
	var there []string
	for _, kv := range other.Env() {
		if strings.HasPrefix(kv, "DISPLAY=") || strings.HasPrefix(kv, "XAUTHORITY=") {
			there = append(there, kv)
		}
	}
	d.wantStatus(d.startWith(there), 0)
	other.window("Porthole")
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
	other.noWindow("Porthole")
}

// Logout takes the bus, and all that was saved is there at the next login.
func TestLogoutAndLoginAgain(t *testing.T) {
	opts := desktop.DefaultOptions()
	home, err := os.MkdirTemp("", "home-") // the test's own folder has too long a name for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	opts.Dir = home
	d := boot(t, opts)
	agent := d.start()
	item := d.item(agent)
	window := d.window("Porthole")
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, "○ 5432 free")
	server := d.listen("127.0.0.1:5432")
	d.note("5432 is open")
	pid := windowPID(agent)
	d.StopBus()
	d.wantStatus(agent, 0)
	if alive(pid) {
		t.Error("the window process lives")
	}
	d.Stop()

	next := boot(t, opts)
	agent = next.start("--hidden")
	item = next.item(agent)
	next.menuHas(item, "● 5432 "+serverName())
	items, err := next.tray.Items(next.step())
	if err != nil || len(items) != 1 {
		t.Fatalf("%d tray items, %v; want one", len(items), err)
	}
	next.remembers("5432", "opened")
	server.close()
	next.note("5432 closed")
	next.remembers("5432", "opened", "closed")

	// SIGTERM, as at a shutdown, right after a change: it is remembered.
	next.listen("127.0.0.1:5432")
	next.note("5432 is open")
	next.do("end it", agent.cmd.Process.Signal(syscall.SIGTERM))
	next.wantStatus(agent, 0)
	next.remembers("5432", "opened", "closed", "opened")
}

// The program is replaced while it runs, as a package manager does it: what runs
// goes on, with windows of its own build, and the next start is the new one's.
func TestAnUpgradeTakesOver(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	bin := filepath.Join(t.TempDir(), "porthole")
	d.install(bin)
	agent := d.run(bin, nil, "--hidden")
	item := d.item(agent)
	d.install(bin)
	server := d.serve(d.program("shown"), "/", "127.0.0.1:20001")
	d.serve(d.program("first"), "/", "127.0.0.1:20000") // whose row is selected where none is asked for
	d.do("open the old one's window", item.Click(d.step(), "Open Porthole"))
	d.window("Porthole")
	exe := func(pid int) string {
		link, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)) // "" is told by who compares
		return link
	}
	if old := bin + " (deleted)"; exe(agent.pid()) != old || exe(windowPID(agent)) != old {
		t.Errorf("agent and window run %q and %q; want %q", exe(agent.pid()), exe(windowPID(agent)), old)
	}
	upgraded := func(args ...string) {
		d.wantStatus(d.run(bin, nil, args...), 0)
		d.eventually("the same process becomes the new program", func() error {
			if got := exe(agent.pid()); got != bin {
				return fmt.Errorf("it runs %q; want %q", got, bin)
			}
			return nil
		})
		d.item(agent)
	}
	upgraded()
	d.window("Porthole")
	items, err := d.tray.Items(d.step())
	if err != nil || len(items) != 1 {
		t.Fatalf("%d tray items, %v; want one", len(items), err)
	}

	// The start that upgrades it asks for a port.
	d.do("close the window", d.window("Porthole").Close())
	d.noWindow("Porthole")
	d.install(bin)
	upgraded("show", "20001")
	d.opensProcess(d.window("Porthole"), server, "shown")
}

// SIGQUIT ends a Go program as a panic that nobody recovers does: with the
// runtime's own report.
func TestAPanicOfTheWindowIsLoggedAndCostsNoActivity(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	d.steady(d.window("Porthole"))
	server := d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	d.do("let the window die", syscall.Kill(windowPID(agent), syscall.SIGQUIT))
	d.noWindow("Porthole")
	d.note("Porthole's window ended unexpectedly")
	d.logHas("goroutine 1 ")
	server.close()
	d.note("62893 closed")
	d.remembers("62893", "opened", "closed")
	d.do("open it again", item.Click(d.step(), "Open Porthole"))
	d.window("Porthole")
}

func TestBrokenOpenGL(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	// Mesa's loader finds no driver, and no indirect rendering either.
	agent := d.startWith([]string{"LIBGL_DRIVERS_PATH=/nonexistent", "GBM_BACKENDS_PATH=/nonexistent", "__EGL_VENDOR_LIBRARY_DIRS=/nonexistent", "LIBGL_ALWAYS_INDIRECT=1"})
	d.item(agent)
	note := d.note("Porthole's window cannot be shown: OpenGL")
	if !strings.Contains(note.Summary, "go on") {
		t.Errorf("it says %q", note.Summary)
	}
	d.listen("127.0.0.1:62893")
	d.note("62893 is open")
}

// logHas waits for a line with part in it.
func (d *desk) logHas(part string) {
	d.t.Helper()
	d.eventually("the log", func() error {
		if b, err := os.ReadFile(d.logPath()); err != nil || !strings.Contains(string(b), part) {
			return fmt.Errorf("it has no %q (%v)", part, err)
		}
		return nil
	})
}
