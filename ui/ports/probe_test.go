package ports

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/tooltip"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// probe shows the probe result of one listener, one second after the last.
func (d *desk) probe(l *monitor.Listener, st connection.State, live monitor.ProcessState) {
	d.At = d.At.Add(time.Second)
	processes := map[probe.ProcessID]monitor.ProcessState{}
	if o, ok := l.Principal(); ok {
		processes[probe.IDOf(o)] = live
	}
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{l.ID: len(st.Conns)}, States: map[string]connection.State{l.ID: st}, Processes: processes})
}

func clientsOf(l *widgets.ClientList) (lines []string) {
	for _, line := range l.Lines {
		lines = append(lines, strings.TrimSpace(strings.Join(line[:], " ")))
	}
	return lines
}

func TestConnectionCounts(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20)
	d.see(a, b)
	conns := func() (out []string) {
		for _, r := range d.ports.table.Rows() {
			out = append(out, r.port+": "+connsCell(r).Text)
		}
		return out
	}
	d.Want("before the first probe", conns(), []string{"3000: ", "62893: "})
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{a.ID: 0, b.ID: 3}})
	d.Want("after a probe", conns(), []string{"3000: 0", "62893: 3"})
	d.Want("marks", d.rows(), []string{"3000", "62893"}) // a connection does not change the listener
	if got := d.ports.cards.cards[0].model.detail; got != "vite · 3 connections" {
		t.Errorf("got card %q", got)
	}
	d.ShowProbe(probe.Result{At: d.At}) // without counts
	d.Want("after a probe without counts", conns(), []string{"3000: 0", "62893: 3"})
	d.ports.table.Sort("conns", true)
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{a.ID: 5, b.ID: 1}})
	d.Want("sorted by connections", conns(), []string{"3000: 5", "62893: 1"})
	d.see(a)
	d.Want("with a closed listener", conns(), []string{"3000: 5", "62893: "})
}

func TestClientsInDetailsPane(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	d.see(a, b)
	d.ports.table.Select(a.ID)
	st := connection.State{BytesKnown: true, Conns: []connection.Conn{uitest.Conn(1, 7, "curl", 0, 0)}}
	d.probe(a, st, monitor.ProcessState{})
	st.Conns = []connection.Conn{uitest.Conn(1, 7, "curl", 1000, 2000)}
	d.probe(a, st, monitor.ProcessState{})
	pane := d.ports.details
	d.Want("clients", clientsOf(pane.clients), []string{"curl 7 1 conn 3.0 kB/s"})
	if !pane.clientsArea.Visible() || pane.clientsTitle.Text != "Connections (1)" {
		t.Errorf("clients: shown %v, title %q", pane.clientsArea.Visible(), pane.clientsTitle.Text)
	}
	d.ports.table.Select(b.ID)
	if pane.clientsArea.Visible() {
		t.Error("the clients of another listener are shown")
	}
	d.probe(a, st, monitor.ProcessState{}) // a probe that started before
	if pane.clientsArea.Visible() {
		t.Error("a late probe shows the clients of another listener")
	}
}

func TestDetailsPaneShowsWarnings(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Parents = []monitor.Parent{{PID: 5, Name: "npm run dev", Command: []string{"npm run dev"}}, {PID: 4, Name: "zsh"}}
	d.see(a)
	d.ports.table.Select(a.ID)
	pane := d.ports.details
	if len(pane.warnings.Sentences) != 0 || pane.warnings.Object.Visible() {
		t.Errorf("got warnings %q, want none", pane.warnings.Sentences)
	}
	d.probe(a, connection.State{QueueKnown: true, QueueLength: 3, QueueLimit: 2}, monitor.ProcessState{EndedParents: map[int]bool{4: true}, ProgramDeleted: true, Preload: "/tmp/x.so\n"})
	want := []string{
		"Orphaned: started by npm run dev, whose terminal has closed. Stop it if it is no longer needed.",
		"The accept queue is full (3 of 2), so new connections fail. The limit is usually net.core.somaxconn. Raise it, or restart the process if this persists.",
		"The program file was deleted or replaced after the process started. Restart it to run the current version.",
		"LD_PRELOAD loads extra code into the process (/tmp/x.so). Check that you trust this library.",
	}
	d.Want("warnings", pane.warnings.Sentences, want)
	if pane.chain.Text != "zsh (exited) › npm run dev › node" || len(pane.warnings.Object.Objects) != len(want) {
		t.Errorf("got chain %q and %d warning bars", pane.chain.Text, len(pane.warnings.Object.Objects))
	}
	d.probe(a, connection.State{QueueKnown: true, QueueLimit: 2}, monitor.ProcessState{})
	if pane.warnings.Object.Visible() {
		t.Error("the warnings did not disappear")
	}
}

