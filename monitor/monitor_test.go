package monitor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTable is a Table that shows what a test sets.
type fakeTable struct {
	Sleeper
	mu      sync.Mutex
	sockets []Socket
	err     error
	once    func() ([]Socket, error) // answers the next dump instead
	dumps   int
}

func (f *fakeTable) Sockets(dst []Socket, udp bool) ([]Socket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dumps++
	if once := f.once; once != nil {
		f.once = nil
		sockets, err := once()
		return append(dst, sockets...), err
	}
	for _, s := range f.sockets {
		if udp || s.Protocol != UDP {
			dst = append(dst, s)
		}
	}
	return dst, f.err
}

func (f *fakeTable) Source() string { return "a test" }

// listen makes the table show exactly the sockets with these ids.
func (f *fakeTable) listen(ids ...SocketID) { f.show(sockets(ids...)) }

func (f *fakeTable) show(sockets []Socket) {
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
	return f.dumps
}

// sockets are on 127.0.0.1, each on the port 3000 + id.
func sockets(ids ...SocketID) []Socket {
	var out []Socket
	for _, id := range ids {
		s := at(id, "127.0.0.1").socket
		s.Port += uint16(id)
		out = append(out, s)
	}
	return out
}

// fakeFinder finds the processes that a test sets, after delay.
type fakeFinder struct {
	mu      sync.Mutex
	likely  int // searches of that scope
	asked   int // about holdings
	calm    atomic.Bool
	holders map[SocketID][]int
	delay   time.Duration

	searches [][]Socket // of every scope
}

func (f *fakeFinder) holds(id SocketID, pids ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holders == nil {
		f.holders = make(map[SocketID][]int)
	}
	f.holders[id] = pids
}

func (f *fakeFinder) of(id SocketID) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holders[id]
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
	for _, s := range sockets {
		for _, pid := range f.of(s.ID) {
			found(Holding{Socket: s.ID, Owner: process(pid)})
		}
	}
	return nil
}

func (f *fakeFinder) Holds(h Holding) bool {
	f.mu.Lock()
	f.asked++
	f.mu.Unlock()
	return slices.Contains(f.of(h.Socket), h.Owner.PID)
}

func (f *fakeFinder) Calm(int) bool { return f.calm.Load() }

func (*fakeFinder) Hidden(Socket) OwnerUnknown { return OwnerUnknown{Reason: UnknownNotFound} }

// scene is a running Monitor and its subscriber, in a bubble of synctest.
type scene struct {
	*testing.T
	table   *fakeTable
	finder  *fakeFinder
	monitor *Monitor
	updates *Subscription
	first   Snapshot
	stop    func() // ends Run and returns when it has returned
}

// watch runs test with a Monitor that has looked at a table with the sockets
// ids, the first held by process 10.
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

// startWith is start with a Table that may be more than the fake that it shows.
func startWith(t *testing.T, table Table, fake *fakeTable, ids ...SocketID) *scene {
	s := &scene{T: t, table: fake, finder: &fakeFinder{}}
	s.table.listen(ids...)
	if len(ids) > 0 {
		s.finder.holds(ids[0], 10)
	}
	s.monitor = New(table, s.finder, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	s.updates = s.monitor.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.monitor.Run(ctx) }()
	s.stop = func() { cancel(); <-ended }
	synctest.Wait()
	return s
}

// after lets time pass, and the monitor finish what it does then.
func (s *scene) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want returns the update that waits and fails where its changes are others.
func (s *scene) want(want string) Update {
	s.Helper()
	u, ok := s.updates.Take()
	if got := words(u.Events); got != want || (!ok && want != "") {
		s.Fatalf("changes = %q, %t; want %q", got, ok, want)
	}
	return u
}

// wantEither is want where what two goroutines learn may come together, as
// short, or one after the other, as long.
func (s *scene) wantEither(short, long string) Update {
	s.Helper()
	u, _ := s.updates.Take()
	if got := words(u.Events); got != short && got != long {
		s.Fatalf("changes = %q; want %q or %q", got, short, long)
	}
	return u
}

// quiet fails where an update waits.
func (s *scene) quiet() {
	s.Helper()
	if u, ok := s.updates.Take(); ok {
		s.Fatalf("got an update with the changes %q, want none", words(u.Events))
	}
}

func TestFirstSnapshotTellsNoChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, 1, 2)
		u := s.want("")
		if !u.Ready || picture(u.Snapshot.Listeners) != "tcp-3001-1=[127.0.0.1] [10]; tcp-3002-2=[127.0.0.1] []" {
			t.Errorf("first update: ready %t, %s; want both rows, the first with its owner", u.Ready, picture(u.Snapshot.Listeners))
		}
		if got := u.Snapshot.Listeners[1].OwnerUnknown; got != UnknownNotFound {
			t.Errorf("Hidden = %q, want the finder's word %q", got, UnknownNotFound)
		}
		if got := u.Snapshot.Listeners[0].Since; !got.IsZero() {
			t.Errorf("Since = %v for what was open before, want none", got)
		}
		if u.Health.Source != "a test" || u.Health.Problem != "" || u.Health.Interval != defaultInterval {
			t.Errorf("Health = %+v, want the source, the interval and no problem", u.Health)
		}
		s.after(10 * time.Second)
		s.quiet()
		s.stop()
	})
}

func TestFirstSnapshotWaitsASecondForOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper()}, finder: &fakeFinder{delay: 3 * time.Second}}
		s.table.listen(1)
		s.finder.holds(1, 10)
		s.monitor = New(s.table, s.finder, Options{})
		s.updates = s.monitor.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		go s.monitor.Run(ctx)
		s.after(firstWait - time.Millisecond)
		s.quiet()
		s.after(2 * time.Millisecond)
		if u := s.want(""); !u.Ready || len(u.Snapshot.Listeners) != 1 || u.Snapshot.Listeners[0].OwnerUnknown != "" {
			t.Errorf("after %v: %+v; want the row, not said to be hidden while the search goes on", firstWait, u)
		}
		s.after(2 * time.Second)
		s.want("updated tcp-3001-1<tcp-3001-1")
		cancel()
	})
}

func TestSteadyOpeningsDoNotHoldUpTheFirstSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper()}, finder: &fakeFinder{delay: time.Hour}}
		s.table.listen(1)
		s.monitor = New(s.table, s.finder, Options{})
		s.updates = s.monitor.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		go s.monitor.Run(ctx)
		all := []SocketID{1}
		for id := SocketID(2); id < 8; id++ { // one a look, for longer than firstWait
			s.after(defaultInterval)
			all = append(all, id)
			s.table.listen(all...)
		}
		if u, _ := s.updates.Take(); !u.Ready || len(u.Snapshot.Listeners) < 4 {
			t.Errorf("ready %t with %d rows; want those that were there after %v", u.Ready, len(u.Snapshot.Listeners), firstWait)
		}
		cancel()
	})
}

func TestOpenedComesWithItsOwner(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = 60 * time.Millisecond
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		s.quiet() // seen, but its owner is not known yet
		s.after(60 * time.Millisecond)
		u := s.want("opened tcp-3002-2")
		l := u.Events[0].Listener
		if p, _ := l.Principal(); p.PID != 20 || l.Since.IsZero() {
			s.Errorf("opened with owner %d, since %v; want 20 and the time", p.PID, l.Since)
		}
	}, 1)
}

func TestOpenedWaitsNoLongerThanThat(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = 300 * time.Millisecond
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval + ownerWait - time.Millisecond)
		s.quiet()
		s.after(time.Millisecond)
		u := s.want("opened tcp-3002-2")
		if l := u.Events[0].Listener; len(l.Owners) != 0 || l.OwnerUnknown != "" {
			s.Errorf("opened: owners %v, hidden %q; want none, and no verdict before the search ends", l.Owners, l.OwnerUnknown)
		}
		s.after(200 * time.Millisecond)
		u = s.want("updated tcp-3002-2<tcp-3002-2")
		if p, _ := u.Events[0].Listener.Principal(); p.PID != 20 {
			s.Errorf("updated with owner %d, want 20", p.PID)
		}
	}, 1)
}

