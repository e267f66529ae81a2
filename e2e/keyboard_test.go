package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// TestAWalkByKeysAlone does something on every page without the mouse.
func TestAWalkByKeysAlone(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "notifications: false\nwatches:\n  - ports: 20001\n")
	server := d.serve(d.program("walker"), "/", "127.0.0.1:20001")
	item := d.item(d.start())
	d.menuHas(item, "● 20001 walker")
	d.remembers("20001", "found")
	window := d.window("Porthole")
	d.steady(window)

	// Ports: filter, a row, its process and back, its watch.
	d.tabs(window, "ports", 3)
	d.do("filter", window.Key("ctrl+f"))
	d.do("filter", window.Type("20001"))
	title := fmt.Sprintf("walker %d – Porthole", server.pid())
	d.do("open the row", window.Key("Down", "Return"))
	process := d.window(title)
	d.do("close it", process.Key("Escape"))
	d.noWindow(title)
	d.do("watch it no longer, and again", window.Key("space"))
	d.settingsHave("watches: []", true)
	d.do("undo", window.Key("ctrl+z"))
	d.settingsHave("ports: 20001", true)

	// Activity: a change and its whole story. The page has the keyboard at once.
	d.do("go to Activity", window.Key("ctrl+2"))
	before := d.steady(window)
	d.do("open a story", window.Key("Down", "Return"))
	d.eventually("the story opens", func() error { return differs(d, window, before) })
	d.do("close the story", window.Key("Escape"))
	d.steady(window)
	d.tabs(window, "activity", 3)

	// Watches: a new one, and off.
	d.do("go to Watches", window.Key("ctrl+3"))
	d.steady(window)
	d.do("add a watch", window.Key("Insert"))
	d.do("type its port", window.Type("20003"))
	d.do("save it", window.Key("Return"))
	d.menuHas(item, "○ 20003 free")
	d.do("switch it off", window.Key("space"))
	d.settingsHave("off: true", true)
	d.tabs(window, "watches", 2)

	// Settings: the keyboard begins at the theme.
	d.do("go to Settings", window.Key("ctrl+4"))
	d.steady(window)
	d.do("choose another theme", window.Key("Tab", "space"))
	d.settingsHave("theme: ", true)
	d.tabs(window, "settings", 3)
	d.do("close the window", window.Key("ctrl+w"))
	d.noWindow("Porthole")
}

// tabs presses Tab and wants to see where the keyboard is after each.
func (d *desk) tabs(w desktop.Window, page string, times int) {
	d.t.Helper()
	for n := range times {
		before, err := screen(d)
		d.do("look", err)
		d.do("press Tab", w.Key("Tab"))
		d.eventually(fmt.Sprintf("Tab %d on %s is seen", n+1, page), func() error {
			now, err := screen(d)
			if err == nil && same(before, now) {
				err = errors.New("the desktop looks as before")
			}
			return err
		})
	}
	d.do("picture it", w.Screenshot(picture(d.t, "keys-"+page)))
}

// settingsHave waits until the settings file has a text in it, or no longer.
func (d *desk) settingsHave(text string, want bool) {
	d.t.Helper()
	d.eventually("the settings file", func() error {
		b, err := os.ReadFile(d.settings())
		if err == nil && strings.Contains(string(b), text) != want {
			err = fmt.Errorf("%s says %q; want %q in it: %v", filepath.Base(d.settings()), b, text, want)
		}
		return err
	})
}
