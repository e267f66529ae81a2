package monitor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"porthole/internal/await"
)

// setClock returns t as time.Now would return it after the clock was set by that
// much: with another time of day, but the same monotonic reading. Time.Add would
// change both.
func setClock(t time.Time, by time.Duration) time.Time {
	const nanosecondBits = 30 // the seconds are above them; see the comment of time.Time
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(int64(by/time.Second) << nanosecondBits)
	return t
}

func TestSetClockKeepsMonotonicReading(t *testing.T) {
	now := time.Now()
	set := setClock(now, -24*time.Hour)
	if day, monotonic := set.Unix()-now.Unix(), set.Sub(now); day != -24*60*60 || monotonic != 0 {
		t.Errorf("time of day moved by %d s, monotonic reading by %v; want a day and 0", day, monotonic)
	}
}

// Setting the clock a day back or ahead neither stops nor accelerates polling, and
// changes nothing except the times of events.
func TestSettingTheClock(t *testing.T) {
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
	// receive collects events until there are at least n.
	receive := func(n int) (events []Event) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			if u, ok := updates.Take(); ok {
				events = append(events, u.Events...)
				if u.Ready && len(events) >= n {
					return events
				}
			}
			select {
			case <-updates.C:
			case <-deadline:
				t.Fatalf("got events %q in a minute, want %d", formatEvents(events), n)
			}
		}
	}
	receive(0)
	id := SocketID(3)
	for _, by := range []time.Duration{-24 * time.Hour, 24 * time.Hour, 0} {
		set.Store(int64(by))
		polls, begin := table.count(), time.Now()
		time.Sleep(10 * interval)
		await.Until(t, fmt.Sprintf("the monitor polls 5 times, with the clock set by %v", by), func() bool { return table.count() >= polls+5 })
		if n, most := table.count()-polls, int(time.Since(begin)/interval)+2; n > most {
			t.Errorf("set by %v: %d polls, want at most %d", by, n, most)
		}
		if u, ok := updates.Take(); ok {
			t.Errorf("set by %v: got events %q, want none", by, formatEvents(u.Events))
		}
		table.listen(1, 2, id)
		opened := receive(1)
		table.listen(1, 2)
		closed := receive(1)
		if opened[0].Kind != Opened || closed[len(closed)-1].Kind != Closed {
			t.Errorf("set by %v: got events %q and %q, want opened and closed", by, formatEvents(opened), formatEvents(closed))
		}
		if at := opened[0].At.Unix() - time.Now().Add(by).Unix(); at < -60 || at > 1 {
			t.Errorf("set by %v: opened %d s after the new time", by, at)
		}
		id++
	}
}
