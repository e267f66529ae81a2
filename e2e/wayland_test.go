package e2e

import (
	"errors"
	"fmt"
	"image/color"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// accent is a colour that Porthole's dark window shows on every page, and
// nothing else here does.
var accent = color.RGBA{0x2d, 0xd4, 0xbf, 255}

// A day on Wayland, without any X server for the program.
func TestWayland(t *testing.T) {
	d, env := bootWayland(t)
	screen := d.window(desktop.WaylandTitle)
	agent := d.startWith(env)
	item := d.item(agent)
	d.painted(true)
	first := windowPID(agent)

	// Keys arrive, and what happens is shown.
	before := d.steady(screen)
	d.do("go to Activity", screen.Key("ctrl+2"))
	d.eventually("the page comes", func() error { return differs(d, screen, before) })
	before = d.steady(screen)
	d.do("go to the ports", screen.Key("ctrl+1"))
	d.eventually("the page comes", func() error { return differs(d, screen, before) })
	before = d.steady(screen)
	server := d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	d.eventually("the row comes", func() error { return differs(d, screen, before) })
	d.do("filter", screen.Type("62893"))
	time.Sleep(time.Second) // for the picture: seconds pass in it, so it never comes to rest
	d.shot("wayland")

	// A click on the icon: no program may raise its own window there, so it comes again.
	d.do("click the icon", item.Activate(d.step()))
	d.eventually("the window comes again", func() error {
		if pid := windowPID(agent); pid == 0 || pid == first {
			return fmt.Errorf("its process is %d; want another one than %d", pid, first)
		}
		return nil
	})
	d.painted(true)
	time.Sleep(time.Second) // for the picture
	d.shot("wayland-again") // with its filter
	d.do("close the window", screen.Key("ctrl+w"))
	d.noWindowProcess(agent)
	d.painted(false)
	d.wantStatus(d.startWith(env), 0)
	d.painted(true)

	// The compositor ends under the window.
	d.StopWayland()
	d.noWindowProcess(agent)
	server.close()
	d.note("62893 closed")
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
}

// Where a Wayland desktop draws no frames around windows and has an X server, as
// GNOME does, the toolkit takes the X server: the window gets its title bar.
func TestWaylandWithoutFramesBesideX(t *testing.T) {
	d, env := bootWayland(t)
	d.write(d.settings(), "watches: []\n")
	agent := d.startWith(append(env, "DISPLAY="+d.Display()))
	d.item(agent)
	window := d.window("Porthole")
	d.steady(window)
	d.do("close the window", window.Close())
	d.noWindow("Porthole")
	d.noWindowProcess(agent)
}

func bootWayland(t *testing.T) (d *desk, env []string) {
	t.Helper()
	opts := desktop.DefaultOptions()
	opts.Wayland = true
	d = boot(t, opts)
	return d, d.Wayland()
}

// painted waits until something of Porthole's is on the screen, or nothing.
func (d *desk) painted(want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("Porthole is seen: %t", want), func() error {
		shows, err := d.Shows(accent)
		if err == nil && shows != want {
			err = errors.New("it is not so")
		}
		return err
	})
}

// noWindowProcess waits until the agent has none.
func (d *desk) noWindowProcess(agent *process) {
	d.t.Helper()
	d.eventually("the window process ends", func() error {
		if pid := windowPID(agent); pid != 0 {
			return fmt.Errorf("%d is there", pid)
		}
		return nil
	})
}