func TestSocketThatClosesBeforeItsOwnerIsFound(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = time.Second
		s.table.listen(1, 2)
		s.monitor.Refresh()
		synctest.Wait()
		s.table.listen(1)
		s.monitor.Refresh()
		synctest.Wait()
		s.want("opened tcp-3002-2, closed tcp-3002-2")
		s.after(2 * time.Second)
		s.quiet()
	}, 1)
}

func TestClosed(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.listen()
		s.after(defaultInterval)
		u := s.want("closed tcp-3001-1")
		if p, _ := u.Events[0].Listener.Principal(); p.PID != 10 {
			s.Errorf("closed tells owner %d, want its last one, 10", p.PID)
		}
		if u.Snapshot.Listeners == nil || len(u.Snapshot.Listeners) != 0 {
			s.Errorf("snapshot = %#v, want an empty list that is not nil", u.Snapshot.Listeners)
		}
	}, 1)
}

// The look after a close has nothing to compare with; an empty table is not
// the same as that.
func TestTheLastOnesCloseInTwoLooks(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.listen(2)
		s.after(defaultInterval)
		s.want("closed tcp-3001-1")
		s.table.listen()
		s.after(defaultInterval)
		s.want("closed tcp-3002-2")
	}, 1, 2)
}

func TestDumpThatMissesARowOnceIsNoClose(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.answerOnce(sockets(2), nil)
		s.after(defaultInterval)
		s.quiet()
		s.after(time.Second)
		s.quiet()
		s.table.listen()
		s.after(defaultInterval)
		s.want("closed tcp-3001-1, closed tcp-3002-2")
	}, 1, 2)
}

func TestRestartBetweenTwoLooks(t *testing.T) {
	watch(t, func(s *scene) {
		again := sockets(1)
		again[0].ID = 5
		s.table.mu.Lock()
		s.table.sockets = again
		s.table.mu.Unlock()
		s.after(defaultInterval)
		s.want("closed tcp-3001-1, opened tcp-3001-5")
	}, 1)
}

func TestTableErrorKeepsTheSnapshot(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.fail(errors.New("no such luck"))
		s.after(defaultInterval)
		u := s.want("")
		if !strings.Contains(u.Health.Problem, "no such luck") || !u.Ready || len(u.Snapshot.Listeners) != 1 {
			s.Errorf("update = %+v; want the problem, and the row that was there", u)
		}
		s.after(10 * time.Second)
		s.quiet() // a problem that stays is said once

		s.table.fail(nil)
		s.table.listen(1, 2)
		s.after(failureInterval + ownerWait)
		if u := s.want("opened tcp-3002-2"); u.Health.Problem != "" {
			s.Errorf("Problem = %q after the table came back, want none", u.Health.Problem)
		}
	}, 1)
}

func TestErrorWhileACloseIsConfirmed(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.answerOnce(nil, nil) // one dump without the row, then an error
		s.table.fail(errors.New("no such luck"))
		s.after(defaultInterval)
		if u := s.want(""); len(u.Snapshot.Listeners) != 1 || u.Health.Problem == "" {
			s.Errorf("update = %+v; want the row, and the problem", u)
		}
		s.table.fail(nil)
		s.table.listen()
		s.after(failureInterval)
		s.want("closed tcp-3001-1")
	}, 1)
}

func TestErrorFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper(), err: errors.New("no such luck")}, finder: &fakeFinder{}}
		s.monitor = New(s.table, s.finder, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		s.updates = s.monitor.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		go s.monitor.Run(ctx)
		synctest.Wait()
		if u := s.want(""); u.Ready || u.Health.Problem == "" {
			t.Errorf("first update: ready %t, problem %q; want no snapshot yet, and why", u.Ready, u.Health.Problem)
		}
		s.table.fail(nil)
		s.table.listen(1)
		s.after(failureInterval)
		if u := s.want(""); !u.Ready || len(u.Snapshot.Listeners) != 1 || u.Health.Problem != "" {
			t.Errorf("update = %+v; want the first snapshot, without changes", u)
		}
		cancel()
	})
}

func TestHandOver(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(1, 11)
		s.after(verifyEvery + defaultInterval)
		u := s.wantEither("owner_changed tcp-3001-1<tcp-3001-1", "updated tcp-3001-1<tcp-3001-1, owner_changed tcp-3001-1<tcp-3001-1")
		c := u.Events[len(u.Events)-1]
		before, _ := c.Before.Principal()
		if now, _ := c.Listener.Principal(); before.PID != 10 || now.PID != 11 {
			s.Errorf("owner changed from %d to %d, want 10 to 11", before.PID, now.PID)
		}
	}, 1)
}

