package monitor

import (
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakePrograms is a ProcessSource and the table that waits for its descriptor.
type fakePrograms struct {
	*fakeTable
	mu      sync.Mutex
	started []int
	running map[int]bool
	armed   bool
	fired   bool
	exits   map[int]Exit
	life    map[int]Life
	watched []Owner
	asked   int
}

func (f *fakePrograms) Descriptor() int { return 3 }

func (f *fakePrograms) WaitFor(int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
	return nil
}

func (f *fakePrograms) Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint) {
	closed, hint := f.fakeTable.Wait(d, closed)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fired {
		hint |= Readable
	}
	f.fired = false
	return closed, hint
}

// start starts programs, which run until end.
func (f *fakePrograms) start(pids ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, pid := range pids {
		f.started = append(f.started, pid)
		f.running[pid] = true
	}
	if f.armed {
		f.armed, f.fired = false, true
		f.Wake()
	}
}

func (f *fakePrograms) end(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[pid] = false
}

// exit sets how a process ended, or that it is still ending.
func (f *fakePrograms) exit(pid int, e Exit, l Life) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exits[pid], f.life[pid] = e, l
}

func (f *fakePrograms) Started(pids []int) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	pids = append(pids, f.started...)
	f.started = nil
	return pids
}

func (f *fakePrograms) Running(pid int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[pid]
}

func (f *fakePrograms) Watch(owners []Owner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watched = owners
}

func (f *fakePrograms) Exit(o Owner) (Exit, Life) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return f.exits[o.PID], f.life[o.PID]
}

// programs runs test with a Monitor that has polled a table with the sockets ids, the
// first held by process 10, and that knows which programs start and how they end.
func programs(t *testing.T, test func(*scene, *fakePrograms), ids ...SocketID) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeTable{Sleeper: NewSleeper()}
		f := &fakePrograms{fakeTable: fake, running: map[int]bool{}, exits: map[int]Exit{}, life: map[int]Life{}}
		s := &scene{T: t, table: fake, finder: &fakeFinder{}}
		s.table.listen(ids...)
		s.finder.holds(1, 10)
		s.run(New(f, s.finder, Options{Programs: f, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}))
		s.after(5 * time.Second) // the polls after the first one have ended
		s.updates.Take()
		test(s, f)
		s.stop()
	})
}

func TestStartOfAProgramMakesPollsFrequent(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		for _, age := range []time.Duration{40 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second, 11 * time.Second} {
			f.start(7)
			s.after(age)
			s.table.listen(1)
			late := max(age/startupShare, startupInterval) + time.Millisecond
			s.after(late)
			if _, ok := s.updates.Take(); !ok {
				t.Errorf("a server that listened %v after its start was not reported %v later", age, late)
			}
			s.table.listen()
			s.after(time.Minute)
			s.updates.Take()
		}
	})
}

// pollsIn returns the number of polls within d.
func pollsIn(s *scene, d time.Duration) int {
	before := s.table.count()
	s.after(d)
	return s.table.count() - before
}

func TestPollsWithoutStartsAreAsRareAsBefore(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		if got, want := pollsIn(s, time.Minute), int(time.Minute/defaultInterval); got > want {
			t.Errorf("got %d polls in a minute, want %d", got, want)
		}
		f.start(7)
		s.after(time.Minute)
		if got, want := pollsIn(s, time.Minute), int(time.Minute/defaultInterval); got > want {
			t.Errorf("got %d polls in the second minute after a start, want %d", got, want)
		}
	})
}

// Most programs end soon and never listen.
func TestPollsEndSoonAfterTheProgram(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		f.start(7)
		s.after(3 * time.Millisecond)
		f.end(7)
		s.after(30 * time.Millisecond)
		if got := pollsIn(s, 10*time.Second); got > 10*4+1 {
			t.Errorf("got %d polls in the ten seconds after a program that ran for 3 ms, want %d", got, 10*4)
		}
	})
}

// A program may leave a server in the background when it ends.
func TestDaemonIsSeenAfterItsParentHasEnded(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		f.start(7)
		s.after(300 * time.Millisecond)
		f.end(7)
		s.after(100 * time.Millisecond)
		s.table.listen(1)
		s.after(startupInterval + time.Millisecond)
		if _, ok := s.updates.Take(); !ok {
			t.Error("the server in the background was not reported within the shortest interval")
		}
	})
}

// Somebody who works starts a program every few seconds, and many of them run on. Only
// programs that have just started may use the whole budget.
func TestProgramsThatRunOnLeaveBudgetForNewOnes(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		for i := range 60 {
			f.start(1000 + i)
			s.after(900 * time.Millisecond)
			s.table.listen(1)
			s.after(900*time.Millisecond/startupShare + time.Millisecond)
			if _, ok := s.updates.Take(); !ok {
				t.Fatalf("server %d, which listened 900 ms after its start, was not reported 2 %% of that later", i+1)
			}
			s.table.listen()
			s.after(4 * time.Second)
			s.updates.Take()
		}
	})
}

