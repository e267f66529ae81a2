package e2e

import (
	"testing"

	"porthole/e2e/desktop"
)

// A label given in the window shows in the tray's menu. A row hidden by its menu leaves the
// table until Undo, and grouping by project is kept for the next window.
func TestLabelHideAndGroup(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.writeSettings("watches:\n  - ports: 20001\n")
	d.project("shop", "web", "127.0.0.1:20001,127.0.0.1:20002")
	d.serve(d.program("beta"), "/", "127.0.0.1:20003")
	item := d.item(d.start())
	d.menuHas(item, menuOpen("20001", "web · shop"))
	window := d.mainWindow()
	d.do("filter", window.Type("20001-20003"))
	d.do("go to the first row", window.Key("Down", "Home"))
	d.steady(window)

	before := d.steady(window)
	d.do("edit the label", window.Key("F2"))
	d.waitChanged("the dialog opens", window, before)
	d.do("type a name", window.Type("shop front"))
	d.steady(window)
	d.shot("label")
	d.do("save", window.Key("Return"))
	d.settingsHave("labels:\n  - ports: 20001\n    name: shop front\n", true)
	d.menuHas(item, menuOpen("20001", "shop front (web)"))
	d.steady(window)
	d.shot("labelled")

	d.do("go to the last row", window.Key("End"))
	d.steady(window)
	at := d.selectedRow(window)
	before = d.steady(window)
	d.do("right click the row", window.RightClick(at.X, at.Y))
	d.waitChanged("the menu opens", window, before)
	d.steady(window)
	d.do("choose Hide", window.Key("Down", "Down", "Down", "Down", "Down", "Right"))
	d.steady(window)
	d.shot("hide")
	d.do("hide the port of this program", window.Key("Return"))
	d.settingsHave("hidden:\n  - ports: 20003\n    program: beta\n", true)
	d.steady(window)
	d.shot("hidden")
	d.do("undo", window.Key("ctrl+z"))
	d.settingsHave("program: beta", false)

	d.do("group by project", window.Key("ctrl+g", "ctrl+g"))
	d.steady(window)
	d.shot("by-project")
	d.closeMainWindow()
	d.windowStateHas(`"group":"project"`, true)
}