func TestParentExitsAndChildKeeps(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20, 21)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		opened := s.wantEither("opened tcp-3002-2", "opened tcp-3002-2, updated tcp-3002-2<tcp-3002-2")
		if got := picture(opened.Snapshot.Listeners[1:]); got != "tcp-3002-2=[127.0.0.1] [20 21]" {
			s.Fatalf("opened %s, want both holders", got)
		}
		s.finder.holds(2, 21)
		s.after(verifyEvery + defaultInterval)
		s.want("owner_changed tcp-3002-2<tcp-3002-2")
	}, 1)
}

// Where the Finder can tell that cheaply, holdings are not checked one by one; and
// they are again when it can not.
func TestCalmProcessesAreNotAskedAboutAllThatTheyHold(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.calm.Store(true)
		s.finder.holds(1, 11)
		s.after(3*verifyEvery + defaultInterval)
		if s.finder.asked != 0 {
			s.Errorf("asked about %d holdings of calm processes, want 0", s.finder.asked)
		}
		s.finder.calm.Store(false)
		s.after(verifyEvery)
		s.wantEither("owner_changed tcp-3001-1<tcp-3001-1", "updated tcp-3001-1<tcp-3001-1, owner_changed tcp-3001-1<tcp-3001-1")
	}, 1)
}

// What the system refuses to tell is not a change of hands.
func TestOwnerThatIsNoLongerSeen(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(1)
		s.after(verifyEvery + retryAfter + defaultInterval)
		u := s.want("updated tcp-3001-1<tcp-3001-1")
		if l := u.Snapshot.Listeners[0]; len(l.Owners) != 0 || l.OwnerUnknown != UnknownNotFound {
			s.Errorf("row = owners %v, hidden %q; want none, and why", l.Owners, l.OwnerUnknown)
		}
	}, 1)
}

// A process that ends shows no descriptors any more before its sockets close.
func TestWhoClosedIsToldThoughNobodySeesHimAnyMore(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(1)
		s.after(verifyEvery + retryAfter/2)
		s.table.listen()
		s.after(defaultInterval)
		u := s.want("closed tcp-3001-1")
		if o, ok := u.Events[0].Listener.Principal(); !ok || o.PID != 10 {
			s.Errorf("it closed of %v, want of 10", u.Events[0].Listener.Owners)
		}
	}, 1)
}

// Servers fork their workers after they listen.
func TestWorkersThatComeLaterAreFound(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		s.want("opened tcp-3002-2")
		s.finder.holds(2, 20, 21)
		s.after(recentEvery + defaultInterval)
		s.want("updated tcp-3002-2<tcp-3002-2")
	}, 1)
}

func TestSlowSubscriberGetsAllChangesMerged(t *testing.T) {
	watch(t, func(s *scene) {
		quick := s.monitor.Subscribe()
		if u, ok := quick.Take(); !ok || !u.Ready || len(u.Events) != 0 || len(u.Snapshot.Listeners) != 1 {
			s.Fatalf("a new subscription has %+v, %t; want the present state without changes", u, ok)
		}
		for _, ids := range [][]SocketID{{1, 2}, {1}, {1, 3}} {
			s.table.listen(ids...)
			s.after(defaultInterval)
			<-quick.C
			quick.Take()
		}
		quick.Close()
		<-s.updates.C
		u := s.want("opened tcp-3002-2, closed tcp-3002-2, opened tcp-3003-3")
		if got := picture(u.Snapshot.Listeners); got != "tcp-3001-1=[127.0.0.1] [10]; tcp-3003-3=[127.0.0.1] []" {
			s.Errorf("snapshot = %s, want the newest", got)
		}
		s.table.listen(1)
		s.after(defaultInterval)
		if u, ok := quick.Take(); ok {
			s.Errorf("a closed subscription got %q", words(u.Events))
		}
		s.want("closed tcp-3003-3")
	}, 1)
}