// A build starts hundreds of programs a second, for minutes.
func TestBudgetLimitsPollsInAStorm(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		storm := func(seconds int) (polls int) {
			begin := s.table.count()
			for i := range seconds * 500 {
				f.start(1000 + i)
				f.end(1000 + i - 20) // each runs for 40 ms
				s.after(2 * time.Millisecond)
			}
			return s.table.count() - begin
		}
		storm(30) // uses up what was saved
		limit := 60 * (startupRate + int(time.Second/defaultInterval) + 1)
		if polls := storm(60); polls > limit {
			t.Errorf("got %d polls in a minute with 500 starts a second, want at most %d", polls, limit)
		}
		s.table.listen(1)
		s.after(defaultInterval + time.Millisecond)
		if _, ok := s.updates.Take(); !ok {
			t.Error("a server that opened during the storm was reported later than without it")
		}
	})
}

func TestClosedSaysHowItsOwnerEnded(t *testing.T) {
	status := 3
	for name, c := range map[string]struct {
		exit Exit
		life Life
		want Exit
	}{
		"with a status":    {ExitStatus(status), Ended, ExitStatus(status)},
		"by a signal":      {Exit{Signal: "SIGSEGV", CoreDumped: true}, Ended, Exit{Signal: "SIGSEGV", CoreDumped: true}},
		"unknown":          {Exit{}, Ended, Exit{}},
		"is still running": {Exit{}, Alive, Exit{}},
		"hangs":            {Exit{}, Exiting, Exit{}},
	} {
		t.Run(name, func(t *testing.T) {
			programs(t, func(s *scene, f *fakePrograms) {
				f.exit(10, c.exit, c.life)
				s.table.listen()
				s.after(defaultInterval + exitWait + 10*time.Millisecond)
				u := s.want("closed tcp-3001-1")
				got := u.Events[0].Exit
				if got.Known() != c.want.Known() || got.Signal != c.want.Signal || got.CoreDumped != c.want.CoreDumped || got.Status != nil && *got.Status != status {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
			}, 1)
		})
	}
}

// The kernel closes the sockets of a process before it reports its exit.
func TestCloseWaitsForTheExit(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		f.exit(10, Exit{}, Exiting)
		s.table.listen()
		s.after(defaultInterval + 20*time.Millisecond)
		s.quiet()
		f.exit(10, ExitStatus(3), Ended)
		s.after(exitWait / checkShare)
		if u := s.want("closed tcp-3001-1"); u.Events[0].Status == nil || *u.Events[0].Status != 3 {
			t.Errorf("got exit %+v, want status 3", u.Events[0].Exit)
		}
	}, 1)
}

// Some programs close their sockets before they end. A process that closes its port and
// runs on does not wait long for that, and not at all where its end is never known.
func TestCloseOfARunningProcess(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		f.exit(10, Exit{}, Alive)
		s.table.listen()
		s.after(defaultInterval + aliveWait/2)
		f.exit(10, ExitStatus(1), Ended)
		s.after(aliveWait / 4)
		if u := s.want("closed tcp-3001-1"); !u.Events[0].Crashed() {
			t.Errorf("got exit %+v, want status 1", u.Events[0].Exit)
		}
	}, 1)
	for life, wait := range map[Life]time.Duration{Alive: aliveWait + aliveWait/checkShare, NeverKnown: 0} {
		programs(t, func(s *scene, f *fakePrograms) {
			f.exit(10, Exit{}, life)
			s.table.listen()
			s.after(defaultInterval + wait + time.Microsecond)
			s.want("closed tcp-3001-1")
		}, 1)
	}
}

func TestSharedListenerIsNotClosedByACrash(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		s.finder.holds(1, 10, 11)
		s.after(20 * time.Second) // the second holder is found
		s.updates.Take()
		f.exit(11, ExitStatus(3), Ended)
		s.finder.holds(1, 10)
		s.after(time.Minute)
		u, _ := s.updates.Take()
		if slices.ContainsFunc(u.Events, func(e Event) bool { return e.Kind == Closed || e.Exit.Known() }) {
			t.Errorf("got %s, want no close and no exit", formatEvents(u.Events))
		}
	}, 1)
}

func TestWatchedProcessesAreTheOwners(t *testing.T) {
	programs(t, func(s *scene, f *fakePrograms) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.watched) != 1 || f.watched[0].PID != 10 {
			t.Errorf("watched %+v, want process 10", f.watched)
		}
	}, 1)
}
