package ui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/process"
	"porthole/ui/uitest"
)

// BenchmarkProcessWindow measures building and painting a process window on Fyne's software driver,
// from the double click on, on a machine with 500 processes.
func BenchmarkProcessWindow(b *testing.B) {
	d := busyDesk(b)
	l := *d.Last.Listeners[7]
	for i := range 5 { // a chain of parents like npm's
		l.Owners[0].Parents = append(l.Owners[0].Parents, monitor.Parent{PID: 900 - i, Name: fmt.Sprint("npm run ", i), Command: []string{"npm", "run", "dev"}})
	}
	st := connection.State{BytesKnown: true, QueueKnown: true, QueueLimit: 511}
	for i := range 10 {
		st.Conns = append(st.Conns, uitest.Conn(monitor.SocketID(i+1), 100+i, "curl", 0, 0))
	}
	live := monitor.ProcessState{Resources: monitor.Resources{Threads: 12, Memory: 48 << 20}}
	key := probe.IDOf(l.Owners[0])
	probe := func(i int) {
		d.At = d.At.Add(2 * time.Second)
		for j := range st.Conns { // traffic differs between probes
			st.Conns[j].Received += uint64(1000 * (i%7 + j))
		}
		live.Resources.Memory += uint64(i%3) << 20
		live.Resources.CPU += time.Duration(i%5) * 10 * time.Millisecond
		d.ShowProbe(probe.Result{At: d.At, States: map[string]connection.State{l.ID: st}, Processes: map[probe.ProcessID]monitor.ProcessState{key: live}})
	}
	p95 := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)*95/100]) / float64(time.Millisecond)
	}
	b.Run("opened and painted", func(b *testing.B) {
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			begun := time.Now()
			d.OpenProcess(&l)
			p := d.processes[process.Key(&l)]
			probe(i)
			p.Fyne().Canvas().Capture()
			took = append(took, time.Since(begun))
			b.StopTimer()
			p.Fyne().Close()
			b.StartTimer()
		}
		b.ReportMetric(p95(took), "ms-p95")
	})
	// A probe runs every two seconds: 20 ms would be 1 % of a core.
	b.Run("refreshed by a probe", func(b *testing.B) {
		d.OpenProcess(&l)
		p := d.processes[process.Key(&l)]
		defer p.Fyne().Close()
		p.Fyne().Resize(fyne.NewSize(760, 704))
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			begun := time.Now()
			probe(i)
			took = append(took, time.Since(begun))
		}
		b.ReportMetric(p95(took), "ms-p95")
	})
}
