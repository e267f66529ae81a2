package ui

import (
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/process"
	"porthole/ui/uitest"
)

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
	d.ports.Table().Select("") // the first one was
	d.Tick()
	nudges = 0
	w := d.ProbeRequest()
	if len(w.Count) != 2 || len(w.Connections) != 0 || len(w.Processes) != 0 {
		t.Errorf("with nothing selected it wants %+v", w)
	}
	d.ports.Table().Select(a.ID)
	w = d.ProbeRequest()
	d.Want("read", ids(w.Connections), []string{a.ID})
	if nudges != 1 || len(w.Processes) != 1 || w.Processes[0].PID != 10 {
		t.Errorf("of the selection it wants %+v, after %d calls; want process 10 and 1", w.Processes, nudges)
	}
	d.OpenProcess(a)
	d.OpenProcess(b)
	d.tabs.Open("history")
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
	d.ports.Table().Select(all[0].ID)
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
