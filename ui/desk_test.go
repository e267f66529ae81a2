package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/settings"
	"porthole/ui/stop"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }

// desk is the whole window on Fyne's software driver.
type desk struct {
	*Window
	uitest.Desk
	stopNews func(stop.Update) // reports to the stop that is asked about
}

func newDesk(t *testing.T) *desk { return deskWith(t, nil) }

// deskWith is newDesk with a history.
func deskWith(t testing.TB, memory History) *desk {
	t.Helper()
	d := silentDesk(t, memory)
	d.SetStatus(Status{Settings: settings.Settings{Notifications: true}, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	return d
}

// silentDesk is deskWith before the agent has sent anything.
func silentDesk(t testing.TB, memory History) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.Window = NewWindow(d.App, d, memory, d.Now)
	d.Desk.Window = d.window
	d.window.Resize(fyne.NewSize(1000, 600))
	d.Show()
	return d
}

// Stop records who is asked about; d.stopNews reports to the dialog then.
func (d *desk) Stop(q stop.Request, tell func(stop.Update)) stop.Stopping {
	for _, o := range q.Owners {
		d.Ask("hold %d", o.PID)
	}
	d.stopNews = tell
	return stopDouble{d}
}

type stopDouble struct{ d *desk }

func (s stopDouble) Terminate(children bool) { s.d.Ask("stop, children %t", children) }

func (s stopDouble) ForceQuit() { s.d.Ask("force") }

func (s stopDouble) RunManager(command string) { s.d.Ask("run %s", command) }

func (s stopDouble) Close() { s.d.Ask("end") }

// see shows the window the next snapshot, as the monitor would.
func (d *desk) see(listeners ...*monitor.Listener) { d.Update(d.Next(listeners...)) }

// rows are the ports of the table's rows in order, with their marks.
func (d *desk) rows() []string {
	var out []string
	for _, r := range d.ports.Table().Rows() {
		text, _, _ := strings.Cut(r.AccessibleText(), ", ")
		if mark := r.Mark().Text; mark != "" {
			port, _, _ := strings.Cut(strings.TrimPrefix(r.AccessibleText(), mark+", "), ", ")
			text = port + " " + mark
		}
		out = append(out, text)
	}
	return out
}

// selected is the port of the selected row; "" if there is none.
func (d *desk) selected() string {
	if r, ok := d.ports.Table().Selected(); ok {
		port, _, _ := strings.Cut(strings.TrimPrefix(r.AccessibleText(), r.Mark().Text+", "), ", ")
		return port
	}
	return ""
}

// focusables are what Tab comes to, in order.
func (d *desk) focusables() (all []fyne.Focusable) {
	c := d.window.Canvas()
	for c.FocusNext(); !slices.Contains(all, c.Focused()); c.FocusNext() {
		all = append(all, c.Focused())
	}
	return all
}

// row is where the row with that index is on the canvas.
func (d *desk) row(i int) fyne.Position {
	return fyne.NewPos(200, d.ports.Table().Top()+float32(i)*32+16)
}

// tell tells the window that s holds.
func (d *desk) tell(s settings.Settings) {
	d.SetStatus(Status{Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}, Settings: s})
}
