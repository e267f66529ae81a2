package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"porthole/monitor"
	"porthole/ui/process"
	"porthole/ui/stop"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// stopDesk returns a desk with one row selected, whose process can be stopped.
func stopDesk(t *testing.T) (*desk, *monitor.Listener) {
	t.Helper()
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l, uitest.Listening(9229, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.Table().Select(l.ID)
	d.ports.Table().Focus()
	return d, l
}

// held returns the program's report that it has opened the processes and is ready to stop them.
func held(l *monitor.Listener) stop.Update {
	return stop.Update{Stage: stop.Ready, Targets: l.Owners, Listeners: []*monitor.Listener{l}, GracePeriod: 10 * time.Second}
}

// press presses the visible button with that label in o. It does not click, because the test driver
// finds positions only in the window created last.
func (d *desk) press(o fyne.CanvasObject, label string) {
	d.T.Helper()
	if b := button(o, label); b != nil {
		b.OnTapped()
		return
	}
	d.T.Fatalf("no button %q", label)
}

// button returns the visible button with that label in o; nil if there is none.
func button(o fyne.CanvasObject, label string) (found *widgets.Button) {
	uitest.EachVisible(o, func(o fyne.CanvasObject) {
		if b, ok := o.(*widgets.Button); ok && b.Text == label {
			found = b
		}
	})
	return found
}

func TestStopOfferedOnlyForStoppableProcesses(t *testing.T) {
	d := newDesk(t)
	unknown, first, mine := uitest.Listening(22, "", 0, "0.0.0.0"), uitest.Listening(80, "systemd", 1), uitest.Listening(3000, "node", 10)
	d.see(unknown, first, mine)
	for _, c := range []struct {
		l      *monitor.Listener
		can    bool
		notice string
	}{
		{unknown, false, "Can't stop the owner of 22: the process is unknown"},
		{first, false, "Can't stop systemd: it is a critical system process"},
		{mine, true, ""},
	} {
		d.Asked = nil
		d.ports.Table().Select(c.l.ID)
		d.ports.Table().Focus()
		if got := button(d.window.Content(), "Stop…") != nil; got != c.can {
			t.Errorf("%d: details pane offers Stop: %t", c.l.Port, got)
		}
		uitest.Press(d.window, desktop.KeyMenu)
		if got := strings.Contains(d.Overlay(), "Stop…   (Del)"); got != c.can {
			t.Errorf("%d: got menu %q", c.l.Port, d.Overlay())
		}
		uitest.Press(d.window, fyne.KeyEscape)
		d.OpenProcess(c.l)
		p := d.processes[process.Key(c.l)]
		if got := button(p.Fyne().Content(), "Stop…") != nil; got != c.can {
			t.Errorf("%d: process window offers Stop: %t", c.l.Port, got)
		}
		p.Fyne().Close()
		uitest.Press(d.window, fyne.KeyDelete)
		if c.notice != "" && !shows(d.window.Content(), c.notice) || (d.stopping != nil) != c.can {
			t.Errorf("%d: Delete does not show %q, or requests %q", c.l.Port, c.notice, d.Asked)
		}
	}
	uitest.Press(d.window, fyne.KeyEscape)
	d.Disconnect()
	if b := button(d.window.Content(), "Stop…"); b != nil {
		b.OnTapped()
	}
	if d.stopping != nil {
		t.Error("Stop works although the agent has disconnected")
	}
}

func TestStopFromProcessWindow(t *testing.T) {
	d, l := stopDesk(t)
	shared := uitest.Listening(9229, "node", 10)
	shared.Owners = append(shared.Owners, monitor.Owner{PID: 12, Start: 7, Name: "worker"})
	d.see(l, shared)
	d.OpenProcess(l)
	p := d.processes["10 7"]
	d.press(p.Fyne().Content(), "Stop…")
	d.Want("requests", d.Asked, []string{"hold 10", "hold 12"})
	uitest.Press(d.window, fyne.KeyDelete) // in the other window, while the dialog is open
	d.Want("requests", d.Asked, []string{"hold 10", "hold 12"})
	d.stopProgress(held(l))
	d.press(p.Fyne().Canvas().Overlays().Top(), "Stop")
	p.Fyne().Close()
	d.Want("requests", d.Asked[2:], []string{"stop, children false", "end"})
	if d.stopping != nil {
		t.Error("the dialog is still referenced")
	}
}

func TestDeleteKeyOnOtherPages(t *testing.T) {
	d, _ := stopDesk(t)
	for _, page := range []string{PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		d.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDelete})
		if d.stopping != nil {
			t.Fatalf("Delete on %s opens the stop dialog", page)
		}
	}
}

func TestStopFromRowMenuAndDetailsPane(t *testing.T) {
	d, l := stopDesk(t)
	uitest.Press(d.window, desktop.KeyMenu)
	d.Choose("Stop…   (Del)")
	d.stopProgress(held(l))
	d.WantText("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	d.press(d.window.Content(), "Stop…")
	d.stopProgress(held(l))
	d.WantText("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	d.Want("requests", d.Asked, []string{"hold 10", "end", "hold 10", "end"})
	uitest.Press(d.window, fyne.KeyDelete) // the table is focused
	d.Want("requests after the second dialog", d.Asked[4:], []string{"hold 10"})
}
