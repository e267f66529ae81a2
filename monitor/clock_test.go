package monitor

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// setClock returns t as time.Now would give it had someone set the clock by so
// much: the time of day is another, the monotonic time is not. Add moves both.
func setClock(t time.Time, by time.Duration) time.Time {
	const nanosecondBits = 30 // below them the seconds; see the comment at time.Time
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(int64(by/time.Second) << nanosecondBits)
	return t
}

func TestSetClockMovesTheTimeOfDayAlone(t *testing.T) {
	now := time.Now()
	set := setClock(now, -24*time.Hour)
	if day, monotonic := set.Unix()-now.Unix(), set.Sub(now); day != -24*60*60 || monotonic != 0 {
		t.Errorf("the time of day moved by %d s, the monotonic time by %v; want a day and nothing", day, monotonic)
	}
}

// A clock that is set back or forth by a day neither stops the looks nor makes
// them a storm, nor does it change anything but the time that is told.
func TestAClockThatIsSetDisturbsNothing(t *testing.T) {
	const interval = 20 * time.Millisecond
	table := &fakeTable{Sleeper: NewSleeper()}
	table.listen(1, 2)
	finder := &fakeFinder{}
	finder.holds(1, 10)
	var set atomic.Int64
	m := New(table, finder, Options{Interval: interval, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	m.now = func() time.Time { return setClock(time.Now(), time.Duration(set.Load())) }
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	// said collects what is told until so many changes came.
	said := func(n int) (changes []Event) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			if u, ok := updates.Take(); ok {
				changes = append(changes, u.Events...)
				if u.Ready && len(changes) >= n {
					return changes
				}
			}
			select {
			case <-updates.C:
			case <-deadline:
				t.Fatalf("told %q in a minute, want %d changes", words(changes), n)
			}
		}
	}
	said(0)
	id := SocketID(3)
	for _, by := range []time.Duration{-24 * time.Hour, 24 * time.Hour, 0} {
		set.Store(int64(by))
		looks, begin := table.count(), time.Now()
		time.Sleep(10 * interval)
		for deadline := time.Now().Add(time.Minute); table.count() < looks+5; time.Sleep(interval) {
			if time.Now().After(deadline) {
				t.Fatalf("set by %v: %d looks in a minute", by, table.count()-looks)
			}
		}
		if n, most := table.count()-looks, int(time.Since(begin)/interval)+2; n > most {
			t.Errorf("set by %v: %d looks, want %d at the most", by, n, most)
		}
		if u, ok := updates.Take(); ok {
			t.Errorf("set by %v: told %q, want nothing", by, words(u.Events))
		}
		table.listen(1, 2, id)
		opened := said(1)
		table.listen(1, 2)
		closed := said(1)
		if opened[0].Kind != Opened || closed[len(closed)-1].Kind != Closed {
			t.Errorf("set by %v: told %q and %q, want opened and closed", by, words(opened), words(closed))
		}
		if at := opened[0].At.Unix() - time.Now().Add(by).Unix(); at < -60 || at > 1 {
			t.Errorf("set by %v: told as opened %d s after the new time", by, at)
		}
		id++
	}
}
