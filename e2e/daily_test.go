package e2e

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// TestADay is what a user does with Porthole, in order, on one desktop.
func TestADay(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.window("Porthole")

	// The tray says how things are, before and after the watched port opens.
	d.tooltip(item, "0 of 1 watched open")
	d.menuHas(item, "○ 62893 free")
	empty := d.icon(item)

	server := d.listen("127.0.0.1:62893")
	note := d.note("62893 is open: " + serverName())
	if !strings.Contains(note.Body, fmt.Sprint(server.pid())) {
		t.Errorf("the notification says %q; want the pid %d in it", note.Body, server.pid())
	}
	d.tooltip(item, "1 of 1 watched open")
	d.menuHas(item, "● 62893 "+serverName())
	if full := d.icon(item); same(empty, full) {
		t.Error("the icon is the same for an open and a free port")
	}

	// A real double click on its row opens the process.
	d.do("filter", window.Type("62893"))
	d.do("go to the row", window.Key("Down"))
	d.steady(window)
	title := fmt.Sprintf("%s %d – Porthole", serverName(), server.pid())
	row := d.selectedRow(window)
	d.do("double click the row", window.DoubleClick(row.X, row.Y))
	process := d.window(title)
	d.steady(process)
	d.shot("process")
	d.do("close the process window", process.Close())
	d.noWindow(title)
	d.do("press Enter", window.Key("Return"))
	d.window(title)

	// Closing the window leaves the rest alone.
	d.do("close the window", window.Close())
	d.noWindow("Porthole")
	d.noWindow(title)
	d.eventually("the window process ends", func() error {
		if pid := windowPID(agent); pid != 0 {
			return fmt.Errorf("%d is there", pid)
		}
		return nil
	})
	server.close()
	d.note("62893 closed: " + serverName())
	d.tooltip(item, "0 of 1 watched open")

	// A second start, a click on the icon, an entry of the menu bring it back.
	second := d.start()
	d.wantStatus(second, 0)
	window = d.window("Porthole")
	d.do("iconify the window", window.Iconify())
	d.noWindow("Porthole")
	d.wantStatus(d.start(), 0)
	d.do("close the window", d.window("Porthole").Close())
	d.noWindow("Porthole")
	d.do("click the icon", d.ClickAt(d.TrayPoint(), 1))
	d.do("close the window", d.window("Porthole").Close())
	d.noWindow("Porthole")
	d.do("click Open Porthole", item.Click(d.step(), "Open Porthole"))
	d.window("Porthole")

	// Quit ends both processes.
	pid := windowPID(agent)
	d.do("click Quit", item.Click(d.step(), "Quit Porthole"))
	d.wantStatus(agent, 0)
	if pid == 0 || alive(pid) {
		t.Errorf("the window process %d lives after Quit", pid)
	}
	for _, complaint := range []string{"Error in Fyne call thread", "DATA RACE", "panic"} {
		if strings.Contains(d.log()+agent.out.String(), complaint) {
			t.Errorf("the log says %q:\n%s\n%s", complaint, d.log(), agent.out.String())
		}
	}
}

// selectedRow is where the selected row's process is in the window.
func (d *desk) selectedRow(w desktop.Window) image.Point {
	d.t.Helper()
	at := d.colored(w, 2, color.RGBA{0x1d, 0x3b, 0x40, 255}, color.RGBA{0xd3, 0xef, 0xec, 255})
	return at.Add(image.Pt(-at.X/2, 8)) // clear of the row's edge and of the columns that have no process
}

func TestRowsFollowThePorts(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.start()
	window := d.window("Porthole")
	d.do("filter", window.Type("628"))
	before := d.steady(window)
	server := d.listen("127.0.0.1:62893,[::1]:62893")
	d.eventually("the row comes", func() error { return differs(d, window, before) })
	d.shot("row-opened")
	server.close()
	d.eventually("the row goes", func() error {
		if differs(d, window, before) == nil {
			return errors.New("the window does not look as before")
		}
		return nil
	})
}

func TestWatchesAreKeptAcrossARestart(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.window("Porthole")
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, "○ 5432 free")
	d.do("quit", item.Click(d.step(), "Quit Porthole"))
	d.wantStatus(agent, 0)
	agent = d.start("--hidden")
	d.menuHas(d.item(agent), "○ 5432 free")
	d.listen("127.0.0.1:5432")
	d.note("5432 is open: " + serverName())
}

// kept is what outlives the agent of its window.
func (d *desk) kept() string {
	b, _ := os.ReadFile(filepath.Join(filepath.Dir(d.logPath()), "window.json")) // nothing where there is none
	return string(b)
}

// keeps waits until that says text, or no longer.
func (d *desk) keeps(text string, want bool) {
	d.t.Helper()
	d.eventually("what is kept of the window", func() error {
		if kept := d.kept(); strings.Contains(kept, text) != want {
			return fmt.Errorf("%s; want %s in it: %v", kept, text, want)
		}
		return nil
	})
}

