package monitor

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// busyTable is a Table whose Wait does not wait, for as many polls as the machine
// can do. A socket opens or closes every changeEvery polls.
type busyTable struct {
	polls   atomic.Int64
	gate    sync.Mutex // locked while Wait must wait after all
	sockets []Socket
	next    SocketID
}

const (
	changeEvery = 10
	busyMin     = 30 // listening sockets
	busyMax     = 60
)

func (f *busyTable) Poll(PollOptions) ([]Socket, bool, error) {
	if f.polls.Add(1)%changeEvery == 0 {
		f.next++
		switch n := len(f.sockets); {
		case n >= busyMax || (n > busyMin && f.next%2 == 0):
			i := int(f.next) % n
			f.sockets = slices.Delete(f.sockets, i, i+1)
		default:
			f.sockets = append(f.sockets, sockets(f.next)...)
			f.sockets[n].Port = 3000 + uint16(f.next%100) // some share a listener
		}
	}
	return f.sockets, true, nil
}

func (f *busyTable) Wait(_ time.Duration, closed []SocketID) ([]SocketID, Hint) {
	f.gate.Lock()
	defer f.gate.Unlock()
	return closed, 0
}

func (*busyTable) Source() string { return "a test" }
func (*busyTable) Wake()          {}

// everyOther finds an owner for every second socket.
type everyOther struct{}

func (everyOther) Find(_ context.Context, _ Scope, sockets []Socket, found func(Holding)) error {
	for _, s := range sockets {
		if s.ID%2 == 0 {
			found(Holding{Socket: s.ID, Owner: process(int(s.ID % 1000))})
		}
	}
	return nil
}

func (everyOther) Verify([]Holding) (gone, changed []Holding) { return nil, nil }
func (everyOther) WhyUnknown(Socket) OwnerUnknown             { return OwnerUnknown{Reason: UnknownNotFound} }

// After a warm-up, a Monitor's memory and number of goroutines do not grow, however
// long it runs.
func TestManyPollsLeakNoMemory(t *testing.T) {
	polls, warm, most := int64(100_000), int64(20_000), uint64(2<<20)
	if os.Getenv("PORTHOLE_LONG") != "" {
		polls, warm = 1_000_000, 100_000
	}
	table := &busyTable{}
	m := New(table, everyOther{}, Options{Interval: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	events := 0
	until := func(n int64) {
		for deadline := time.Now().Add(5 * time.Minute); table.polls.Load() < n; {
			if time.Now().After(deadline) {
				t.Fatalf("%d polls after 5 minutes, want %d", table.polls.Load(), n)
			}
			select {
			case <-updates.C:
				u, _ := updates.Take()
				events += len(u.Events)
			case <-time.After(time.Second):
			}
		}
	}
	// measure stops the monitor, takes what is pending and returns what is left.
	measure := func() (heap uint64, goroutines int) {
		table.gate.Lock()
		defer table.gate.Unlock()
		time.Sleep(10 * time.Millisecond) // the monitor reaches Wait
		u, _ := updates.Take()
		events += len(u.Events)
		return live(), runtime.NumGoroutine()
	}
	until(warm)
	heap, goroutines := measure()
	events = 0
	until(warm + polls)
	after, goroutinesAfter := measure()
	t.Logf("%d polls, %d events: heap %d KB, then %d KB; goroutines %d, then %d",
		polls, events, heap>>10, after>>10, goroutines, goroutinesAfter)
	if events < int(polls)/changeEvery/2 {
		t.Errorf("%d events in %d polls: too few for this test", events, polls)
	}
	if after > heap+most {
		t.Errorf("the heap grew by %d KB, want at most 2 MB", (after-heap)>>10)
	}
	if goroutinesAfter > goroutines {
		t.Errorf("got %d goroutines, then %d", goroutines, goroutinesAfter)
	}
}

// live returns the number of reachable bytes on the heap.
func live() uint64 {
	runtime.GC()
	runtime.GC() // frees what finalizers held
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