func TestTooManyChangesComeToTheirSum(t *testing.T) {
	var b subscribers
	s := b.add()
	first, last := snapshotOf(row("a", 1, 10)), snapshotOf(row("b", 2, 10))
	b.publish(Update{Snapshot: first, Ready: true})
	s.Take()
	for range maxPending/2 + 1 {
		b.publish(Update{Snapshot: last, Ready: true, Events: Diff(first, last)})
		b.publish(Update{Snapshot: first, Ready: true, Events: Diff(last, first)})
	}
	b.publish(Update{Snapshot: last, Ready: true, Events: Diff(first, last)})
	u, _ := s.Take()
	if len(u.Events) > maxPending {
		t.Fatalf("%d changes wait, want no more than %d", len(u.Events), maxPending)
	}
	sameRows(t, Apply(first, u.Events), last)
}

func TestRefreshLooksAtOnce(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.monitor.Refresh()
		s.monitor.Refresh() // two wishes are one look
		synctest.Wait()
		s.want("opened tcp-3002-2")
		if got := s.table.count(); got > 3 {
			s.Errorf("%d dumps, want the first and one or two more", got)
		}
	}, 1)
}

// synctest.Test fails where a goroutine of the bubble is left.
func TestRunEndsInMidSearch(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = time.Hour
		s.table.listen(1, 2)
		s.monitor.Refresh()
		synctest.Wait()
		before := time.Now()
		s.stop()
		if took := time.Since(before); took != 0 {
			s.Errorf("Run returned after %v, want at once", took)
		}
	}, 1)
}

func TestUnchangedRowsStayTheSamePointers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, 1)
		before := s.want("").Snapshot.Listeners[0]
		s.table.listen(1, 2)
		s.after(defaultInterval)
		if after := s.want("opened tcp-3002-2").Snapshot.Listeners[0]; after != before {
			t.Errorf("the row of port 3001 was made anew: %p, then %p", before, after)
		}
		s.stop()
	})
}

func TestKeepAndDescribe(t *testing.T) {
	table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
	table.listen(1, 2)
	m := New(table, finder, Options{
		Keep:     func(l *Listener) bool { return l.Port == 3002 },
		Describe: func(l *Listener) { l.Service = "described" },
	})
	s, err := m.Scan(t.Context())
	if err != nil || len(s.Listeners) != 1 || s.Listeners[0].Port != 3002 || s.Listeners[0].Service != "described" {
		t.Errorf("Look = %+v, %v; want port 3002 alone, described", s.Listeners, err)
	}
}

// The owners of other ports are not searched, and where none of the ports is
// open nobody's are.
func TestPorts(t *testing.T) {
	table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
	table.listen(1, 2)
	finder.holds(1, 10)
	finder.holds(2, 11)
	look := func(port uint16) (string, int) {
		t.Helper()
		s, err := New(table, finder, Options{Ports: Ports{{port, port}}}).Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return picture(s.Listeners), len(finder.searches)
	}
	if got, n := look(3002); got != "tcp-3002-2=[127.0.0.1] [11]" || n != 1 || len(finder.searches[0]) != 1 {
		t.Errorf("port 3002: %s, searched %v; want its row, and a search for its socket alone", got, finder.searches)
	}
	if got, n := look(3003); got != "" || n != 1 {
		t.Errorf("port 3003: %q after %d searches; want nothing, and none more", got, n)
	}
}

// What Describe learns later is an update of its row, of no other one.
func TestRedescribe(t *testing.T) {
	watch(t, func(s *scene) {
		s.monitor.opts.Describe = func(l *Listener) {
			if l.Port == 3002 {
				l.Container = &Container{Name: "more"}
			}
		}
		s.monitor.Redescribe()
		synctest.Wait()
		before := s.want("updated tcp-3002-2<tcp-3002-2").Snapshot
		s.monitor.Redescribe()
		synctest.Wait()
		s.quiet()
		if before.Listeners[1].Container.Name != "more" || before.Listeners[0].Container != nil {
			t.Errorf("described as %+v and %+v", before.Listeners[0].Container, before.Listeners[1].Container)
		}
	}, 1, 2)
}

