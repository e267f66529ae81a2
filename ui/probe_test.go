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

func TestProbeRequestCoversOnlyOpenWindows(t *testing.T) {
	d := newDesk(t)
	calls := 0
	d.OnProbeRequest = func() { calls++ }
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	d.see(a, b)
	d.ports.Table().Select("") // deselect the first row
	d.Tick()
	calls = 0
	if got := d.ProbeRequest().Processes; len(got) != 2 {
		t.Errorf("nothing probed yet: got processes %+v, want both, for the warnings in the table", got)
	}
	d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{probe.IDOf(a.Owners[0]): {}, probe.IDOf(b.Owners[0]): {}}})
	w := d.ProbeRequest()
	if len(w.Count) != 2 || len(w.Connections) != 0 || len(w.Processes) != 0 {
		t.Errorf("nothing selected: got request %+v", w)
	}
	d.ports.Table().Select(a.ID)
	w = d.ProbeRequest()
	d.Want("connections", ids(w.Connections), []string{a.ID})
	if calls != 1 || len(w.Processes) != 1 || w.Processes[0].PID != 10 || w.Rates {
		t.Errorf("selected row: got processes %+v after %d calls, want process 10 after 1", w.Processes, calls)
	}
	d.OpenProcess(a)
	d.OpenProcess(b)
	if !d.ProbeRequest().Rates {
		t.Error("a process window is open: got no rates requested")
	}
	d.tabs.Open("history")
	w = d.ProbeRequest()
	if len(w.Count) != 0 || len(w.Connections) != 2 || len(w.Processes) != 2 || calls != 3 {
		t.Errorf("two process windows on another page: got request %+v after %d calls", w, calls)
	}
	d.processes[process.Key(a)].Fyne().Close()
	d.Want("connections after one window has closed", ids(d.ProbeRequest().Connections), []string{b.ID})
	d.Disconnect()
	if w = d.ProbeRequest(); len(w.Count)+len(w.Connections)+len(w.Processes) != 0 {
		t.Errorf("disconnected: got request %+v, want an empty one", w)
	}
}

// BenchmarkShowProbe measures the cost of a probe result for the window: 200 rows, a process window
// with 40 clients whose rates change each time, and the details pane.
func BenchmarkShowProbe(b *testing.B) {
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
	var conns []connection.Conn
	for i := range 200 {
		conns = append(conns, uitest.Conn(monitor.SocketID(i+1), 1000+i%40, "curl", 0, 0))
	}
	b.ReportAllocs()
	for b.Loop() {
		d.At = d.At.Add(time.Second)
		for i := range conns {
			conns[i].Sent += uint64(1000 + d.At.Second()*100)
		}
		d.ShowProbe(probe.Result{At: d.At, Counts: counts, States: map[string]connection.State{all[0].ID: {Conns: conns, BytesKnown: true}}})
	}
}
