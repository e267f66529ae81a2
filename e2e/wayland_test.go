package e2e

import (
	"fmt"
	"testing"

	"porthole/e2e/desktop"
)

// Porthole works on Wayland without an X server.
func TestWayland(t *testing.T) {
	d, env := startWaylandDesk(t)
	screen := d.window(desktop.WaylandTitle)
	agent := d.startWith(env)
	item := d.item(agent)
	d.isVisible(true)
	first := windowPID(agent)

	// Keys work, and events are shown.
	before := d.steady(screen)
	d.do("go to the history", screen.Key("ctrl+2"))
	d.waitChanged("the page changes", screen, before)
	before = d.steady(screen)
	d.do("go to the ports", screen.Key("ctrl+1"))
	d.waitChanged("the page changes", screen, before)
	before = d.steady(screen)
	server := d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	d.waitChanged("the row appears", screen, before)
	d.do("filter", screen.Type("62893"))
	d.steady(screen)
	d.shot("wayland")

	// A click on the icon brings the window, with its filter, in front of the window of another program.
	before = d.steady(screen)
	terminal := d.run("weston-terminal", env, "--shell=/bin/cat")
	d.waitChanged("the other window appears", screen, before)
	before = d.steady(screen)
	d.do("type into the other window", screen.Type("zzz"))
	d.waitChanged("the other window takes keys", screen, before)
	before = d.steady(screen)
	d.shot("wayland-behind")
	d.do("click the icon", item.Activate(d.step()))
	d.waitChanged("the window comes to the front", screen, before)
	d.isVisible(true)
	before = d.steady(screen)
	d.shot("wayland-raised")
	d.do("go to the history", screen.Key("ctrl+2"))
	d.waitChanged("the window takes keys", screen, before)
	if pid := windowPID(agent); pid != first {
		t.Errorf("got the window process %d, want %d as before", pid, first)
	}
	terminal.kill()

	d.do("close the window", screen.Key("ctrl+w"))
	d.noWindowProcess(agent)
	d.isVisible(false)
	d.wantStatus(d.startWith(env), 0)
	d.isVisible(true)

	// The compositor ends while the window is open.
	d.StopWayland()
	d.noWindowProcess(agent)
	server.close()
	d.note(noteClosed("62893"))
	d.quit(agent)
}

// On a Wayland desktop that draws no window frames but has an X server, such as GNOME,
// the toolkit uses the X server, and the window gets a title bar.
func TestWaylandWithAnXServer(t *testing.T) {
	d, env := startWaylandDesk(t)
	d.writeSettings("watches: []\n")
	agent := d.startWith(append(env, "DISPLAY="+d.Display()))
	d.item(agent)
	window := d.mainWindow()
	d.steady(window)
	d.do("close the window", window.Close())
	d.noMainWindow()
	d.noWindowProcess(agent)
}

func startWaylandDesk(t *testing.T) (d *desk, env []string) {
	t.Helper()
	opts := desktop.DefaultOptions()
	opts.Wayland = true
	d = startDesk(t, opts)
	return d, d.Wayland()
}

// isVisible waits until Porthole's window is on the screen, or is not.
func (d *desk) isVisible(want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("Porthole is visible: %t", want), func() error {
		shows, err := d.Shows(accent)
		if err == nil && shows != want {
			err = fmt.Errorf("got %t", shows)
		}
		return err
	})
}
