package process

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// desk holds process windows and records their requests.
type desk struct {
	uitest.Desk
	processes map[string]*Window // by Key
	history   History
	context   Context
	maxSize   fyne.Size // of the screen; zero for no limit
}

func newDesk(t testing.TB) *desk { return newDeskWithHistory(t, nil) }

// newDeskWithHistory returns a desk whose windows use a history.
func newDeskWithHistory(t testing.TB, memory History) *desk {
	t.Helper()
	return &desk{Desk: uitest.NewDesk(t, uitheme.Theme{}), processes: map[string]*Window{}, history: memory}
}

// OpenProcess opens the window of l's owner.
func (d *desk) OpenProcess(l *monitor.Listener) {
	p := New(d.App, l, d.Last, d, d.history, func() Context { return d.context }, d.Now)
	size := DefaultSize
	if !d.maxSize.IsZero() {
		size = size.Min(d.maxSize)
	}
	p.window.Resize(size)
	d.processes[Key(l)] = p
	p.window.SetOnClosed(func() {
		delete(d.processes, Key(l))
		p.Closed()
	})
	p.window.Show()
}

// showSnapshot shows the next snapshot in all windows.
func (d *desk) showSnapshot(listeners ...*monitor.Listener) {
	u := d.Next(listeners...)
	for _, p := range d.processes {
		p.Update(u)
	}
}

// ShowProbe shows the result of a probe in all windows.
func (d *desk) ShowProbe(r probe.Result) {
	for _, p := range d.processes {
		p.ShowProbe(r)
	}
}

// ProbeRequest returns the probe request of all windows.
func (d *desk) ProbeRequest() (r probe.Request) {
	for _, p := range d.processes {
		p.AddTo(&r)
	}
	return r
}

// answerProbe shows the result of a probe of one listener, one second after the last.
func (d *desk) answerProbe(l *monitor.Listener, st connection.State, live monitor.ProcessState) {
	d.At = d.At.Add(time.Second)
	processes := map[probe.ProcessID]monitor.ProcessState{}
	if o, ok := l.Principal(); ok {
		processes[probe.IDOf(o)] = live
	}
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{l.ID: len(st.Conns)}, States: map[string]connection.State{l.ID: st}, Processes: processes})
}

// each calls do for each window.
func (d *desk) each(do func(*Window)) {
	for _, p := range d.processes {
		do(p)
	}
}

// clientLines returns the lines of a client list.
func clientLines(l *widgets.ClientList) (lines []string) {
	for _, line := range l.Lines {
		lines = append(lines, strings.TrimSpace(strings.Join(line[:], " ")))
	}
	return lines
}
