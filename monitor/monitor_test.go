package monitor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFirstSnapshotHasNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, 1, 2)
		u := s.want("")
		if !u.Ready || formatListeners(u.Snapshot.Listeners) != "tcp-3001-1=[127.0.0.1] [10]; tcp-3002-2=[127.0.0.1] []" {
			t.Errorf("first update: ready %t, %s; want both listeners, the first with its owner", u.Ready, formatListeners(u.Snapshot.Listeners))
		}
		if got := u.Snapshot.Listeners[1].OwnerUnknown; got != UnknownNotFound {
			t.Errorf("OwnerUnknown = %q, want the finder's reason %q", got, UnknownNotFound)
		}
		if got := u.Snapshot.Listeners[0].Since; !got.IsZero() {
			t.Errorf("Since = %v for a socket that was open before, want zero", got)
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
			t.Errorf("after %v: %+v; want the listener, without a reason while the search is running", firstWait, u)
		}
		s.after(2 * time.Second)
		s.want("updated tcp-3001-1<tcp-3001-1")
		cancel()
	})
}

func TestFirstSnapshotIsNotDelayedByNewSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper()}, finder: &fakeFinder{delay: time.Hour}}
		s.table.listen(1)
		s.monitor = New(s.table, s.finder, Options{})
		s.updates = s.monitor.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		go s.monitor.Run(ctx)
		all := []SocketID{1}
		for id := SocketID(2); id < 8; id++ { // one per poll, for longer than firstWait
			s.after(defaultInterval)
			all = append(all, id)
			s.table.listen(all...)
		}
		if u, _ := s.updates.Take(); !u.Ready || len(u.Snapshot.Listeners) < 4 {
			t.Errorf("ready %t with %d listeners; want those of the first %v", u.Ready, len(u.Snapshot.Listeners), firstWait)
		}
		cancel()
	})
}

func TestOpenedIncludesOwner(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = 60 * time.Millisecond
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		s.quiet() // its owner is not known yet
		s.after(60 * time.Millisecond)
		u := s.want("opened tcp-3002-2")
		l := u.Events[0].Listener
		if p, _ := l.Principal(); p.PID != 20 || l.Since.IsZero() {
			s.Errorf("opened with owner %d, since %v; want 20 and the time", p.PID, l.Since)
		}
	}, 1)
}

func TestOpenedWithoutOwnerAfterOwnerWait(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = ownerWait + 200*time.Millisecond
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval + ownerWait - time.Millisecond)
		s.quiet()
		s.after(time.Millisecond)
		u := s.want("opened tcp-3002-2")
		if l := u.Events[0].Listener; len(l.Owners) != 0 || l.OwnerUnknown != "" {
			s.Errorf("opened: owners %v, reason %q; want none before the search has ended", l.Owners, l.OwnerUnknown)
		}
		s.after(200 * time.Millisecond)
		u = s.want("updated tcp-3002-2<tcp-3002-2")
		if p, _ := u.Events[0].Listener.Principal(); p.PID != 20 {
			s.Errorf("updated with owner %d, want 20", p.PID)
		}
	}, 1)
}

func TestSocketClosedBeforeOwnerIsFound(t *testing.T) {
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
			s.Errorf("closed with owner %d, want the last owner 10", p.PID)
		}
		if u.Snapshot.Listeners == nil || len(u.Snapshot.Listeners) != 0 {
			s.Errorf("snapshot = %#v, want an empty list that is not nil", u.Snapshot.Listeners)
		}
	}, 1)
}

// The poll after a close must not mistake an empty table for an unchanged one.
func TestLastSocketsCloseInTwoPolls(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.listen(2)
		s.after(defaultInterval)
		s.want("closed tcp-3001-1")
		s.table.listen()
		s.after(defaultInterval)
		s.want("closed tcp-3002-2")
	}, 1, 2)
}

func TestSocketMissingFromOneDumpIsNotClosed(t *testing.T) {
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

func TestRestartBetweenTwoPolls(t *testing.T) {
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
		s.table.fail(errors.New("table is broken"))
		s.after(defaultInterval)
		u := s.want("")
		if !strings.Contains(u.Health.Problem, "table is broken") || !u.Ready || len(u.Snapshot.Listeners) != 1 {
			s.Errorf("update = %+v; want the problem and the old listener", u)
		}
		s.after(10 * time.Second)
		s.quiet() // a persistent problem is reported once

		s.table.fail(nil)
		s.table.listen(1, 2)
		s.after(failureInterval + ownerWait)
		if u := s.want("opened tcp-3002-2"); u.Health.Problem != "" {
			s.Errorf("Problem = %q after the table came back, want none", u.Health.Problem)
		}
	}, 1)
}

