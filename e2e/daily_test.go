package e2e

import (
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// A user uses tray, window and notifications in the usual order.
func TestTypicalDay(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.mainWindow()

	// The tray shows the watched port before and after it opens.
	d.tooltip(item, tooltipOpen(0, 1))
	d.menuHas(item, menuFree("62893"))
	empty := d.icon(item)

	server := d.listen("127.0.0.1:62893")
	note := d.note(noteOpen("62893", serverName()))
	if !strings.Contains(note.Body, fmt.Sprint(server.pid())) {
		t.Errorf("got the notification's body %q; want the PID %d in it", note.Body, server.pid())
	}
	d.tooltip(item, tooltipOpen(1, 1))
	d.menuHas(item, menuOpen("62893", serverName()))
	if full := d.icon(item); similar(empty, full) {
		t.Error("the icon is the same for an open and a free port")
	}

	// A double click on its row opens the process window.
	d.filterRows(window, "62893")
	title := processTitle(serverName(), server.pid())
	row := d.selectedRow(window)
	d.do("double click the row", window.DoubleClick(row.X, row.Y))
	process := d.window(title)
	d.steady(process)
	d.shot("process")
	d.do("close the process window", process.Close())
	d.noWindow(title)
	d.do("press Enter", window.Key("Return"))
	d.window(title)

	// Closing the main window ends only the window process.
	d.closeMainWindow()
	d.noWindow(title)
	d.noWindowProcess(agent)
	server.close()
	d.note(noteClosed("62893", serverName()))
	d.tooltip(item, tooltipOpen(0, 1))

	// A second start, a click on the icon, and a menu entry open it again.
	d.wantStatus(d.start(), 0)
	window = d.mainWindow()
	d.do("minimise the window", window.Iconify())
	d.noMainWindow()
	d.wantStatus(d.start(), 0)
	d.mainWindow()
	d.do("go to another workspace", d.Workspace(1))
	d.noMainWindow()
	d.wantStatus(d.start(), 0)
	d.closeMainWindow()
	d.do("click the icon", d.ClickAt(d.TrayPoint(), 1))
	d.closeMainWindow()
	d.do("choose the menu entry", item.Click(d.step(), menuOpenWindow))
	d.mainWindow()

	// Quit ends both processes.
	pid := windowPID(agent)
	d.do("choose Quit", item.Click(d.step(), menuQuit))
	d.wantStatus(agent, 0)
	if pid == 0 || alive(pid) {
		t.Errorf("the window process %d is alive after Quit", pid)
	}
	for _, complaint := range []string{logFyneThread, logDataRace, "panic"} {
		if strings.Contains(d.log()+agent.out.String(), complaint) {
			t.Errorf("got %q in the log or the output:\n%s\n%s", complaint, d.log(), agent.out.String())
		}
	}
}

func TestRowsFollowThePorts(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.start()
	window := d.mainWindow()
	all := d.steady(window)
	d.do("filter", window.Type("628"))
	d.waitChanged("the filter applies", window, all)
	var before *image.RGBA
	d.eventually("the whole filter applies", func() error { // keys come late on a busy machine
		before = d.steady(window)
		time.Sleep(time.Second)
		if differs(d, window, before) == nil {
			return errors.New("the table still changes")
		}
		return nil
	})
	server := d.listen("127.0.0.1:62893,[::1]:62893")
	d.waitChanged("the row appears", window, before)
	d.shot("row-opened")
	server.close()
	d.eventually("the row is removed", func() error {
		if differs(d, window, before) == nil {
			return errors.New("the window does not look as before")
		}
		return nil
	})
}

func TestWatchesAreKeptAcrossARestart(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.mainWindow()
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, menuFree("5432"))
	d.do("quit", item.Click(d.step(), menuQuit))
	d.wantStatus(agent, 0)
	agent = d.start("--hidden")
	d.menuHas(d.item(agent), menuFree("5432"))
	d.listen("127.0.0.1:5432")
	d.note(noteOpen("5432", serverName()))
}

// windowState returns the stored state of the window, "" if there is none.
func (d *desk) windowState() string {
	b, _ := os.ReadFile(d.statePath(windowFile))
	return string(b)
}

// windowStateHas waits until the stored state of the window contains a text, or no
// longer does.
func (d *desk) windowStateHas(text string, want bool) {
	d.t.Helper()
	d.eventually("the window's state", func() error {
		if got := d.windowState(); strings.Contains(got, text) != want {
			return fmt.Errorf("got %s; want %s in it: %t", got, text, want)
		}
		return nil
	})
}