// It does so on a screen on which the size that a window has at first has no room,
// too.
func TestTheWindowComesBackAsItWasAndWelcomesOnce(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Size = "1280x720x24"
	d := boot(t, opts)
	agent := d.start()
	d.item(agent)
	window := d.window("Porthole")
	d.steady(window)
	d.shot("first-run")
	d.keeps(`"welcome":true`, true)
	d.do("resize", window.Resize(1000, 600))
	d.eventually("it has got that size", func() error { return sized(window, 1000, 600) })
	d.steady(window)
	d.do("click Got it", window.Click(1000-34, 600-42))
	d.keeps("welcome", false)
	d.do("the watches", window.Key("ctrl+3"))
	d.do("quit", window.Key("ctrl+q"))
	d.wantStatus(agent, 0)
	d.keeps(`"tab":"watches"`, true)

	agent = d.start()
	window = d.window("Porthole")
	d.eventually("it is as large as it was", func() error { return sized(window, 1000, 600) })
	d.steady(window) // it has that size from the beginning, before it hears keys
	d.do("it keeps that size", sized(window, 1000, 600))
	d.do("the ports", window.Key("ctrl+1"))
	d.steady(window)
	d.shot("second-run")
	pid := windowPID(agent)
	d.do("end the window by a signal", syscall.Kill(pid, syscall.SIGTERM))
	d.keeps(`"tab":"ports"`, true)
	d.noWindow("Porthole")
	if rest := d.kept(); strings.Contains(rest, "welcome") {
		t.Errorf("it welcomes again: %s", rest)
	}
	if strings.Contains(d.log(), "ended unexpectedly") {
		t.Errorf("that the window was ended is a crash:\n%s", d.log())
	}
}

func sized(w desktop.Window, width, height int) error {
	frame, err := w.Geometry()
	if err == nil && (frame.Dx() != width || frame.Dy() != height) {
		err = fmt.Errorf("it is %v; want %d × %d", frame.Size(), width, height)
	}
	return err
}

func TestPause(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	d.do("pause", item.Click(d.step(), "Pause notifications until resumed"))
	d.tooltip(item, "paused")
	server := d.listen("127.0.0.1:62893")
	d.tooltip(item, "1 of 1 watched open") // it watches on
	d.do("resume", item.Click(d.step(), "Resume notifications"))
	d.note("While notifications were paused: 62893 is open: " + serverName()) // in one sentence, and just there
	server.close()
	d.note("62893 closed")
	if notes := d.rec.Notes(); len(notes) != 2 {
		t.Errorf("%d notifications, want two: what was missed, and the close", len(notes))
	}
}

func TestAClickOnANotificationOpensThePort(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.item(d.start("--hidden"))
	d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	d.eventually("the click", func() error { return fake.Invoke("default") })
	d.window("Porthole")
}

func TestSignalsEndItCleanly(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "notifications: false\nwatches:\n  - ports: 20030-20032\n")
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		agent := d.start()
		item := d.item(agent)
		d.window("Porthole")
		window := windowPID(agent)
		port := fmt.Sprint(20030 + i)
		server := d.listen("127.0.0.1:" + port)
		d.menuHas(item, "● "+port+" "+serverName())
		if err := agent.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		d.wantStatus(agent, 0)
		if alive(window) {
			t.Errorf("%v: the window process lives", signal)
		}
		d.noWindow("Porthole")
		server.close()
		d.remembers(port, "opened") // a moment before the end
	}
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// oldUser lets Porthole greet nobody.
func (d *desk) oldUser() {
	d.t.Helper()
	state := filepath.Dir(d.logPath())
	d.do("be no new user", errors.Join(os.MkdirAll(state, 0o700), os.WriteFile(filepath.Join(state, "window.json"), []byte(`{"version":1}`), 0o600)))
}

// TestPictures makes the pictures that a user would see: the one in README is
// build/porthole.png of such a run.
func TestPictures(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.oldUser()
	d.project("shop-api", "api", "127.0.0.1:3000,127.0.0.1:9229")
	d.project("notes", "notesd", "127.0.0.1:5432,[::1]:5432")
	d.project("downloads", "files", "0.0.0.0:8080")
	closing := d.project("admin-ui", "ui", "127.0.0.1:5173")
	item := d.item(d.start())
	window := d.window("Porthole")
	d.menuHas(item, "○ 62893 free")
	d.steady(window)
	server := d.project("acme-web", "web", "127.0.0.1:62893,[::1]:62893")
	d.note("62893 is open: web · acme-web")
	d.menuHas(item, "● 62893 web · acme-web")
	d.do("select", item.Click(d.step(), "● 62893 web · acme-web"))
	closing.close()
	time.Sleep(1200 * time.Millisecond) // the closed row is shown for 3 s, the notification fades in
	d.shot("porthole")
	d.steady(window)
	at := d.selectedRow(window)
	d.do("right click the row", window.RightClick(at.X, at.Y))
	time.Sleep(500 * time.Millisecond)
	d.shot("menu")
	d.do("close the menu", window.Key("Escape"))
	d.do("all keys", window.Key("F1"))
	d.steady(window)
	d.shot("keys")
	d.do("close the keys", window.Key("Escape"))
	d.do("explain", window.Key("ctrl+e"))
	d.steady(window)
	d.shot("explain")
	d.do("explain no more", window.Key("ctrl+e"))
	d.do("the settings", window.Key("ctrl+4"))
	d.steady(window)
	d.shot("settings")
	d.do("the ports", window.Key("ctrl+1"))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(fmt.Sprintf("web %d – Porthole", server.pid()))
	d.steady(process)
	d.shot("process")
}