func TestErrorWhileConfirmingClose(t *testing.T) {
	watch(t, func(s *scene) {
		s.table.answerOnce(nil, nil) // one dump without the socket, then an error
		s.table.fail(errors.New("table is broken"))
		s.after(defaultInterval)
		if u := s.want(""); len(u.Snapshot.Listeners) != 1 || u.Health.Problem == "" {
			s.Errorf("update = %+v; want the listener and the problem", u)
		}
		s.table.fail(nil)
		s.table.listen()
		s.after(failureInterval)
		s.want("closed tcp-3001-1")
	}, 1)
}

func TestErrorOnFirstPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, table: &fakeTable{Sleeper: NewSleeper(), err: errors.New("table is broken")}, finder: &fakeFinder{}}
		s.monitor = New(s.table, s.finder, Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		s.updates = s.monitor.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		go s.monitor.Run(ctx)
		synctest.Wait()
		if u := s.want(""); u.Ready || u.Health.Problem == "" {
			t.Errorf("first update: ready %t, problem %q; want no snapshot yet, and the reason", u.Ready, u.Health.Problem)
		}
		s.table.fail(nil)
		s.table.listen(1)
		s.after(failureInterval)
		if u := s.want(""); !u.Ready || len(u.Snapshot.Listeners) != 1 || u.Health.Problem != "" {
			t.Errorf("update = %+v; want the first snapshot, without events", u)
		}
		cancel()
	})
}

func TestOwnerChanged(t *testing.T) {
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

// Holders are checked every few seconds even if polls are further apart.
func TestOwnerChangeIsNoticedBetweenSlowPolls(t *testing.T) {
	watch(t, func(s *scene) {
		s.monitor.SetInterval(time.Minute)
		s.after(fastDuration + recentEvery)
		polls := s.table.count()
		s.finder.holds(1, 11)
		s.after(verifyEvery + retryAfter)
		s.wantEither("owner_changed tcp-3001-1<tcp-3001-1", "updated tcp-3001-1<tcp-3001-1, owner_changed tcp-3001-1<tcp-3001-1")
		if got := s.table.count() - polls; got > 1 {
			s.Errorf("%d polls, want at most one: checks need none", got)
		}
	}, 1)
}

func TestParentExitsAndChildKeepsSocket(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20, 21)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		s.want("opened tcp-3002-2") // a Likely search ends at the first holder
		s.after(recentEvery)
		opened := s.want("updated tcp-3002-2<tcp-3002-2")
		if got := formatListeners(opened.Snapshot.Listeners[1:]); got != "tcp-3002-2=[127.0.0.1] [20 21]" {
			s.Fatalf("got %s, want both holders", got)
		}
		s.finder.holds(2, 21)
		s.after(verifyEvery + defaultInterval)
		s.want("owner_changed tcp-3002-2<tcp-3002-2")
	}, 1)
}

// An owner that is no longer visible is not an owner change.
func TestOwnerBecomesUnknown(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(1)
		s.after(verifyEvery + retryAfter + defaultInterval)
		u := s.want("updated tcp-3001-1<tcp-3001-1")
		if l := u.Snapshot.Listeners[0]; len(l.Owners) != 0 || l.OwnerUnknown != UnknownNotFound {
			s.Errorf("owners %v, reason %q; want no owners, and a reason", l.Owners, l.OwnerUnknown)
		}
	}, 1)
}

// An exiting process loses its descriptors before its sockets are closed.
func TestClosedIncludesOwnerThatIsNoLongerVisible(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(1)
		s.after(verifyEvery + retryAfter/2)
		s.table.listen()
		s.after(defaultInterval)
		u := s.want("closed tcp-3001-1")
		if o, ok := u.Events[0].Listener.Principal(); !ok || o.PID != 10 {
			s.Errorf("closed with owners %v, want 10", u.Events[0].Listener.Owners)
		}
	}, 1)
}

// Servers fork their workers after they listen.
func TestLaterWorkersAreFound(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.after(defaultInterval)
		s.want("opened tcp-3002-2")
		s.finder.holds(2, 20, 21)
		s.after(time.Second) // much earlier than recentEvery
		s.want("updated tcp-3002-2<tcp-3002-2")
		s.finder.holds(2, 20, 21, 22)
		s.after(recentEvery + defaultInterval)
		s.want("updated tcp-3002-2<tcp-3002-2")
	}, 1)
}

