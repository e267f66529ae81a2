package ports

import (
	"testing"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/uitest"
)

func TestGoToTerminalFromRowMenu(t *testing.T) {
	d := newDesk(t)
	d.SetStatus(Status{RaisesWindows: true})
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Parents = []monitor.Parent{{PID: 9, Name: "bash", Command: []string{"bash"}}, {PID: 8, Name: "xterm", Command: []string{"xterm"}}}
	d.see(l)
	d.ports.table.Select(l.ID)
	d.ports.menu(d.ports.table.Rows()[0], fyne.NewPos(200, 200))
	d.MenuItem(13)
	d.Want("requests", d.Asked, []string{"terminal of 10"})
}
