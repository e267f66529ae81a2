package monitor

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// tireless is a Table whose Wait does not wait: as many looks as the machine
// can do. A socket opens or closes every lookChange looks.
type tireless struct {
	looks   atomic.Int64
	sockets []Socket
	next    SocketID
}

const (
	lookChange  = 10
	tirelessMin = 30 // sockets that listen
	tirelessMax = 60
)

func (f *tireless) Sockets(dst []Socket, _ bool) ([]Socket, error) {
	if f.looks.Add(1)%lookChange == 0 {
		f.next++
		switch n := len(f.sockets); {
		case n >= tirelessMax || (n > tirelessMin && f.next%2 == 0):
			i := int(f.next) % n
			f.sockets = slices.Delete(f.sockets, i, i+1)
		default:
			f.sockets = append(f.sockets, sockets(f.next)...)
			f.sockets[n].Port = 3000 + uint16(f.next%100) // some share a row
		}
	}
	return append(dst, f.sockets...), nil
}

func (*tireless) Source() string                                             { return "a test" }
func (*tireless) Wait(_ time.Duration, closed []SocketID) ([]SocketID, Hint) { return closed, 0 }
func (*tireless) Unchanged(bool) bool                                        { return false }
func (*tireless) Still() bool                                                { return false }
func (*tireless) Follow([]int)                                               {}
func (*tireless) Wake()                                                      {}

// everyOther finds a process for every second socket.
type everyOther struct{}

func (everyOther) Find(_ context.Context, _ Scope, sockets []Socket, found func(Holding)) error {
	for _, s := range sockets {
		if s.ID%2 == 0 {
			found(Holding{Socket: s.ID, Owner: process(int(s.ID % 1000))})
		}
	}
	return nil
}

func (everyOther) Holds(Holding) bool         { return true }
func (everyOther) Calm(int) bool              { return false }
func (everyOther) Hidden(Socket) OwnerUnknown { return OwnerUnknown{Reason: UnknownNotFound} }

// After it has warmed up a Monitor keeps no more memory however long it runs,
// and no more goroutines.
func TestAMillionLooksKeepNoMemory(t *testing.T) {
	looks, warm, most := int64(100_000), int64(20_000), uint64(2<<20)
	if os.Getenv("PORTHOLE_LONG") != "" {
		looks, warm = 1_000_000, 100_000
	}
	table := &tireless{}
	m := New(table, everyOther{}, Options{Interval: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	changes := 0
	until := func(n int64) {
		for deadline := time.Now().Add(5 * time.Minute); table.looks.Load() < n; {
			if time.Now().After(deadline) {
				t.Fatalf("%d looks after 5 minutes, want %d", table.looks.Load(), n)
			}
			select {
			case <-updates.C:
				u, _ := updates.Take()
				changes += len(u.Events)
			case <-time.After(time.Second):
			}
		}
	}
	until(warm)
	heap, goroutines := live(), runtime.NumGoroutine()
	changes = 0
	until(warm + looks)
	after, goroutinesAfter := live(), runtime.NumGoroutine()
	t.Logf("%d looks, %d changes: heap %d KB, then %d KB; goroutines %d, then %d",
		looks, changes, heap>>10, after>>10, goroutines, goroutinesAfter)
	if changes < int(looks)/lookChange/2 {
		t.Errorf("%d changes in %d looks: the test proves nothing", changes, looks)
	}
	if after > heap+most {
		t.Errorf("%d KB more on the heap, want 2 MB or less", (after-heap)>>10)
	}
	if goroutinesAfter > goroutines {
		t.Errorf("%d goroutines, then %d", goroutines, goroutinesAfter)
	}
}

// live is what is reachable on the heap.
func live() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers held
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
