package ui

import (
	"image/color"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
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
	d.processes[processKey(a)].window.Close()
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

func TestTheProcessWindowSaysWhoIsConnected(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	if p.clientsBox.Visible() || p.queueBox.Visible() {
		t.Error("it lists clients, or has a line for its queue, before a look")
	}
	st := connection.State{BytesKnown: true, QueueKnown: true, QueueLength: 1, QueueLimit: 511, Conns: []connection.Conn{
		uitest.Conn(1, 7, "curl\n\u202e", 0, 0), uitest.Conn(2, 7, "curl\n\u202e", 0, 0), uitest.Conn(3, 0, "10.0.0.9", 0, 0),
		{ID: 4, User: "bob", Remote: netip.MustParseAddrPort("127.0.0.1:1")}}}
	d.look(a, st, monitor.ProcessState{})
	for i := range st.Conns {
		st.Conns[i].Received, st.Conns[i].Sent = 500, 41_200
	}
	d.look(a, st, monitor.ProcessState{})
	d.Want("clients", clientsOf(p.clients), []string{
		"curl 7 2 conns ↓1.0 kB/s ↑82 kB/s", "bob's process (hidden) 1 conn ↓500 B/s ↑41 kB/s", "10.0.0.9 1 conn ↓500 B/s ↑41 kB/s"})
	if p.clientsTitle.Text != "Connected now (4)" || !p.queueBox.Visible() || p.queue.Segment.Text != "queue 1 of 511 · registered (1024–49151)" || len(p.spark.values) != 1 {
		t.Errorf("title %q, queue %q, line of %v", p.clientsTitle.Text, p.queue.Segment.Text, p.spark.values)
	}
	d.look(a, connection.State{}, monitor.ProcessState{}) // as where no bytes are known
	d.Want("nobody", clientsOf(p.clients), []string{"Nobody"})
	if p.spark.raster.Visible() || p.queueBox.Visible() {
		t.Error("a line is drawn, or said of its queue, of what is not known")
	}
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{}}) // where connections cannot be read
	d.Want("the last that was seen", clientsOf(p.clients), []string{"Nobody"})
}

func TestManyClientsAreCounted(t *testing.T) {
	var all []connection.Conn
	for i := range words.MaxClients + 3 {
		all = append(all, uitest.Conn(monitor.SocketID(i+1), 100+i, "ab", 0, 0))
	}
	l := widgets.NewClientList(true)
	l.Show(words.ClientLines(all, &connection.Meter{}, false, true))
	lines := clientsOf(l)
	if len(lines) != words.MaxClients+1 || lines[words.MaxClients] != "+ 3 more" || lines[0] != "ab 100 1 conn" {
		t.Errorf("%q", lines)
	}
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

func TestWhatIsOddIsSaid(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Parents = []monitor.Parent{{PID: 5, Name: "npm run dev", Command: []string{"npm run dev"}}, {PID: 4, Name: "zsh"}}
	d.see(a)
	d.ports.table.Select(a.ID)
	d.OpenProcess(a)
	p, side := d.processes[processKey(a)], d.ports.details
	if len(p.warnings.Sentences)+len(side.warnings.Sentences) != 0 || p.warnings.Object.Visible() || side.warnings.Object.Visible() {
		t.Errorf("nothing is odd, and it says %q, %q", p.warnings.Sentences, side.warnings.Sentences)
	}
	if want := "Started by npm run dev in zsh\nzsh (4, shell) › npm run dev (5, script) › node (10)"; p.why.Text != want {
		t.Errorf("why: %q; want %q", p.why.Text, want)
	}
	d.look(a, connection.State{QueueKnown: true, QueueLength: 3, QueueLimit: 2}, monitor.ProcessState{EndedParents: map[int]bool{4: true}, ProgramDeleted: true, Preload: "/tmp/x.so\n"})
	want := []string{
		"Started by npm run dev, whose terminal has closed: it was left behind. Stop it if it is not needed any more.",
		"Its accept queue is full (3 of 2), so nobody gets in. Start it again if that lasts.",
		"Its program file was deleted or replaced since it started. Start it again to run what is there now.",
		"LD_PRELOAD puts other code into it (/tmp/x.so). Make sure that you know that library.",
	}
	d.Want("process window", p.warnings.Sentences, want)
	d.Want("side pane", side.warnings.Sentences, want)
	if want := "zsh (4, shell, ended) › npm run dev (5, script) › node (10)"; p.why.Text != want {
		t.Errorf("why: %q; want %q", p.why.Text, want)
	}
	if side.chain.Text != "zsh (ended) › npm run dev › node" || len(p.warnings.Object.Objects) != len(want) {
		t.Errorf("side %q, %d bars", side.chain.Text, len(p.warnings.Object.Objects))
	}
	d.look(a, connection.State{QueueKnown: true, QueueLimit: 2}, monitor.ProcessState{})
	if p.warnings.Object.Visible() || side.warnings.Object.Visible() {
		t.Error("what is not odd any more is still said")
	}
}

// The newest value is at the right edge, the highest at the top.
// Nothing that goes is no reason to paint a window each second.
func TestALineOfNothingIsNotPaintedAnew(t *testing.T) {
	for _, c := range []struct {
		before, values []float64
		want           bool
	}{
		{nil, []float64{0}, true}, {[]float64{0}, []float64{0, 0}, true}, {[]float64{0, 0}, []float64{0, 0, 0}, false},
		{[]float64{0, 0}, []float64{0, 0, 1}, true}, {[]float64{0, 1}, []float64{1, 0}, true}, {[]float64{1, 0}, []float64{0, 0}, true},
		{[]float64{0, 1}, []float64{0, 1}, false}, {[]float64{0, 0}, nil, true},
	} {
		if got := differ(c.before, c.values); got != c.want {
			t.Errorf("%v after %v: painted %t; want %t", c.values, c.before, got, c.want)
		}
	}
}

func TestTheLineOfTheLastMinute(t *testing.T) {
	newDesk(t) // for the theme
	s := newSpark()
	inked := func(img interface {
		At(x, y int) color.Color
	}, x0, x1, y0, y1 int) bool {
		for x := x0; x < x1; x++ {
			for y := y0; y < y1; y++ {
				if _, _, _, a := img.At(x, y).RGBA(); a > 0 {
					return true
				}
			}
		}
		return false
	}
	if inked(s.draw(100, 30), 0, 100, 0, 30) {
		t.Error("it draws nothing at all")
	}
	s.values = append(make([]float64, connection.HistoryLength/2-1), 1e6)
	img := s.draw(100, 30)
	if inked(img, 0, 45, 0, 30) || !inked(img, 55, 90, 26, 30) || inked(img, 55, 90, 0, 20) || !inked(img, 97, 100, 0, 4) {
		t.Error("half a minute of nothing and then much is not drawn as that")
	}
	for _, size := range [][2]int{{0, 0}, {1, 1}, {2, 4}, {3000, 2}, {5, 3000}} {
		s.draw(size[0], size[1])
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

func TestTheBoxesOfANarrowProcessWindowStandBelowEachOther(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	d.look(a, connection.State{Conns: []connection.Conn{uitest.Conn(1, 7, "curl", 0, 0)}}, monitor.ProcessState{})
	if at := p.clientsBox.Position(); at.X < 200 || at.Y != 0 {
		t.Errorf("in a wide window the clients stand at %v; want them at the right", at)
	}
	p.window.Resize(fyne.NewSize(460, 640))
	if at := p.clientsBox.Position(); at.X != 0 || at.Y < 40 {
		t.Errorf("in a narrow window the clients stand at %v; want them below", at)
	}
}
