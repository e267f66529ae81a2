package e2e

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"porthole/e2e/desktop"
)

// Places in a window of the default size, in pixels.
const (
	firstRowY = headerY + 33 // of the table
	foldX     = 18           // of the symbol of a group's head
	warningsX = 701          // of the quick filter
	filtersY  = 62           // of the quick filters
)

// plainServer starts a server without a warning: its program is not in a temporary folder, and it
// does not run as root.
func (d *desk) plainServer(port string) {
	d.t.Helper()
	cmd := exec.Command("/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", port)
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
}

// Groups, quick filters and columns, with real mouse and keys.
func TestTableFeatures(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	alpha := d.serve(d.program("alpha"), "/", "127.0.0.1:20001,127.0.0.1:20002")
	beta := d.serve(d.program("beta"), "/", "127.0.0.1:20003")
	d.plainServer("20004")
	agent := d.start()
	d.menuHas(d.item(agent), menuFree("62893"))
	d.waitHistory("20001", eventDiscovered)
	window := d.mainWindow()
	second := func() error { return window.Key("Home", "Down", "Return") }
	last := func() error { return window.Key("End", "Return") }

	// Folded, the second line is the next group; unfolded, the first row of the group.
	d.do("filter", window.Type("20001-20004"))
	d.do("leave the filter", window.Key("Down"))
	d.do("group by process", window.Key("ctrl+g"))
	d.steady(window)
	d.opens("the first row of the group", alpha, "alpha", second)
	before := d.steady(window)
	d.do("fold the group", window.Key("Home", "Left"))
	d.waitChanged("the group is folded", window, before)
	d.shot("group-folded")
	d.opens("the next group", beta, "beta", second)
	d.do("unfold the group", window.Key("Home", "Right"))
	d.steady(window)
	d.opens("the first row again", alpha, "alpha", second)
	d.do("click the symbol of the head", window.Click(foldX, firstRowY))
	d.steady(window)
	d.opens("the next group", beta, "beta", second)
	d.do("do not group", window.Key("ctrl+g", "ctrl+g")) // by project first

	before = d.steady(window)
	d.do("show only warnings", window.Click(warningsX, filtersY))
	d.waitChanged("the row without a warning disappears", window, before)
	d.shot("only-warnings")
	d.opens("the last row with a warning", beta, "beta", func() error {
		if err := window.Click(processX, firstRowY); err != nil {
			return err
		}
		return last()
	})

	// The menu of the header has all columns; Address is the ninth.
	before = d.steady(window)
	d.do("open the menu of columns", window.RightClick(processX, headerY))
	d.waitChanged("the menu opens", window, before)
	d.steady(window) // a hover of the header may have been the change
	d.do("choose Address", window.Key(slices.Repeat([]string{"Down"}, 9)...))
	d.do("show it", window.Key("Return"))
	d.steady(window)
	d.shot("column-address")

	// Typing a filter selects the only match; no key leads to it.
	d.do("filter", window.Key("ctrl+f", "ctrl+a"))
	d.do("filter", window.Type("20003"))
	d.selectedRow(window)

	// On the History page Enter alone opens the newest event.
	d.do("go to the history", window.Key("ctrl+2"))
	before = d.steady(window)
	d.do("press Enter", window.Key("Return"))
	d.waitChanged("the details of an event open", window, before)
	d.shot("history-enter")

	d.closeMainWindow()
	d.windowStateHas(`"shown":["address"]`, true)
	if got := d.windowState(); !strings.Contains(got, `"quick":"warnings"`) {
		t.Errorf("got the state %s, want the quick filter in it", got)
	}
}
