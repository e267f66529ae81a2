package e2e

import (
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

func TestKilledWindow(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	d.mainWindow()
	d.do("kill the window process", syscall.Kill(windowPID(agent), syscall.SIGKILL))
	d.noMainWindow()
	d.note(noteWindowEnded)
	d.logHas(logNoWindow)
	d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	d.do("open it again", item.Click(d.step(), menuOpenWindow))
	d.mainWindow()
}

func TestKilledAgent(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	window := d.mainWindow()
	before := d.steady(window)
	pid := windowPID(agent)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // nothing else would end it
	d.do("kill the agent", syscall.Kill(agent.pid(), syscall.SIGKILL))
	d.waitChanged("the window shows that the agent ended", window, before)
	d.shot("agent-died")
	d.do("press a key", window.Key("F5")) // the failed message to the agent must not end it

	// A button in it starts an agent, which replaces the dead one's socket and opens
	// its own window.
	d.eventually("a new agent", func() error {
		frame, err := window.Geometry()
		if err != nil || alive(pid) {
			_ = window.Click(frame.Dx()-70, 108) // fails if the window closes meanwhile
			time.Sleep(time.Second)
		}
		_, err = d.tray.WaitItem(d.step(), 0)
		return err
	})
	d.mainWindow()
	d.wantStatus(d.start("quit"), 0)
	d.noMainWindow()
}

func TestQuitWithAHangingWindow(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	d.mainWindow()
	pid := windowPID(agent)
	d.do("freeze the window process", syscall.Kill(pid, syscall.SIGSTOP))
	d.quit(agent)
	if alive(pid) {
		t.Error("the window process is alive")
	}
}

func TestNoDisplay(t *testing.T) {
	d := startDesk(t, desktop.Options{Bus: true})
	noDisplay := []string{"DISPLAY=", "WAYLAND_DISPLAY="}
	p := d.startWith(noDisplay)
	d.wantStatus(p, 3)
	out := p.out.String()
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, "porthole list") || strings.Contains(out, "goroutine") {
		t.Errorf("without a display got %q; want one line that names a command that works", out)
	}
	gone := d.startWith([]string{"DISPLAY=:4711"})
	d.wantStatus(gone, 3)
	list := d.startWith(noDisplay, "list")
	d.wantStatus(list, 0)

	// --hidden needs only the bus, and fails without one.
	hidden := d.startWith(noDisplay, "--hidden")
	d.logHas(logStarted)
	d.waitAnswers(hidden)
	none := d.startWith(append(noDisplay, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "XDG_RUNTIME_DIR="+t.TempDir()), "--hidden")
	d.wantStatus(none, 3)
}