func TestSlowSubscriberGetsAllEventsMerged(t *testing.T) {
	watch(t, func(s *scene) {
		quick := s.monitor.Subscribe()
		if u, ok := quick.Take(); !ok || !u.Ready || len(u.Events) != 0 || len(u.Snapshot.Listeners) != 1 {
			s.Fatalf("a new subscription has %+v, %t; want the current state without events", u, ok)
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
		if got := formatListeners(u.Snapshot.Listeners); got != "tcp-3001-1=[127.0.0.1] [10]; tcp-3003-3=[127.0.0.1] []" {
			s.Errorf("snapshot = %s, want the newest", got)
		}
		s.table.listen(1)
		s.after(defaultInterval)
		if u, ok := quick.Take(); ok {
			s.Errorf("a closed subscription got the events %q", formatEvents(u.Events))
		}
		s.want("closed tcp-3003-3")
	}, 1)
}

func TestTooManyEventsAreReplacedByDiff(t *testing.T) {
	var b subscribers
	s := b.add()
	first, last := snapshotOf(testListener("a", 1, 10)), snapshotOf(testListener("b", 2, 10))
	b.publish(Update{Snapshot: first, Ready: true})
	s.Take()
	for range maxPending/2 + 1 {
		b.publish(Update{Snapshot: last, Ready: true, Events: Diff(first, last)})
		b.publish(Update{Snapshot: first, Ready: true, Events: Diff(last, first)})
	}
	b.publish(Update{Snapshot: last, Ready: true, Events: Diff(first, last)})
	u, _ := s.Take()
	if len(u.Events) > maxPending {
		t.Fatalf("%d events are pending, want at most %d", len(u.Events), maxPending)
	}
	wantSame(t, Apply(first, u.Events), last)
}

// What was excluded by a setting while a subscriber was slow was not closed.
func TestCoalescedEventsKeepUnlisted(t *testing.T) {
	var b subscribers
	s := b.add()
	udp, tcp, other := testListener("udp", 1, 10), testListener("tcp", 2, 10), testListener("other", 3, 10)
	first, last := snapshotOf(udp, tcp), snapshotOf()
	b.publish(Update{Snapshot: first, Ready: true})
	s.Take()
	unlist := Diff(snapshotOf(udp, tcp), snapshotOf(tcp))
	unlist[0].Kind = Unlisted
	b.publish(Update{Snapshot: snapshotOf(tcp), Ready: true, Events: unlist})
	for range maxPending {
		b.publish(Update{Snapshot: snapshotOf(tcp, other), Ready: true, Events: Diff(snapshotOf(tcp), snapshotOf(tcp, other))})
		b.publish(Update{Snapshot: snapshotOf(tcp), Ready: true, Events: Diff(snapshotOf(tcp, other), snapshotOf(tcp))})
	}
	b.publish(Update{Snapshot: last, Ready: true, Events: Diff(snapshotOf(tcp), last)})
	u, _ := s.Take()
	kinds := map[string]Kind{}
	for _, e := range u.Events {
		kinds[e.Listener.ID] = e.Kind
	}
	if kinds["udp"] != Unlisted || kinds["tcp"] != Closed {
		t.Errorf("got %v, want udp unlisted and tcp closed", kinds)
	}
	wantSame(t, Apply(first, u.Events), last)
}

func TestRefreshPollsImmediately(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.holds(2, 20)
		s.table.listen(1, 2)
		s.monitor.Refresh()
		s.monitor.Refresh() // two requests are one poll
		synctest.Wait()
		s.want("opened tcp-3002-2")
		if got := s.table.count(); got > 3 {
			s.Errorf("%d polls, want the first and one or two more", got)
		}
	}, 1)
}

// Polls at the interval may rely on cheaper evidence that nothing changed; Refresh
// and the confirmation of a close may not.
func TestFreshPolls(t *testing.T) {
	watch(t, func(s *scene) {
		s.after(time.Minute)
		before := s.table.countFresh()
		s.after(time.Minute)
		if n := s.table.countFresh() - before; n != 0 {
			s.Errorf("%d fresh polls in a minute without changes, want none", n)
		}
		s.monitor.Refresh()
		synctest.Wait()
		if n := s.table.countFresh() - before; n != 1 {
			s.Errorf("%d fresh polls after Refresh, want 1", n)
		}
		s.table.listen()
		s.after(defaultInterval)
		if n := s.table.countFresh() - before; n != 2 {
			s.Errorf("%d fresh polls after a close, want 1 more", n-1)
		}
	}, 1)
}

