//go:build bench && linux

package bench

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// result is everything measured at one load.
type result struct {
	load
	contestants map[string]*contestant
}

// growth is the cost of a poll without changes while something grows that it should
// not depend on: before, with it, and after it has gone.
type growth struct {
	name                string
	before, with, after time.Duration
}

// percent returns the growth of the poll, relative to the mean of before and after.
func (g growth) percent() float64 {
	return 200*float64(g.with)/float64(g.before+g.after) - 100
}

// measurements are the results of a run.
type measurements struct {
	begun, ended time.Time
	results      []result
	growths      []growth
	change       result // of finding the owner of a new port
	delays       delays
	shares       []share
	others       float64 // share of the machine that other programs used meanwhile
}

var loads = []load{
	{10, 5, 0},
	{100, 20, 2000},
	{1000, 50, 20_000},
	{10_000, 100, 20_000},
}

// usual is the load of all measurements that are made at one load.
var usual = loads[1]

// TestBench is "make bench": it measures, and writes build/bench.md and
// build/bench.svg. They list missed targets, which do not fail the test.
func TestBench(t *testing.T) {
	folder := os.Getenv("PORTHOLE_BENCH_OUT")
	if folder == "" {
		t.Skip(`run it with "make bench", which gives it a network of its own`)
	}
	m := measurements{begun: time.Now()}
	busyBefore, mineBefore := busy(), spent()
	w := &crew{T: t}
	progress := func(what any) { t.Logf("%4.0f s  %v", time.Since(m.begun).Seconds(), what) }

	progress("growth with connections and processes")
	w.set(load{usual.listeners, usual.owners, 0})
	m.growths = append(m.growths,
		w.grow("connections 0 → 20,000", func() { w.connect(20_000) }, func() { w.connect(0) }),
		w.grow("other processes 0 → 600", func() { w.crowd(600) }, func() { w.crowd(0) }))

	w.crowd(otherProcesses)
	for _, l := range loads {
		progress(l)
		w.set(l)
		m.results = append(m.results, w.measure(l))
		if l == usual {
			progress("owner of a new port")
			m.change = w.measureChange(l)
		}
	}
	// At the end, because closed connections leave TIME_WAITs for a minute.
	progress("idle monitor")
	w.set(loads[0])
	m.shares = append(m.shares, measureIdle(t, whileIdle))
	progress("delays")
	w.set(usual)
	m.delays = measureDelays(t, w.owners[0])
	progress("running monitor")
	m.shares = append(m.shares, measureIdle(t, whileIdleMany))
	m.shares = append(m.shares, measureShares(t, w.owners[0])...)
	w.end()
	m.ended = time.Now()
	m.others = float64(busy()-busyBefore-spent()+mineBefore) / float64(m.ended.Sub(m.begun)) / float64(runtime.NumCPU())
	progress("done")
	if err := m.write(folder); err != nil {
		t.Fatal(err)
	}
}

func (w *crew) measure(l load) result {
	w.Helper()
	all, done := rivals(w.T)
	defer done()
	compete(w.T, all, l.listeners)
	return named(l, all)
}

func (w *crew) measureChange(l load) result {
	w.Helper()
	all, done := change(w.T, w.owners[0])
	defer done()
	compete(w.T, all, l.listeners)
	return named(l, all)
}

func named(l load, all []*contestant) result {
	r := result{l, make(map[string]*contestant)}
	for _, c := range all {
		r.contestants[c.name] = c
	}
	return r
}

func (w *crew) grow(name string, more, less func()) growth {
	w.Helper()
	poll, done := pollOf(w.T)
	defer done()
	cost := func() time.Duration {
		time.Sleep(time.Second) // let starting and ending processes settle
		poll.costs = nil
		for range 3 { // there is no other contestant that meets the same noise
			compete(w.T, []*contestant{poll}, usual.listeners)
		}
		return poll.cpu()
	}
	g := growth{name: name, before: cost()}
	more()
	g.with = cost()
	less()
	g.after = cost()
	return g
}