// waitAnswers waits until an agent answers another start. It needs no tray.
func (d *desk) waitAnswers(p *process) {
	d.t.Helper()
	d.eventually("the agent answers", func() error {
		second := d.run(d.bin, []string{"DISPLAY="}, "--hidden")
		if status := d.wait(second); status != 0 || strings.Contains(second.out.String(), cliNotAnswering) {
			return fmt.Errorf("a second start: got exit status %d, %q; want 0", status, second.out.String())
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
	d := startDesk(t, opts)
	agent := d.start()
	window := d.mainWindow()
	d.steady(window)
	d.shot("no-bus")
	d.logHas(logNoTray)
	d.closeMainWindow()
	second := d.start()
	d.wantStatus(second, 0)
	d.mainWindow()
	d.do("quit", agent.cmd.Process.Signal(syscall.SIGTERM))
	d.wantStatus(agent, 0)
	if out, err := exec.Command("pgrep", "-f", "dbus-launch|dbus-daemon.*"+d.Dir()).Output(); err == nil {
		t.Errorf("got the bus processes %s; want none", out)
	}
}

func TestLateNotificationDaemon(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := startDesk(t, opts)
	item := d.item(d.start())
	window := d.mainWindow()
	before := d.steady(window)
	server := d.listen("127.0.0.1:62893")
	d.tooltip(item, tooltipOpen(1, 1))
	d.logHas(logNoNotifications)
	d.waitChanged("the window shows what is missing", window, before)
	d.shot("no-notifications")
	d.do("start a daemon", d.StartNotifications(d.step()))
	server.close()
	d.note(noteClosed("62893"))
}

func TestLateTray(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Panel = false
	d := startDesk(t, opts)
	d.writeSettings("start_hidden: true\n") // ignored without a tray: Porthole would be invisible
	agent := d.start()
	window := d.mainWindow()
	d.steady(window)
	d.hasWarning(window, true)
	d.shot("no-tray")
	if notes := d.rec.Notes(); len(notes) > 0 {
		t.Errorf("got the notifications %q; want none, because the window shows the warning", summaries(notes))
	}
	doctor := d.startWith([]string{"XDG_CURRENT_DESKTOP=GNOME"}, "doctor")
	if d.wait(doctor); !strings.Contains(doctor.out.String(), cliGnomeTray) {
		t.Errorf("doctor does not name GNOME's extension %q: %s", cliGnomeTray, doctor.out.String())
	}
	d.closeMainWindow()
	d.do("start the panel", d.StartPanel(d.step()))
	d.item(agent)
	for range 2 {
		d.StopPanel()
		d.do("start the panel again", d.StartPanel(d.step()))
		d.item(agent)
		d.oneItem()
	}
}

func TestBrokenSettingsFile(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	const text = "watches:\n  - ports: 70000\n"
	d.writeSettings(text)
	item := d.item(d.start())
	window := d.mainWindow()
	d.menuHas(item, menuFree("62893"))
	d.logHas(logSettingsLineTwo)
	d.steady(window)
	d.shot("broken-settings")
	d.do("watch a port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, menuFree("5432")) // in memory only
	if b, err := os.ReadFile(d.settingsPath()); err != nil || string(b) != text {
		t.Errorf("got the file %q, %v; want %q", b, err, text)
	}
	d.writeSettings("watches:\n  - ports: 4321\n")
	d.menuHas(item, menuFree("4321")) // read again while it runs
}

func TestDisplayEnds(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false // dunst ends with the display
	d := startDesk(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	agent := d.start()
	d.item(agent)
	d.mainWindow()
	d.StopX()
	d.noWindowProcess(agent)
	d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893")) // the agent still works

	// A start on another display shows the window there.
	other := startDesk(t, desktop.Options{WindowManager: true})
	d.wantStatus(d.startWith([]string{"DISPLAY=" + other.Display(), "XAUTHORITY=" + other.variable("XAUTHORITY")}), 0)
	other.mainWindow()
	d.quit(agent)
	other.noMainWindow()
}

// A logout ends the bus, and Porthole with it. After the next login everything stored
// is there.
func TestLogoutAndLogin(t *testing.T) {
	opts := desktop.DefaultOptions()
	home, err := os.MkdirTemp("", "home-") // t.TempDir() is too long for socket paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	opts.Dir = home
	d := startDesk(t, opts)
	agent := d.start()
	item := d.item(agent)
	window := d.mainWindow()
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, menuFree("5432"))
	server := d.listen("127.0.0.1:5432")
	d.note(noteOpen("5432"))
	pid := windowPID(agent)
	d.StopBus()
	d.wantStatus(agent, 0)
	if alive(pid) {
		t.Error("the window process is alive")
	}
	d.Stop()

	next := startDesk(t, opts)
	agent = next.start("--hidden")
	item = next.item(agent)
	next.menuHas(item, menuOpen("5432", serverName()))
	next.oneItem()
	next.waitHistory("5432", eventOpened)
	server.close()
	next.note(noteClosed("5432"))
	next.waitHistory("5432", eventOpened, eventClosed)

	// An event just before SIGTERM, as at a shutdown, is stored.
	next.listen("127.0.0.1:5432")
	next.note(noteOpen("5432"))
	next.do("send SIGTERM", agent.cmd.Process.Signal(syscall.SIGTERM))
	next.wantStatus(agent, 0)
	next.waitHistory("5432", eventOpened, eventClosed, eventOpened)
}

// A package manager replaces the program while it runs. The running agent continues with
// windows of its own version until the next start, which makes it the new version.
func TestUpgrade(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	bin := filepath.Join(t.TempDir(), "porthole")
	d.install(bin)
	agent := d.run(bin, nil, "--hidden")
	item := d.item(agent)
	d.install(bin)
	server := d.serve(d.program("shown"), "/", "127.0.0.1:20001")
	d.serve(d.program("first"), "/", "127.0.0.1:20000") // its row is selected by default
	d.do("open a window of the old version", item.Click(d.step(), menuOpenWindow))
	d.mainWindow()
	exe := func(pid int) string {
		link, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return link
	}
	if old := bin + " (deleted)"; exe(agent.pid()) != old || exe(windowPID(agent)) != old {
		t.Errorf("got the executables %q and %q of agent and window; want %q", exe(agent.pid()), exe(windowPID(agent)), old)
	}
	upgraded := func(args ...string) {
		d.wantStatus(d.run(bin, nil, args...), 0)
		d.eventually("the same process runs the new version", func() error {
			if got := exe(agent.pid()); got != bin {
				return fmt.Errorf("got %q; want %q", got, bin)
			}
			return nil
		})
		d.item(agent)
	}
	upgraded()
	d.mainWindow()
	d.oneItem()

	// The start that upgrades the agent can also show a port.
	d.closeMainWindow()
	d.install(bin)
	upgraded("show", "20001")
	d.opensProcess(d.mainWindow(), server, "shown")
}

// SIGQUIT ends a Go program as a panic does, with a report of the runtime. The report of
// the window process is logged, and no event is lost.
func TestWindowPanic(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	d.steady(d.mainWindow())
	server := d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	d.do("end the window process", syscall.Kill(windowPID(agent), syscall.SIGQUIT))
	d.noMainWindow()
	d.note(noteWindowEnded)
	d.logHas(logFirstGoroutine)
	server.close()
	d.note(noteClosed("62893"))
	d.waitHistory("62893", eventOpened, eventClosed)
	d.do("open it again", item.Click(d.step(), menuOpenWindow))
	d.mainWindow()
}

func TestBrokenOpenGL(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	// Mesa finds no driver and cannot use indirect rendering.
	agent := d.startWith([]string{"LIBGL_DRIVERS_PATH=/nonexistent", "GBM_BACKENDS_PATH=/nonexistent", "__EGL_VENDOR_LIBRARY_DIRS=/nonexistent", "LIBGL_ALWAYS_INDIRECT=1"})
	d.item(agent)
	note := d.note(noteNoOpenGL)
	if !strings.Contains(note.Summary, noteGoesOn) {
		t.Errorf("got the notification %q; want %q in it", note.Summary, noteGoesOn)
	}
	d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
}