// synctest.Test fails if a goroutine of the bubble is left.
func TestRunEndsDuringSearch(t *testing.T) {
	watch(t, func(s *scene) {
		s.finder.delay = time.Hour
		s.table.listen(1, 2)
		s.monitor.Refresh()
		synctest.Wait()
		before := time.Now()
		s.stop()
		if took := time.Since(before); took != 0 {
			s.Errorf("Run returned after %v, want immediately", took)
		}
	}, 1)
}

func TestUnchangedListenersKeepTheirPointers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, 1)
		before := s.want("").Snapshot.Listeners[0]
		s.table.listen(1, 2)
		s.after(defaultInterval)
		if after := s.want("opened tcp-3002-2").Snapshot.Listeners[0]; after != before {
			t.Errorf("the listener of port 3001 was rebuilt: %p, then %p", before, after)
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
		t.Errorf("Scan = %+v, %v; want only port 3002, described", s.Listeners, err)
	}
}

// Owners of other ports are not searched; if none of the ports is open, there is no
// search.
func TestPorts(t *testing.T) {
	table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
	table.listen(1, 2)
	finder.holds(1, 10)
	finder.holds(2, 11)
	scan := func(port uint16) (string, int) {
		t.Helper()
		s, err := New(table, finder, Options{Ports: Ports{{port, port}}}).Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return formatListeners(s.Listeners), len(finder.searches)
	}
	if got, n := scan(3002); got != "tcp-3002-2=[127.0.0.1] [11]" || n != 1 || len(finder.searches[0]) != 1 {
		t.Errorf("port 3002: %s, searched %v; want its listener, and a search for its socket only", got, finder.searches)
	}
	if got, n := scan(3003); got != "" || n != 1 {
		t.Errorf("port 3003: %q after %d searches; want nothing, and no further search", got, n)
	}
}

// New information of Describe updates only the listener that it is about.
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

func TestScan(t *testing.T) {
	table, finder := &fakeTable{Sleeper: NewSleeper()}, &fakeFinder{}
	table.listen(1)
	finder.holds(1, 10, 11)
	s, err := New(table, finder, Options{}).Scan(t.Context())
	if got := formatListeners(s.Listeners); err != nil || got != "tcp-3001-1=[127.0.0.1] [10 11]" {
		t.Errorf("Scan = %s, %v; want the listener with both owners", got, err)
	}
	if s, err := New(&fakeTable{Sleeper: NewSleeper()}, finder, Options{}).Scan(t.Context()); err != nil || s.Listeners == nil {
		t.Errorf("Scan of an empty table = %#v, %v; want an empty list that is not nil", s.Listeners, err)
	}
	if _, err := New(&fakeTable{Sleeper: NewSleeper(), err: io.ErrUnexpectedEOF}, finder, Options{}).Scan(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Scan of a failing table: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(table, finder, Options{}).Scan(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan after the end of ctx: %v, want %v", err, context.Canceled)
	}
}

// Applying the events always yields the snapshot, which equals the table at the
// end, no matter what opens, closes, fails or is missed.
func TestEventsLeadToSnapshot(t *testing.T) {
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
				s.table.answerOnce(nil, errors.New("table is broken"))
			}
			if i%5 == 0 {
				s.table.answerOnce(sockets(1, 2), nil)
			}
			s.after(time.Duration(i%7) * 40 * time.Millisecond)
			if u, ok := s.updates.Take(); ok {
				have = Apply(have, u.Events)
				wantSame(s.T, have, u.Snapshot)
			}
		}
		s.table.listen(2, 4)
		s.after(10 * time.Second)
		u, _ := s.updates.Take()
		have = Apply(have, u.Events)
		if got := formatSnapshot(have); got != "[tcp-3002-2: 2; tcp-3004-4: 4]" {
			s.Errorf("at the end %s, want sockets 2 and 4", got)
		}
	}, 1)
}

func TestSetUDPDiscoversAndUnlists(t *testing.T) {
	watch(t, func(s *scene) {
		bound := sockets(2)
		bound[0].Protocol = UDP
		s.table.set(append(sockets(1), bound...))
		s.after(time.Minute)
		s.quiet()
		s.monitor.SetUDP(true)
		s.after(time.Second)
		s.want("discovered udp-3002-2")
		s.monitor.SetUDP(false)
		s.after(time.Second)
		s.want("unlisted udp-3002-2")
		s.monitor.SetUDP(true)
		s.after(time.Second)
		s.want("discovered udp-3002-2")
		s.table.listen(1)
		s.after(time.Second)
		s.want("closed udp-3002-2")
		s.table.set(append(sockets(1), bound...))
		s.after(time.Second)
		if u := s.want("opened udp-3002-2"); u.Events[0].Listener.Since.IsZero() {
			t.Error("a UDP socket that opened while UDP was polled has no Since")
		}
	}, 1)
}

