package ports

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
	"porthole/ui/probe"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// desk is the page in a window, with a record of its requests.
type desk struct {
	uitest.Desk
	ports  *Page
	probes int // requests for a probe
}

func newDesk(t testing.TB) *desk { return deskWith(t, nil) }

// deskWith is newDesk with a history.
func deskWith(t testing.TB, history History) *desk {
	t.Helper()
	d := silentDesk(t, history)
	d.SetStatus(Status{Notifications: true, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	return d
}

// silentDesk is deskWith before the agent has sent anything.
func silentDesk(t testing.TB, history History) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.ports = New(d, history, d.Now, Callbacks{
		Traffic:      func(l *monitor.Listener) { d.Ask("traffic of %d", l.Port) },
		Open:         func(l *monitor.Listener) { d.Ask("open %s", l.ID) },
		Stop:         func(l *monitor.Listener) { d.Ask("stop %s", l.ID) },
		StopAll:      func(all []*monitor.Listener) { d.Ask("stop all %v", ids(all)) },
		Watches:      func() { d.Ask("show watches") },
		ProbeChanged: func() { d.probes++ },
		Key:          d.Key,
	})
	d.Host(d.ports.Content, fyne.NewSize(1000, 600), d.ports.Focus)
	key := func(do func(), chords ...widgets.Chord) widgets.Binding { return widgets.Binding{Do: do, Keys: chords} }
	widgets.Bind(d.Window.Canvas(), widgets.KeyGroup{Bindings: []widgets.Binding{ // like the main window
		key(func() { d.ports.FilterField().SetText("") }, widgets.Chord{Key: fyne.KeyEscape}),
		key(d.ports.Explain, ExplainKeys), key(d.ports.ToggleGroup, GroupKeys), key(d.ports.StopSelected, StopKeys),
		key(d.ports.Undo, widgets.UndoKeys), key(d.ports.EditLabel, LabelKeys), key(d.ports.CopyRow, widgets.CopyKeys),
	}})
	d.Window.Canvas().SetOnTypedRune(d.ports.FilterField().Append)
	return d
}

// ids returns the IDs of listeners.
func ids(all []*monitor.Listener) (texts []string) {
	for _, l := range all {
		texts = append(texts, l.ID)
	}
	return texts
}

// Methods of Page that the window calls.
func (d *desk) Update(u monitor.Update)      { d.ports.Update(u) }
func (d *desk) SetStatus(s Status)           { d.ports.SetStatus(s) }
func (d *desk) ShowProbe(r probe.Result)     { d.ports.ShowProbe(r) }
func (d *desk) ShowNotice(text string)       { d.ports.ShowNotice(text) }
func (d *desk) ShowPort(port uint16)         { d.ports.ShowPort(port) }
func (d *desk) Disconnect()                  { d.ports.Disconnect() }
func (d *desk) Tick()                        { d.ports.Tick() }
func (d *desk) see(all ...*monitor.Listener) { d.Update(d.Next(all...)) }

// rows returns the rows of the table in order, with their marks.
func (d *desk) rows() []string {
	var out []string
	for _, r := range d.ports.table.Rows() {
		out = append(out, r.port+[...]string{unmarked: "", opened: " new", changed: " changed", closed: " closed"}[r.mark])
	}
	return out
}

// row returns the position of row i on the canvas.
func (d *desk) row(i int) fyne.Position {
	return fyne.NewPos(200, d.ports.table.Top()+float32(i)*32+16)
}

// cards returns the texts of the cards.
func (d *desk) cards() []string {
	var out []string
	for _, c := range d.ports.cards.cards {
		out = append(out, c.model.title+" "+c.model.state+": "+c.model.detail)
	}
	return out
}

// freeProbe is the result of a probe that finds no use of ports.
func freeProbe(ports ...uint16) probe.Result {
	r := probe.Result{Vacant: map[uint16]inuse.Answer{}}
	for _, port := range ports {
		r.Vacant[port] = inuse.Answer{Port: port}
	}
	return r
}
