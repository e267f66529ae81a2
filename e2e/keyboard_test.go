package e2e

import (
	"errors"
	"fmt"
	"testing"

	"porthole/e2e/desktop"
)

// Every page can be used without the mouse.
func TestKeyboard(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("notifications: false\nwatches:\n  - ports: 20001\n")
	server := d.serve(d.program("walker"), "/", "127.0.0.1:20001")
	item := d.item(d.start())
	d.menuHas(item, menuOpen("20001", "walker"))
	d.waitHistory("20001", eventDiscovered)
	window := d.mainWindow()
	d.steady(window)

	// Ports: the filter, a row, its process window and back, its watch.
	d.pressTabs(window, "ports", 3)
	d.do("go to the filter", window.Key("ctrl+f"))
	d.do("filter", window.Type("20001"))
	title := processTitle("walker", server.pid())
	d.do("open the row", window.Key("Down", "Return"))
	process := d.window(title)
	d.do("close the process window", process.Key("Escape"))
	d.noWindow(title)
	d.do("unwatch the port", window.Key("space"))
	d.settingsHave("watches: []", true)
	d.do("undo", window.Key("ctrl+z"))
	d.settingsHave("ports: 20001", true)

	// History: an event and its details. The page has the focus immediately.
	d.do("go to the history", window.Key("ctrl+2"))
	before := d.steady(window)
	d.do("open an event", window.Key("Down", "Return"))
	d.waitChanged("the details open", window, before)
	d.do("close the details", window.Key("Escape"))
	d.steady(window)
	d.pressTabs(window, "history", 3)

	// Watches: a new one, which is then switched off.
	d.do("go to the watches", window.Key("ctrl+3"))
	d.steady(window)
	d.do("add a watch", window.Key("Insert"))
	d.do("type its port", window.Type("20003"))
	d.do("save it", window.Key("Return"))
	d.menuHas(item, menuFree("20003"))
	d.do("switch it off", window.Key("space"))
	d.settingsHave("off: true", true)
	d.pressTabs(window, "watches", 2)

	// Settings: the theme comes first.
	d.do("go to the settings", window.Key("ctrl+4"))
	d.steady(window)
	d.do("choose another theme", window.Key("Tab", "space"))
	d.settingsHave("theme: ", true)
	d.pressTabs(window, "settings", 3)
	d.do("close the window", window.Key("ctrl+w"))
	d.noMainWindow()
}

// pressTabs presses Tab several times and checks that the screen shows a new focus
// after each.
func (d *desk) pressTabs(w desktop.Window, page string, times int) {
	d.t.Helper()
	for n := range times {
		before, err := screen(d)
		d.do("take a picture", err)
		d.do("press Tab", w.Key("Tab"))
		d.eventually(fmt.Sprintf("Tab %d on %s is visible", n+1, page), func() error {
			now, err := screen(d)
			if err == nil && same(before, now) {
				err = errors.New("the desktop looks as before")
			}
			return err
		})
	}
	d.do("take a picture", w.Screenshot(picturePath(d.t, "keys-"+page)))
}
