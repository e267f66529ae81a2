package store

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// churn records events: servers on 2,000 ports that open and close, 200 of them
// open at a time, with 500 different command lines. It waits before the queue is
// long enough to be coalesced.
func churn(s *Store, count int) {
	p := &timeline{now: time.Now().Add(-24 * time.Hour)}
	var open []*monitor.Listener
	for n := 0; n < count; {
		for range batchSize {
			if len(open) < 200 || n%2 == 0 {
				l := listener(uint16(3000+n%2000), n)
				l.Owners[0].Command = []string{"node", fmt.Sprintf("server-%d.js", n%500)}
				open = append(open, p.open(l))
			} else {
				p.end(monitor.Closed, open[0])
				open = open[1:]
			}
			n++
		}
		s.Record(p.next())
		s.mu.Lock()
		waiting := len(s.events)
		s.mu.Unlock()
		if waiting > maxPending/2 {
			s.Flush()
		}
	}
	s.Flush()
}

// BenchmarkRecord writes events. PORTHOLE_EVENTS sets how many per run: 20,000
// by default, 1000000 for the published figure.
func BenchmarkRecord(b *testing.B) {
	count := 20_000
	if n, err := strconv.Atoi(os.Getenv("PORTHOLE_EVENTS")); err == nil {
		count = n
	}
	for b.Loop() {
		path := testPath(b)
		s, _ := open(b, path, Options{})
		start := time.Now()
		churn(s, count)
		b.ReportMetric(float64(count)/time.Since(start).Seconds(), "events/s")
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/1e6, "MB")
		}
		s.Close()
	}
}

// BenchmarkQueries runs the window's queries on a file of 100,000 events.
func BenchmarkQueries(b *testing.B) {
	path := testPath(b)
	s, _ := open(b, path, Options{})
	churn(s, DefaultMaxEvents)
	r := OpenReader(path)
	half := events(b, path, history.Query{Limit: DefaultMaxEvents / 2})
	middle := half[len(half)-1].Position()
	for _, q := range []struct {
		name string
		history.Query
	}{
		{"first page", history.Query{}},
		{"page in the middle", history.Query{Before: middle}},
		{"one port", history.Query{Ports: monitor.Ports{{First: 3007, Last: 3007}}}},
		{"words", history.Query{Text: "node server-7.js"}},
		{"words without a match", history.Query{Text: "postgres"}},
		{"a number", history.Query{Text: "3007"}},
		{"an address that nothing has", history.Query{Text: "127.0.0.2"}},
		{"last hour", history.Query{Since: time.Now().Add(-time.Hour)}},
	} {
		b.Run(strings.ReplaceAll(q.name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Events(b.Context(), q.Query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("last_holder", func(b *testing.B) {
		for b.Loop() {
			if _, ok, err := r.LastOwner(b.Context(), monitor.TCP, monitor.Ports{{First: 3007, Last: 3007}}); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("listener", func(b *testing.B) {
		for b.Loop() {
			if all, err := r.ListenerEvents(b.Context(), "tcp-3008-90008"); err != nil || len(all) == 0 {
				b.Fatal(all, err)
			}
		}
	})
	b.Run("hours", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.CountByHour(b.Context(), history.Query{Since: time.Now().Add(-24 * time.Hour)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
