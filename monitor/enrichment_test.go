package monitor

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeEnricher knows the project of every owner after a while.
type fakeEnricher struct {
	takes  time.Duration // for one answer
	late   time.Duration // an answer is late after this time
	asked  map[int]time.Time
	notify atomic.Value // func()
}

func (e *fakeEnricher) OnAnswer(f func()) (stop func()) {
	e.notify.Store(f)
	return func() { e.notify.Store(func() {}) }
}

func (e *fakeEnricher) Socket(*Socket) Progress { return Complete }

func (e *fakeEnricher) Owner(o *Owner) Progress {
	if e.asked[o.PID].IsZero() {
		e.asked[o.PID] = time.Now()
		time.AfterFunc(e.takes, func() { e.notify.Load().(func())() })
		time.AfterFunc(e.late, func() { e.notify.Load().(func())() })
	}
	switch waited := time.Since(e.asked[o.PID]); {
	case waited >= e.takes:
		o.Project = "shop"
		return Complete
	case waited >= e.late:
		o.ProjectUnknown = UnknownDisk
		return Late
	}
	return Pending
}

// enriched starts a Monitor with an Enricher.
func enriched(t *testing.T, e *fakeEnricher, ids ...SocketID) *scene {
	e.asked = make(map[int]time.Time)
	s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper()}, finder: &fakeFinder{}}
	s.finder.holds(1, 10)
	s.finder.holds(2, 20)
	s.table.listen(ids...)
	s.monitor = New(s.table, s.finder, Options{Enrich: e, Logger: slog.New(slog.DiscardHandler)})
	s.updates = s.monitor.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	go s.monitor.Run(ctx)
	s.stop = cancel
	synctest.Wait()
	return s
}

// What is answered at once is in the first event of a listener.
func TestEnrichedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := enriched(t, &fakeEnricher{takes: time.Millisecond, late: time.Second}, 1)
		defer s.stop()
		s.after(time.Millisecond)
		if u := s.want(""); u.Snapshot.Listeners[0].Project != "shop" {
			t.Errorf("first snapshot: project %q, want shop", u.Snapshot.Listeners[0].Project)
		}
		s.table.listen(1, 2)
		s.after(defaultInterval + 10*time.Millisecond)
		if u := s.want("opened tcp-3002-2"); u.Events[0].Listener.Project != "shop" {
			t.Errorf("opened: project %q, want shop", u.Events[0].Listener.Project)
		}
	})
}

// What is answered late arrives as an update; meanwhile the reason is there.
func TestEnrichedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := enriched(t, &fakeEnricher{takes: time.Hour, late: 200 * time.Millisecond}, 1)
		defer s.stop()
		s.after(enrichWait)
		if u := s.want(""); !u.Ready || len(u.Snapshot.Listeners) != 1 || len(u.Snapshot.Listeners[0].Owners) != 1 {
			t.Fatalf("after %v: %+v, want the listener with its owner", enrichWait, u)
		}
		s.after(200 * time.Millisecond)
		if u := s.want("updated tcp-3001-1<tcp-3001-1"); u.Events[0].Listener.Owners[0].ProjectUnknown != UnknownDisk {
			t.Errorf("got %+v, want the reason", u.Events[0].Listener.Owners[0])
		}
		s.table.listen(1, 2)
		s.after(defaultInterval + enrichWait)
		if u := s.want("opened tcp-3002-2"); len(u.Events[0].Listener.Owners) != 1 {
			t.Errorf("opened: %+v, want its owner", u.Events[0].Listener)
		}
		s.after(time.Hour)
		u, _ := s.updates.Take()
		for _, l := range u.Snapshot.Listeners {
			if l.Project != "shop" || l.Owners[0].ProjectUnknown != "" {
				t.Errorf("after the answer: %+v", l)
			}
		}
		for _, e := range u.Events {
			if e.Kind != Updated {
				t.Errorf("event %s, want updates only", e.Kind)
			}
		}
	})
}

// A scan waits for answers, for a bounded time.
func TestScanWaitsForAnswers(t *testing.T) {
	for _, test := range []struct {
		takes, want time.Duration
		project     string
	}{
		{100 * time.Millisecond, 100 * time.Millisecond, "shop"},
		{time.Hour, scanWait, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
			table.listen(1)
			finder.holds(1, 10)
			e := &fakeEnricher{takes: test.takes, late: 200 * time.Millisecond, asked: make(map[int]time.Time)}
			begin := time.Now()
			s, err := New(table, finder, Options{Enrich: e}).Scan(t.Context())
			if err != nil || time.Since(begin) != test.want || s.Listeners[0].Project != test.project {
				t.Errorf("an answer that takes %v: got %+v, %v after %v; want project %q after %v", test.takes, s.Listeners[0], err, time.Since(begin), test.project, test.want)
			}
			time.Sleep(time.Hour) // ends the timers
		})
	}
}

// The end of the context ends the wait.
func TestScanIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
		table.listen(1)
		finder.holds(1, 10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin := time.Now()
		e := &fakeEnricher{takes: time.Minute, late: time.Minute, asked: make(map[int]time.Time)}
		if _, err := New(table, finder, Options{Enrich: e}).Scan(ctx); err == nil || time.Since(begin) != time.Millisecond {
			t.Errorf("got %v after %v, want an error after 1 ms", err, time.Since(begin))
		}
		time.Sleep(time.Minute)
	})
}