// The window keeps its size and page, and shows the welcome only once. The screen is too
// small for the window's default size.
func TestWindowStateAndWelcome(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Size = "1280x720x24"
	d := startDesk(t, opts)
	agent := d.start()
	d.item(agent)
	window := d.mainWindow()
	d.steady(window)
	d.shot("first-run")
	d.windowStateHas(stateWelcome, true)
	// On a busy machine Fyne sets the first size, which does not fit on the screen, once more.
	d.eventually("the window keeps its new size", func() error {
		d.do("resize", window.Resize(1000, 600))
		d.steady(window)
		return wantSize(window, 1000, 600)
	})
	d.do("click Got it", window.Click(1000-34, 600-42))
	d.windowStateHas("welcome", false)
	d.do("go to the watches", window.Key("ctrl+3"))
	d.do("quit", window.Key("ctrl+q"))
	d.wantStatus(agent, 0)
	d.windowStateHas(stateOnWatches, true)
	d.windowStateHas(`"width":1000,"height":600`, true)

	agent = d.start()
	window = d.mainWindow()
	d.eventually("the size is as before", func() error { return wantSize(window, 1000, 600) })
	d.steady(window) // it has the size before it accepts keys
	d.do("check the size again", wantSize(window, 1000, 600))
	d.do("go to the ports", window.Key("ctrl+1"))
	d.steady(window)
	d.shot("second-run")
	d.do("end the window process", syscall.Kill(windowPID(agent), syscall.SIGTERM))
	d.windowStateHas(stateOnPorts, true)
	d.noMainWindow()
	if got := d.windowState(); strings.Contains(got, "welcome") {
		t.Errorf("got the state %s; want no second welcome", got)
	}
	if strings.Contains(d.log(), logUnexpectedEnd) {
		t.Errorf("SIGTERM to the window process is logged as a crash:\n%s", d.log())
	}
}

func TestPause(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	d.do("pause", item.Click(d.step(), menuPauseForever))
	d.tooltip(item, tooltipPaused)
	server := d.listen("127.0.0.1:62893")
	d.tooltip(item, tooltipOpen(1, 1)) // it still watches
	d.do("resume", item.Click(d.step(), menuResume))
	d.note(noteMissed(noteOpen("62893", serverName())))
	server.close()
	d.note(noteClosed("62893"))
	if notes := d.rec.Notes(); len(notes) != 2 {
		t.Errorf("got the notifications %q; want two: what was missed, and the close", summaries(notes))
	}
}

func TestClickOnNotification(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := startDesk(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.item(d.start("--hidden"))
	d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	d.eventually("the click", func() error { return fake.Invoke("default") })
	d.mainWindow()
}

func TestSignals(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("notifications: false\nwatches:\n  - ports: 20030-20032\n")
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		agent := d.start()
		item := d.item(agent)
		d.mainWindow()
		window := windowPID(agent)
		port := fmt.Sprint(20030 + i)
		server := d.listen("127.0.0.1:" + port)
		d.menuHas(item, menuOpen(port, serverName()))
		if err := agent.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		d.wantStatus(agent, 0)
		if alive(window) {
			t.Errorf("%v: the window process is alive", signal)
		}
		d.noMainWindow()
		server.close()
		d.waitHistory(port, eventOpened) // it happened just before the end
	}
}

// skipWelcome lets Porthole start without the welcome of a new user.
func (d *desk) skipWelcome() {
	d.t.Helper()
	d.write(d.statePath(windowFile), `{"version":1}`)
}

// TestPictures takes pictures of a desktop with several projects. build/porthole.png is
// the one in the README.
func TestPictures(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.project("shop-api", "api", "127.0.0.1:3000,127.0.0.1:9229")
	d.project("notes", "notesd", "127.0.0.1:5432,[::1]:5432")
	d.project("downloads", "files", "0.0.0.0:8080")
	closing := d.project("admin-ui", "ui", "127.0.0.1:5173")
	item := d.item(d.start())
	window := d.mainWindow()
	d.menuHas(item, menuFree("62893"))
	d.steady(window)
	server := d.project("acme-web", "web", "127.0.0.1:62893,[::1]:62893")
	d.note(noteOpen("62893", "web · acme-web"))
	d.menuHas(item, menuOpen("62893", "web · acme-web"))
	d.do("select", item.Click(d.step(), menuOpen("62893", "web · acme-web")))
	before := d.steady(window)
	closing.close()
	d.waitChanged("the row closes", window, before) // it stays visible for 3 s
	d.shot("porthole")
	d.steady(window)
	at := d.selectedRow(window)
	before = d.steady(window)
	d.do("right click the row", window.RightClick(at.X, at.Y))
	d.waitChanged("the menu opens", window, before)
	d.steady(window)
	d.shot("menu")
	d.do("close the menu", window.Key("Escape"))
	d.do("show all keys", window.Key("F1"))
	d.steady(window)
	d.shot("keys")
	d.do("close the keys", window.Key("Escape"))
	d.do("explain", window.Key("ctrl+e"))
	d.steady(window)
	d.shot("explain")
	d.do("close the explanation", window.Key("ctrl+e"))
	d.do("go to the settings", window.Key("ctrl+4"))
	d.steady(window)
	d.shot("settings")
	d.do("go to the ports", window.Key("ctrl+1"))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(processTitle("web", server.pid()))
	d.steady(process)
	d.shot("process")
}