func TestLook(t *testing.T) {
	table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
	table.listen(1)
	finder.holds(1, 10, 11)
	s, err := New(table, finder, Options{}).Scan(t.Context())
	if got := picture(s.Listeners); err != nil || got != "tcp-3001-1=[127.0.0.1] [10 11]" {
		t.Errorf("Look = %s, %v; want the row with both owners", got, err)
	}
	if s, err := New(&fakeTable{Sleeper: NewSleeper()}, finder, Options{}).Scan(t.Context()); err != nil || s.Listeners == nil {
		t.Errorf("Look at nothing = %#v, %v; want an empty list that is not nil", s.Listeners, err)
	}
	if _, err := New(&fakeTable{Sleeper: NewSleeper(), err: io.ErrUnexpectedEOF}, finder, Options{}).Scan(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Look at a table that fails: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(table, finder, Options{}).Scan(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Look after the end of ctx: %v, want %v", err, context.Canceled)
	}
}

// Whatever opens, closes, fails and is missed: who applies the changes has
// the snapshot, and at the end it is what the table shows.
func TestChangesLeadToTheSnapshot(t *testing.T) {
	watch(t, func(s *scene) {
		have := s.first
		for i := range SocketID(200) {
			var ids []SocketID
			for id := range SocketID(6) {
				if (i*7+id*id*3)%5 > 1 {
					ids = append(ids, id+1)
				}
			}
			s.finder.holds(1+i%6, 10+int(i)%3)
			s.table.listen(ids...)
			if i%9 == 0 {
				s.table.answerOnce(nil, errors.New("no such luck"))
			}
			if i%5 == 0 {
				s.table.answerOnce(sockets(1, 2), nil)
			}
			s.after(time.Duration(i%7) * 40 * time.Millisecond)
			if u, ok := s.updates.Take(); ok {
				have = Apply(have, u.Events)
				sameRows(s.T, have, u.Snapshot)
			}
		}
		s.table.listen(2, 4)
		s.after(10 * time.Second)
		u, _ := s.updates.Take()
		have = Apply(have, u.Events)
		if got := rowWords(have); got != "[tcp-3002-2: 2; tcp-3004-4: 4]" {
			s.Errorf("at the end %s, want sockets 2 and 4", got)
		}
	}, 1)
}

func TestWhatIsLookedAtIsFoundAndDroppedNotOpenedAndClosed(t *testing.T) {
	watch(t, func(s *scene) {
		bound := sockets(2)
		bound[0].Protocol = UDP
		s.table.show(append(sockets(1), bound...))
		s.after(time.Minute)
		s.quiet()
		s.monitor.SetUDP(true)
		s.after(time.Second)
		s.want("found udp-3002-2")
		s.monitor.SetUDP(false)
		s.after(time.Second)
		s.want("dropped udp-3002-2")
		s.monitor.SetUDP(true)
		s.after(time.Second)
		s.want("found udp-3002-2")
		s.table.listen(1)
		s.after(time.Second)
		s.want("closed udp-3002-2")
		s.table.show(append(sockets(1), bound...))
		s.after(time.Second)
		if u := s.want("opened udp-3002-2"); u.Events[0].Listener.Since.IsZero() {
			t.Error("what opened while UDP was looked at has no time")
		}
	}, 1)
}

// What shutdown(2), bind and listen make of one descriptor between two looks:
// the kernel's cookie stays.
func TestOneSocketOnAnotherPortIsAnotherListener(t *testing.T) {
	watch(t, func(s *scene) {
		moved := sockets(1)
		moved[0].Port = 4000
		s.table.show(moved)
		s.after(time.Second)
		s.want("closed tcp-3001-1, opened tcp-4000-1")
	}, 1)
}

// What changes rarely changes alone: looks come faster for three seconds.
func TestLooksComeFasterAfterAChange(t *testing.T) {
	watch(t, func(s *scene) {
		for _, change := range []struct {
			name string
			ids  []SocketID
		}{{"an opening", []SocketID{1, 2}}, {"a close", []SocketID{1}}} {
			s.after(time.Minute)
			s.table.listen(change.ids...)
			s.after(defaultInterval + ownerWait)
			before := s.table.count()
			s.after(time.Second)
			if looks, want := s.table.count()-before, int(time.Second/fastInterval); looks < want-1 || looks > want+1 {
				t.Errorf("%d looks in the second after %s, want %d", looks, change.name, want)
			}
			s.after(fastDuration)
			before = s.table.count()
			s.after(time.Second)
			if looks, want := s.table.count()-before, int(time.Second/defaultInterval); looks < want-1 || looks > want+1 {
				t.Errorf("%d looks in a second long after %s, want %d", looks, change.name, want)
			}
		}
	}, 1)
}

func TestTheIntervalCanBeSet(t *testing.T) {
	watch(t, func(s *scene) {
		s.after(time.Minute)
		s.monitor.SetInterval(time.Second)
		s.after(time.Minute)
		before := s.table.count()
		s.after(time.Minute)
		if dumps := s.table.count() - before; dumps < 59 || dumps > 61 {
			t.Errorf("%d dumps in a minute, want one a second", dumps)
		}
	}, 1)
}

// hinting is a fakeTable whose system tells of processes that end.
type hinting struct {
	*fakeTable
	mu       sync.Mutex
	followed []int
	hint     Hint
}

func (h *hinting) Follow(pids []int) { h.mu.Lock(); defer h.mu.Unlock(); h.followed = pids }

func (h *hinting) Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint) {
	closed, _ = h.fakeTable.Wait(d, closed)
	h.mu.Lock()
	defer h.mu.Unlock()
	hint := h.hint
	h.hint = 0
	return closed, hint
}

func TestAnOwnerThatEndsIsVerifiedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &hinting{fakeTable: &fakeTable{Sleeper: NewSleeper()}}
		s := startWith(t, table, table.fakeTable, 1)
		s.after(verifyEvery + time.Millisecond) // the last verification is just over
		s.want("")
		table.mu.Lock()
		if !slices.Equal(table.followed, []int{10}) {
			t.Errorf("followed %v, want the owner", table.followed)
		}
		table.hint = OwnerExited
		table.mu.Unlock()
		s.finder.holds(1, 11)
		table.Wake()
		s.after(10 * time.Millisecond)
		s.wantEither("owner_changed tcp-3001-1<tcp-3001-1", "updated tcp-3001-1<tcp-3001-1, owner_changed tcp-3001-1<tcp-3001-1")
		s.stop()
	})
}

// A search in vain goes over all processes: listeners that come and go must not
// keep a core at it.
func TestSearchesInVainComeWithRests(t *testing.T) {
	watch(t, func(s *scene) {
		s.after(time.Minute)
		s.finder.mu.Lock()
		s.finder.delay, s.finder.likely = 50*time.Millisecond, 0
		s.finder.mu.Unlock()
		const looks = 100
		for id := range SocketID(looks) { // another one at each look
			s.table.listen(1, 1000+id)
			s.after(fastInterval)
		}
		s.finder.mu.Lock()
		defer s.finder.mu.Unlock()
		if most := int(looks * fastInterval / (50 * time.Millisecond * restFactor)); s.finder.likely > most || s.finder.likely < most/4 {
			t.Errorf("%d searches, want at most %d, and not many less", s.finder.likely, most)
		}
	}, 1)
}

// Setting the clock must not change for how long a port was open: both moments
// need the reading of the other clock.
func TestTimesOfOneRunKeepTheMonotonicReading(t *testing.T) { // a bubble's clock has none
	table := &fakeTable{Sleeper: NewSleeper()}
	m := New(table, &fakeFinder{}, Options{Logger: slog.New(slog.DiscardHandler)})
	updates := m.Subscribe()
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer running.Wait()
	defer cancel()
	running.Go(func() { m.Run(ctx) })
	for end := time.After(20 * time.Second); ; {
		select {
		case <-updates.C:
		case <-end:
			t.Fatal("nothing opened")
		}
		u, _ := updates.Take()
		if len(u.Events) == 0 {
			table.listen(1)
			continue
		}
		l := u.Snapshot.Listeners[0]
		for what, at := range map[string]time.Time{"when it was seen": u.Snapshot.TakenAt, "when it changed": u.Events[0].At, "since when it is open": l.Since} {
			if !strings.Contains(at.String(), " m=") {
				t.Errorf("%s: %v has none", what, at)
			}
		}
		return
	}
}