// After shutdown(2), bind and listen on one descriptor between two polls, the
// socket has the same cookie.
func TestSocketThatMovesToAnotherPort(t *testing.T) {
	watch(t, func(s *scene) {
		moved := sockets(1)
		moved[0].Port = 4000
		s.table.set(moved)
		s.after(time.Second)
		s.want("closed tcp-3001-1, opened tcp-4000-1")
	}, 1)
}

// A change is often followed by others, so polling is faster for three seconds.
func TestPollingIsFasterAfterChange(t *testing.T) {
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
			if polls, want := s.table.count()-before, int(time.Second/fastInterval); polls < want-1 || polls > want+1 {
				t.Errorf("%d polls in the second after %s, want %d", polls, change.name, want)
			}
			s.after(fastDuration)
			before = s.table.count()
			s.after(time.Second)
			if polls, want := s.table.count()-before, int(time.Second/defaultInterval); polls < want-1 || polls > want+1 {
				t.Errorf("%d polls in a second long after %s, want %d", polls, change.name, want)
			}
		}
	}, 1)
}

func TestSetInterval(t *testing.T) {
	watch(t, func(s *scene) {
		s.after(time.Minute)
		s.monitor.SetInterval(time.Second)
		s.after(time.Minute)
		before := s.table.count()
		s.after(time.Minute)
		if polls := s.table.count() - before; polls < 59 || polls > 61 {
			t.Errorf("%d polls in a minute, want one per second", polls)
		}
	}, 1)
}

// hintingTable is a fakeTable that watches for exits.
type hintingTable struct {
	*fakeTable
	mu      sync.Mutex
	watched []int
	hint    Hint
}

func (h *hintingTable) WatchExits(pids []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched = pids
}

func (h *hintingTable) Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint) {
	closed, _ = h.fakeTable.Wait(d, closed)
	h.mu.Lock()
	defer h.mu.Unlock()
	hint := h.hint
	h.hint = 0
	return closed, hint
}

func TestExitOfOwnerIsVerifiedImmediately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &hintingTable{fakeTable: &fakeTable{Sleeper: NewSleeper()}}
		s := startWith(t, table, table.fakeTable, 1)
		s.after(verifyEvery + time.Millisecond) // the last verification is just over
		s.want("")
		table.mu.Lock()
		if !slices.Equal(table.watched, []int{10}) {
			t.Errorf("watched %v, want the owner", table.watched)
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

// A search that finds nothing reads all processes: short-lived listeners must not
// keep a core busy with that.
func TestPauseAfterUnsuccessfulSearch(t *testing.T) {
	watch(t, func(s *scene) {
		s.after(time.Minute)
		s.finder.mu.Lock()
		s.finder.delay, s.finder.likely = 50*time.Millisecond, 0
		s.finder.mu.Unlock()
		const polls = 100
		for id := range SocketID(polls) { // another one at each poll
			s.table.listen(1, 1000+id)
			s.after(fastInterval)
		}
		s.finder.mu.Lock()
		defer s.finder.mu.Unlock()
		if most := int(polls * fastInterval / (50 * time.Millisecond * restFactor)); s.finder.likely > most || s.finder.likely < most/4 {
			t.Errorf("%d searches, want at most %d, and not much fewer", s.finder.likely, most)
		}
	}, 1)
}

// Setting the clock must not change how long a port was open, so both times need
// their monotonic reading.
func TestTimesKeepMonotonicReading(t *testing.T) { // not in a bubble, whose clock has none
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
			t.Fatal("no event after 20 s")
		}
		u, _ := updates.Take()
		if len(u.Events) == 0 {
			table.listen(1)
			continue
		}
		l := u.Snapshot.Listeners[0]
		for what, at := range map[string]time.Time{"time of the snapshot": u.Snapshot.TakenAt, "time of the event": u.Events[0].At, "time of opening": l.Since} {
			if !strings.Contains(at.String(), " m=") {
				t.Errorf("%s: %v has no monotonic reading", what, at)
			}
		}
		return
	}
}