// The details pane is narrow; the pointer shows a client's whole name. Without a pointer nothing is
// done for tooltips.
func TestTooltipOfCutClient(t *testing.T) {
	d := newDesk(t)
	calls := 0
	after := tooltip.After
	tooltip.After = func(wait time.Duration, do func()) func() { calls++; return after(wait, do) }
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.ports.table.Select(l.ID)
	const name = "a-client-with-a-name-that-does-not-fit"
	st := connection.State{BytesKnown: true, Conns: []connection.Conn{uitest.Conn(1, 7, name, 0, 0), uitest.Conn(2, 9, "curl", 0, 0)}}
	d.probe(l, st, monitor.ProcessState{})
	for range 3 {
		d.At = d.At.Add(time.Second)
		d.Tick()
		d.probe(l, st, monitor.ProcessState{})
	}
	if calls > 0 {
		t.Errorf("a window without a pointer waited for %d tooltips, want none", calls)
	}
	list := d.ports.details.clients.Object
	widgets.Reveal(d.ports.details.scroll, list)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(list)
	if got := uitest.ShowTooltip(d.Window, at.AddXY(10, 5)); got != name+" 7" {
		t.Errorf("got tooltip %q, want the whole name", got)
	}
	if got := uitest.ShowTooltip(d.Window, at.AddXY(10, 25)); got != "" {
		t.Errorf("a name that fits: got tooltip %q, want none", got)
	}
}

// Details that are kept from the last probe must be those that would be computed now.
func TestKeptDetailsAreThoseOfNow(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].StartedAt = d.At.Add(-90 * time.Second)
	suspended := monitor.ProcessState{Suspended: true, EndedParents: map[int]bool{1: true}}
	var kept lastDetails
	for name, c := range map[string]struct {
		live  monitor.ProcessState
		after time.Duration
	}{
		"at first":            {},
		"a second later":      {after: time.Second},
		"a minute later":      {after: time.Minute},
		"the next day":        {after: 24 * time.Hour},
		"suspended":           {live: suspended},
		"with other CPU time": {live: monitor.ProcessState{Resources: monitor.Resources{CPU: time.Hour}}},
	} {
		now := d.At.Add(c.after)
		want := newDetails(l, false, c.live, now)
		got := kept.of(l, false, c.live, now)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		got.facts[0][1] = "changed by the caller"
	}
	other := *l
	other.Port = 4000
	if got, want := kept.of(&other, true, monitor.ProcessState{}, d.At), newDetails(&other, true, monitor.ProcessState{}, d.At); !reflect.DeepEqual(got, want) {
		t.Errorf("another listener: got %+v, want %+v", got, want)
	}
}

// A probe without news leaves the details as they are, but the first one of a selection shows its
// clients, and rates fall when traffic ends.
func TestProbeWithoutNews(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "node", 11)
	for _, l := range []*monitor.Listener{a, b} {
		l.Owners[0].StartedAt = d.At.Add(-30 * time.Minute)
	}
	d.see(a, b)
	details := d.ports.details
	select3000 := func() { d.ports.table.Select(a.ID); d.probe(a, connection.State{}, monitor.ProcessState{}) }
	select3000()
	if details.clientsTitle.Hidden {
		t.Fatal("the first probe of a selection did not show the clients")
	}
	started := details.model.facts
	d.At = d.At.Add(10 * time.Minute)
	d.probe(a, connection.State{}, monitor.ProcessState{})
	if !reflect.DeepEqual(details.model.facts, started) {
		t.Error("a probe without news changed the ages in the details before those in the table")
	}
	d.Tick()
	if reflect.DeepEqual(details.model.facts, started) {
		t.Error("a tick did not change the ages in the details")
	}
	d.probe(a, connection.State{}, monitor.ProcessState{Suspended: true})
	if !strings.Contains(fmt.Sprint(details.model), "uspended") {
		t.Errorf("got %+v, want that the process is suspended", details.model)
	}
	d.probe(a, connection.State{}, monitor.ProcessState{})
	d.ports.table.Select(b.ID)
	select3000()
	if details.clientsTitle.Hidden {
		t.Error("selected again: the clients are missing")
	}
	open := connection.State{BytesKnown: true, Conns: []connection.Conn{{Received: 1000}}}
	d.probe(a, open, monitor.ProcessState{})
	open.Conns[0].Received = 101_000
	d.probe(a, connection.State{BytesKnown: true, Conns: slices.Clone(open.Conns)}, monitor.ProcessState{})
	busy := clientsOf(details.clients)
	d.probe(a, connection.State{BytesKnown: true, Conns: slices.Clone(open.Conns)}, monitor.ProcessState{})
	if idle := clientsOf(details.clients); slices.Equal(idle, busy) {
		t.Errorf("got %q after the traffic ended, want no rate as in %q", idle, busy)
	}
}

// The window shows a probe every two seconds. Most of them bring nothing new.
func BenchmarkProbeOfSelectedWithoutNews(b *testing.B) {
	d := busyDeskOf(b, 200, allRows)
	l := d.ports.snapshot.Listeners[0]
	l.Owners[0].Command = []string{"/usr/local/bin/node", "--inspect=127.0.0.1:9229", "/home/ann/shop-api/node_modules/.bin/vite", "--host", "127.0.0.1", "--port", "5173"}
	l.Owners[0].Parents = []monitor.Parent{{PID: 4, Name: "sh", Command: []string{"sh", "-c", "vite --host 127.0.0.1 --port 5173"}}, {PID: 3, Name: "npm", Command: []string{"npm run dev -- --port 5173"}}, {PID: 2, Name: "bash", Command: []string{"-bash"}}}
	d.ports.table.Select(l.ID)
	b.ReportAllocs()
	for b.Loop() {
		d.probe(l, connection.State{}, monitor.ProcessState{})
	}
}
