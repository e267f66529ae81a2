package ui

import (
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/process"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// look shows what a look told of one listener, one second after the last.
func (d *desk) look(l *monitor.Listener, st connection.State, live monitor.ProcessState) {
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

func ids(listeners []*monitor.Listener) (out []string) {
	for _, l := range listeners {
		out = append(out, l.ID)
	}
	return out
}

func TestOnlyWhatIsOpenIsLookedAt(t *testing.T) {
	d := newDesk(t)
	nudges := 0
	d.OnProbeRequest = func() { nudges++ }
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	d.see(a, b)
	d.ports.table.Select("") // the first one was
	d.ports.showDetails()
	nudges = 0
	w := d.ProbeRequest()
	if len(w.Count) != 2 || len(w.Connections) != 0 || len(w.Processes) != 0 {
		t.Errorf("with nothing selected it wants %+v", w)
	}
	d.ports.table.Select(a.ID)
	w = d.ProbeRequest()
	d.Want("read", ids(w.Connections), []string{a.ID})
	if nudges != 1 || len(w.Processes) != 1 || w.Processes[0].PID != 10 {
		t.Errorf("of the selection it wants %+v, after %d calls; want process 10 and 1", w.Processes, nudges)
	}
	d.OpenProcess(a)
	d.OpenProcess(b)
	d.tabs.Open("activity")
	w = d.ProbeRequest()
	if len(w.Count) != 0 || len(w.Connections) != 2 || len(w.Processes) != 2 || nudges != 3 {
		t.Errorf("on another page with two process windows it wants %+v after %d calls", w, nudges)
	}
	d.processes[process.Key(a)].Fyne().Close()
	d.Want("read after one has closed", ids(d.ProbeRequest().Connections), []string{b.ID})
	d.Disconnect()
	if w = d.ProbeRequest(); len(w.Count)+len(w.Connections)+len(w.Processes) != 0 {
		t.Errorf("when nobody watches it wants %+v", w)
	}
}

func TestConnectionsAreCountedInRowsAndCards(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20)
	d.see(a, b)
	conns := func() (out []string) {
		for _, r := range d.ports.table.Rows() {
			out = append(out, r.port+": "+connsCell(r).Text)
		}
		return out
	}
	d.Want("before a look", conns(), []string{"3000: ", "62893: "})
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{a.ID: 0, b.ID: 3}})
	d.Want("after it", conns(), []string{"3000: 0", "62893: 3"})
	d.Want("marks", d.rows(), []string{"3000", "62893"}) // a count is no change of the listener
	if got := d.ports.cards.cards[0].model.detail; got != "vite · 3 connections" {
		t.Errorf("the card says %q", got)
	}
	d.ShowProbe(probe.Result{At: d.At}) // not counted this time
	d.Want("between two looks", conns(), []string{"3000: 0", "62893: 3"})
	d.ports.table.Sort("conns", true)
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{a.ID: 5, b.ID: 1}})
	d.Want("sorted by them", conns(), []string{"3000: 5", "62893: 1"})
	d.see(a)
	d.Want("of one that closed", conns(), []string{"3000: 5", "62893: "})
}

func TestTheSidePaneSaysWhoIsConnected(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	d.see(a, b)
	d.ports.table.Select(a.ID)
	st := connection.State{BytesKnown: true, Conns: []connection.Conn{uitest.Conn(1, 7, "curl", 0, 0)}}
	d.look(a, st, monitor.ProcessState{})
	st.Conns = []connection.Conn{uitest.Conn(1, 7, "curl", 1000, 2000)}
	d.look(a, st, monitor.ProcessState{})
	side := d.ports.details
	d.Want("clients", clientsOf(side.clients), []string{"curl 7 1 conn 3.0 kB/s"})
	if !side.clients.Object.Visible() || side.clientsTitle.Text != "Connected now (1)" {
		t.Errorf("shown %v, title %q", side.clients.Object.Visible(), side.clientsTitle.Text)
	}
	d.ports.table.Select(b.ID)
	if side.clients.Object.Visible() {
		t.Error("the clients of another listener are shown")
	}
	d.look(a, st, monitor.ProcessState{}) // a look that was under way
	if side.clients.Object.Visible() {
		t.Error("a late look shows the clients of another listener")
	}
}

func TestTheDetailsPaneShowsWarnings(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Parents = []monitor.Parent{{PID: 5, Name: "npm run dev", Command: []string{"npm run dev"}}, {PID: 4, Name: "zsh"}}
	d.see(a)
	d.ports.table.Select(a.ID)
	side := d.ports.details
	if len(side.warnings.Sentences) != 0 || side.warnings.Object.Visible() {
		t.Errorf("nothing is odd, and it says %q", side.warnings.Sentences)
	}
	d.look(a, connection.State{QueueKnown: true, QueueLength: 3, QueueLimit: 2}, monitor.ProcessState{EndedParents: map[int]bool{4: true}, ProgramDeleted: true, Preload: "/tmp/x.so\n"})
	want := []string{
		"Started by npm run dev, whose terminal has closed: it was left behind. Stop it if it is not needed any more.",
		"Its accept queue is full (3 of 2), so nobody gets in. Start it again if that lasts.",
		"Its program file was deleted or replaced since it started. Start it again to run what is there now.",
		"LD_PRELOAD puts other code into it (/tmp/x.so). Make sure that you know that library.",
	}
	d.Want("side pane", side.warnings.Sentences, want)
	if side.chain.Text != "zsh (ended) › npm run dev › node" || len(side.warnings.Object.Objects) != len(want) {
		t.Errorf("side %q, %d bars", side.chain.Text, len(side.warnings.Object.Objects))
	}
	d.look(a, connection.State{QueueKnown: true, QueueLimit: 2}, monitor.ProcessState{})
	if side.warnings.Object.Visible() {
		t.Error("what is not odd any more is still said")
	}
}

// What a look costs the window: 200 rows, a process window with 40 clients whose
// rates change each time, and the side pane.
func BenchmarkSetLive(b *testing.B) {
	d := deskWith(b, nil)
	var all []*monitor.Listener
	counts := map[string]int{}
	for i := range 200 {
		l := uitest.Listening(uint16(3000+i), "node", 10+i)
		all, counts[l.ID] = append(all, l), i%3
	}
	d.see(all...)
	d.ports.table.Select(all[0].ID)
	d.OpenProcess(all[0])
	var peersOf []connection.Conn
	for i := range 200 {
		peersOf = append(peersOf, uitest.Conn(monitor.SocketID(i+1), 1000+i%40, "curl", 0, 0))
	}
	b.ReportAllocs()
	for b.Loop() {
		d.At = d.At.Add(time.Second)
		for i := range peersOf {
			peersOf[i].Sent += uint64(1000 + d.At.Second()*100)
		}
		d.ShowProbe(probe.Result{At: d.At, Counts: counts, States: map[string]connection.State{all[0].ID: {Conns: peersOf, BytesKnown: true}}})
	}
}
