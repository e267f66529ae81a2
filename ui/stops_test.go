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

// Where nobody can be stopped nothing offers to.
// stopDesk is a desk with one row selected, of a process that can be stopped.
func stopDesk(t *testing.T) (*desk, *monitor.Listener) {
	t.Helper()
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l, uitest.Listening(9229, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.Table().Select(l.ID)
	d.ports.Table().Focus()
	return d, l
}

// held is what the program reports once it holds the processes.
func held(l *monitor.Listener) stop.Update {
	return stop.Update{Stage: stop.Ready, Targets: l.Owners, Listeners: []*monitor.Listener{l}, GracePeriod: 10 * time.Second}
}

// press presses the button with that label in o. The test driver finds places in the window that
// was made last alone.
func (d *desk) press(o fyne.CanvasObject, label string) {
	d.T.Helper()
	if b := button(o, label); b != nil {
		b.OnTapped()
		return
	}
	d.T.Fatalf("there is no button %q", label)
}

// button returns the button with that label in o that is seen; nil if there is none.
func button(o fyne.CanvasObject, label string) (found *widgets.Button) {
	uitest.EachVisible(o, func(o fyne.CanvasObject) {
		if b, ok := o.(*widgets.Button); ok && b.Text == label {
			found = b
		}
	})
	return found
}

func TestStopIsAbsentWhereItMakesNoSense(t *testing.T) {
	d := newDesk(t)
	hidden, first, mine := uitest.Listening(22, "", 0, "0.0.0.0"), uitest.Listening(80, "systemd", 1), uitest.Listening(3000, "node", 10)
	d.see(hidden, first, mine)
	for _, c := range []struct {
		l    *monitor.Listener
		can  bool
		says string
	}{
		{hidden, false, "Can't stop the owner of 22: the process is unknown"},
		{first, false, "Can't stop systemd: it is a critical system process"},
		{mine, true, ""},
	} {
		d.Asked = nil
		d.ports.Table().Select(c.l.ID)
		d.ports.Table().Focus()
		if got := button(d.window.Content(), "Stop…") != nil; got != c.can {
			t.Errorf("%d: the side pane offers it: %t", c.l.Port, got)
		}
		uitest.Press(d.window, desktop.KeyMenu)
		if got := strings.Contains(d.Overlay(), "Stop…   (Del)"); got != c.can {
			t.Errorf("%d: the menu says %q", c.l.Port, d.Overlay())
		}
		uitest.Press(d.window, fyne.KeyEscape)
		d.OpenProcess(c.l)
		p := d.processes[process.Key(c.l)]
		if got := button(p.Fyne().Content(), "Stop…") != nil; got != c.can {
			t.Errorf("%d: the process window offers it: %t", c.l.Port, got)
		}
		p.Fyne().Close()
		uitest.Press(d.window, fyne.KeyDelete)
		if c.says != "" && !says(d.window.Content(), c.says) || (d.stopping != nil) != c.can {
			t.Errorf("%d: Delete does not say %q, or asks %q", c.l.Port, c.says, d.Asked)
		}
	}
	uitest.Press(d.window, fyne.KeyEscape)
	d.Disconnect()
	if b := button(d.window.Content(), "Stop…"); b != nil {
		b.OnTapped()
	}
	if d.stopping != nil {
		t.Error("it can be stopped where nobody watches")
	}
}

func TestTheProcessWindowStopsItsProcessAndItsClosingEndsTheWait(t *testing.T) {
	d, l := stopDesk(t)
	shared := uitest.Listening(9229, "node", 10)
	shared.Owners = append(shared.Owners, monitor.Owner{PID: 12, Start: 7, Name: "worker"})
	d.see(l, shared)
	d.OpenProcess(l)
	p := d.processes["10 7"]
	d.press(p.Fyne().Content(), "Stop…")
	d.Want("asked", d.Asked, []string{"hold 10", "hold 12"})
	uitest.Press(d.window, fyne.KeyDelete) // in the other window meanwhile
	d.Want("asked", d.Asked, []string{"hold 10", "hold 12"})
	d.stopNews(held(l))
	d.press(p.Fyne().Canvas().Overlays().Top(), "Stop")
	p.Fyne().Close()
	d.Want("asked", d.Asked[2:], []string{"stop, children false", "end"})
	if d.stopping != nil {
		t.Error("the dialog is kept")
	}
}

func TestDeleteOnOtherPagesStopsNothing(t *testing.T) {
	d, _ := stopDesk(t)
	for _, page := range []string{PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		d.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDelete})
		if d.stopping != nil {
			t.Fatalf("Delete on %s asks to stop", page)
		}
	}
}

func TestTheMenuOfARowAndTheSidePaneAskToo(t *testing.T) {
	d, l := stopDesk(t)
	uitest.Press(d.window, desktop.KeyMenu)
	d.Choose("Stop…   (Del)")
	d.stopNews(held(l))
	d.Says("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	d.press(d.window.Content(), "Stop…")
	d.stopNews(held(l))
	d.Says("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	d.Want("asked", d.Asked, []string{"hold 10", "end", "hold 10", "end"})
	uitest.Press(d.window, fyne.KeyDelete) // the table has the keyboard
	d.Want("asked at last", d.Asked[4:], []string{"hold 10"})
}
