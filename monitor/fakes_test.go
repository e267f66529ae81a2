package monitor

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// This file has the fakes of the tests, and the scene that they set.

// fakeTable is a Table with the sockets that a test sets. It does not compare
// them: every poll counts as changed.
type fakeTable struct {
	Sleeper
	mu      sync.Mutex
	sockets []Socket
	err     error
	once    func() ([]Socket, error) // the result of the next poll, instead of sockets
	polls   int
	fresh   int // polls with PollOptions.Fresh
}

func (f *fakeTable) Poll(opts PollOptions) ([]Socket, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	if opts.Fresh {
		f.fresh++
	}
	if once := f.once; once != nil {
		f.once = nil
		sockets, err := once()
		return sockets, true, err
	}
	var sockets []Socket
	for _, s := range f.sockets {
		if opts.UDP || s.Protocol != UDP {
			sockets = append(sockets, s)
		}
	}
	return sockets, true, f.err
}

func (f *fakeTable) Source() string { return "a test" }

// listen makes the table return exactly the sockets with these IDs.
func (f *fakeTable) listen(ids ...SocketID) { f.set(sockets(ids...)) }

func (f *fakeTable) set(sockets []Socket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sockets = sockets
}

func (f *fakeTable) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeTable) answerOnce(sockets []Socket, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once = func() ([]Socket, error) { return sockets, err }
}

func (f *fakeTable) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.polls
}

func (f *fakeTable) countFresh() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fresh
}

// sockets returns sockets on 127.0.0.1, each on port 3000 + ID.
func sockets(ids ...SocketID) []Socket {
	var out []Socket
	for _, id := range ids {
		s := at(id, "127.0.0.1").socket
		s.Port += uint16(id)
		out = append(out, s)
	}
	return out
}

// fakeFinder finds the processes that a test sets, after delay. It follows the
// scope.
type fakeFinder struct {
	mu      sync.Mutex
	holders map[SocketID][]int
	last    map[int]int // number of sockets of each process at the last search for all sockets
	delay   time.Duration

	likely   int // searches of that scope
	verified int // holdings
	searches [][]Socket
}

func (f *fakeFinder) holds(id SocketID, pids ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holders == nil {
		f.holders = make(map[SocketID][]int)
	}
	f.holders[id] = pids
}

func (f *fakeFinder) Find(ctx context.Context, scope Scope, sockets []Socket, found func(Holding)) error {
	f.mu.Lock()
	if scope == Likely {
		f.likely++
	}
	f.searches = append(f.searches, sockets)
	f.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(f.delay):
	}
	for _, h := range f.find(scope, sockets) {
		found(h)
	}
	return nil
}

func (f *fakeFinder) find(scope Scope, sockets []Socket) (found []Holding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[int]int)
	for _, pids := range f.holders {
		for _, pid := range pids {
			counts[pid]++
		}
	}
	missing := make(map[SocketID]bool)
	for _, s := range sockets {
		missing[s.ID] = true
	}
	for _, pid := range slices.Sorted(maps.Keys(counts)) {
		if scope == Likely && len(missing) == 0 {
			break
		}
		if scope == Recent && f.last[pid] == counts[pid] {
			continue
		}
		for _, s := range sockets {
			if slices.Contains(f.holders[s.ID], pid) {
				delete(missing, s.ID)
				found = append(found, Holding{Socket: s.ID, Owner: process(pid)})
			}
		}
	}
	if scope != Likely {
		f.last = counts
	}
	return found
}

func (f *fakeFinder) Verify(holdings []Holding) (gone, changed []Holding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.verified += len(holdings)
	for _, h := range holdings {
		if !slices.Contains(f.holders[h.Socket], h.Owner.PID) {
			gone = append(gone, h)
		}
	}
	return gone, nil
}

func (*fakeFinder) WhyUnknown(Socket) OwnerUnknown { return OwnerUnknown{Reason: UnknownNotFound} }

// scene is a running Monitor and its subscriber, in a synctest bubble.
type scene struct {
	*testing.T
	table   *fakeTable
	finder  *fakeFinder
	monitor *Monitor
	updates *Subscription
	first   Snapshot
	stop    func() // stops Run and waits until it has returned
}

// watch runs test with a Monitor that has polled a table with the sockets ids, the
// first held by process 10.
func watch(t *testing.T, test func(*scene), ids ...SocketID) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, ids...)
		s.first = s.want("").Snapshot
		test(s)
		s.stop()
	})
}

func start(t *testing.T, ids ...SocketID) *scene {
	table := &fakeTable{Sleeper: NewSleeper()}
	return startWith(t, table, table, ids...)
}

// startWith is start with a Table that wraps the fake.
func startWith(t *testing.T, table Table, fake *fakeTable, ids ...SocketID) *scene {
	s := &scene{T: t, table: fake, finder: &fakeFinder{}}
	s.table.listen(ids...)
	if len(ids) > 0 {
		s.finder.holds(ids[0], 10)
	}
	s.run(New(table, s.finder, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}))
	return s
}

// run runs m until stop is called.
func (s *scene) run(m *Monitor) {
	s.monitor = m
	s.updates = s.monitor.Subscribe()
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.monitor.Run(ctx) }()
	s.stop = func() { cancel(); <-ended }
	synctest.Wait()
}

// after waits for d, and until the monitor is idle.
func (s *scene) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want returns the waiting update and fails if its events are different.
func (s *scene) want(want string) Update {
	s.Helper()
	u, ok := s.updates.Take()
	if got := formatEvents(u.Events); got != want || (!ok && want != "") {
		s.Fatalf("got events %q, %t; want %q", got, ok, want)
	}
	return u
}

// wantEither is want for results of two goroutines, which may arrive together
// (short) or one after the other (long).
func (s *scene) wantEither(short, long string) Update {
	s.Helper()
	u, _ := s.updates.Take()
	if got := formatEvents(u.Events); got != short && got != long {
		s.Fatalf("got events %q; want %q or %q", got, short, long)
	}
	return u
}

// quiet fails if an update is waiting.
func (s *scene) quiet() {
	s.Helper()
	if u, ok := s.updates.Take(); ok {
		s.Fatalf("got an update with the events %q, want none", formatEvents(u.Events))
	}
}
