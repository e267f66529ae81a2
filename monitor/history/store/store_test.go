package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/history"
)

func TestEventsAreStored(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := p.open(listener(5432, 1))
	other := p.change(monitor.OwnerChanged, l, withOwner(l, "python3", 77))
	wide := *other
	wide.Exposure = monitor.ExposureNetwork
	last := p.change(monitor.ExposureChanged, other, &wide)
	p.end(monitor.Closed, last)
	write(s, p)

	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "opened 5432, owner_changed 5432, exposure_changed 5432, closed 5432")
	if len(all) != 4 {
		t.FailNow()
	}
	opened, ownerChanged, exposureChanged, closed := all[3], all[2], all[1], all[0]
	want(t, "owner that opened it", opened.Owner.Name+" "+opened.Owner.Project+" "+opened.Owner.User+" "+opened.Owner.Service, "node acme-web ann Vite")
	want(t, "command", strings.Join(opened.Owner.Command, " "), "node server.js --password=••• --port 5432")
	want(t, "folder and program", opened.Owner.Folder+" "+opened.Owner.Program, "/home/ann/acme-web /usr/bin/node")
	want(t, "address", opened.Addresses[0].String(), "127.0.0.1")
	want(t, "listener ID and boot ID", opened.Listener+" "+opened.Boot, l.ID+" boot")
	want(t, "time", opened.At.Equal(l.Since) && opened.OpenedAt.Equal(l.Since), true)
	want(t, "time zone", opened.At.Location(), time.UTC)
	if ownerChanged.OwnerBefore == nil || ownerChanged.OwnerBefore.Name != "node" || ownerChanged.OwnerBefore.PID != 1001 || ownerChanged.Owner.PID != 77 {
		t.Errorf("owner changed from %+v to %+v", ownerChanged.OwnerBefore, ownerChanged.Owner)
	}
	want(t, "previous exposure", exposureChanged.ExposureBefore, monitor.ExposureLoopback)
	want(t, "duration", closed.Duration, 3*time.Second)
	want(t, "certainty", closed.Certainty(), history.Exact)

	events, err := OpenReader(path).ListenerEvents(t.Context(), l.ID)
	if err != nil || len(events) != 4 || events[0].Kind != monitor.Opened {
		t.Errorf("ListenerEvents: got %v, %v", events, err)
	}
	tenure, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 5432, Last: 5432}})
	if err != nil || !ok || tenure.Owner.Name != "python3" || !tenure.From.Equal(ownerChanged.At) || !tenure.To.Equal(closed.At) || tenure.AlreadyOpen {
		t.Errorf("LastOwner: got %+v, %v, %v; want python3 since the owner change", tenure, ok, err)
	}
	if _, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.UDP, monitor.Ports{{First: 5432, Last: 5432}}); ok || err != nil {
		t.Errorf("LastOwner of the UDP port: got %v, %v", ok, err)
	}
	if _, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 5433, Last: 5433}}); ok || err != nil {
		t.Errorf("LastOwner of an unused port: got %v, %v", ok, err)
	}
	for _, c := range []struct {
		q    history.Query
		want int
	}{
		{history.Query{}, 4},
		{history.Query{Text: "python3"}, 3}, // also as the new owner
		{history.Query{Ports: monitor.Ports{{First: 5433, Last: 6000}}}, 0},
	} {
		c.q.Since, c.q.Until = opened.At.Add(-time.Minute), opened.At.Add(time.Minute)
		hours, err := OpenReader(path).CountByHour(t.Context(), c.q)
		n := 0
		for _, h := range hours {
			n += h.Count
			want(t, "start of an hour", h.Start, h.Start.Truncate(time.Hour))
		}
		if err != nil || n != c.want {
			t.Errorf("CountByHour(%+v): got %v, %v; want %d events in total", c.q, hours, err, c.want)
		}
	}
}

// How the user stopped the owners is stored with the event that closed the port.
func TestStoppedByTheUser(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	p.end(monitor.Closed, p.open(listener(3000, 1)))
	p.events[1].Stopped = "SIGTERM"
	p.end(monitor.Closed, p.open(listener(3001, 2)))
	write(s, p)
	for _, e := range events(t, path, history.Query{}) {
		how := ""
		if e.Kind == monitor.Closed && e.Port == 3000 {
			how = "SIGTERM"
		}
		want(t, fmt.Sprintf("how %s %d was stopped", e.Kind, e.Port), e.Stopped, how)
	}
}

// How the owner ended is stored with the event that closed the port.
func TestHowTheOwnerEnded(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	exits := []monitor.Exit{{}, monitor.ExitStatus(0), monitor.ExitStatus(3), {Signal: "SIGSEGV", CoreDumped: true}, {Signal: "SIGKILL", OutOfMemory: true}}
	p := &timeline{}
	for i, exit := range exits {
		p.end(monitor.Closed, p.open(listener(uint16(3000+i), i+1)))
		p.events[len(p.events)-1].Exit = exit
	}
	write(s, p)
	for _, e := range events(t, path, history.Query{}) {
		wanted := monitor.Exit{}
		if e.Kind == monitor.Closed {
			wanted = exits[e.Port-3000]
		}
		if !reflect.DeepEqual(e.Exit, wanted) {
			t.Errorf("exit of %s %d: got %+v, want %+v", e.Kind, e.Port, e.Exit, wanted)
		}
	}
}

func TestMissingFileIsEmpty(t *testing.T) {
	r := OpenReader(testPath(t))
	all, err := r.Events(t.Context(), history.Query{})
	_, ok, err2 := r.LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 80, Last: 80}})
	if err := errors.Join(err, err2); err != nil || len(all) > 0 || ok {
		t.Errorf("got %v, %v, %v; want nothing and no error", all, ok, err)
	}
}

func TestQueries(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	debugged := listener(3000, 1)
	debugged.Owners[0].Command = append(debugged.Owners[0].Command, "--inspect=9229")
	p.open(debugged)
	p.open(withOwner(listener(3001, 2), "postgres", 5))
	udp := listener(5353, 3)
	udp.Protocol = monitor.UDP
	p.open(udp)
	l := listener(8080, 4)
	k := p.change(monitor.OwnerChanged, p.open(l), withOwner(l, "Ümlaut", 9))
	p.end(monitor.Closed, k)
	write(s, p)
	all := events(t, path, history.Query{UDP: true})
	at := all[2].At // 8080 opened
	for _, c := range []struct {
		q    history.Query
		want string
	}{
		{history.Query{}, "opened 3000, opened 3001, opened 8080, owner_changed 8080, closed 8080"},
		{history.Query{UDP: true, Limit: 4}, "opened 5353, opened 8080, owner_changed 8080, closed 8080"},
		{history.Query{Ports: monitor.Ports{{First: 3000, Last: 3000}, {First: 3001, Last: 5000}}}, "opened 3000, opened 3001"},
		{history.Query{Ports: monitor.Ports{}}, ""},
		{history.Query{Text: "NODE acme"}, "opened 3000, opened 8080, owner_changed 8080"},
		{history.Query{Text: "postgres node"}, ""},
		{history.Query{Text: "üml"}, "owner_changed 8080, closed 8080"},
		{history.Query{Text: "hunter2"}, ""},
		{history.Query{Text: "node -nobody"}, "opened 3000, opened 8080, owner_changed 8080"},
		{history.Query{Text: "-node"}, "opened 3001, owner_changed 8080, closed 8080"}, // only the new owner counts
		{history.Query{Text: "-node -postgres"}, "owner_changed 8080, closed 8080"},
		{history.Query{Text: "%"}, ""},
		{history.Query{Text: "300"}, "opened 3000, opened 3001"},
		{history.Query{Text: "-300 -9"}, "opened 8080"},
		{history.Query{Text: "5"}, "opened 3001"},
		{history.Query{Text: "9229"}, "opened 3000"}, // in its command line, as on the Ports page
		{history.Query{Text: "-9229"}, "opened 3001, opened 8080, owner_changed 8080, closed 8080"},
		{history.Query{Text: "1004"}, "opened 8080, owner_changed 8080"}, // the PID, also of the previous owner
		{history.Query{Text: "127.0.0.1 postgres"}, "opened 3001"},
		{history.Query{Text: "0.0.1"}, ""},
		{history.Query{Text: "-127.0"}, ""},
		{history.Query{Since: at}, "opened 8080, owner_changed 8080, closed 8080"},
		{history.Query{Until: at}, "opened 3000, opened 3001"},
		{history.Query{Before: all[0].Position(), Limit: 1}, "owner_changed 8080"},
	} {
		want(t, c.q.Text+" "+c.q.Ports.String(), kinds(events(t, path, c.q)), c.want)
	}
}

func TestPagesHaveNoGapsOrDuplicates(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	for n := range 95 {
		p.open(listener(uint16(4000+n), n))
	}
	write(s, p)
	seen := map[int64]bool{}
	q := history.Query{Limit: 10}
	for {
		page := events(t, path, q)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if seen[e.ID] || !q.Before.IsZero() && e.Position().Compare(q.Before) >= 0 {
				t.Fatalf("event %d is a duplicate or out of order", e.ID)
			}
			seen[e.ID] = true
			q.Before = e.Position()
		}
	}
	want(t, "events on all pages", len(seen), 95)
}

// By default only listeners that accept loopback connections are returned.
func TestOldestFirst(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	for n := range 5 {
		p.open(listener(uint16(1+n), n))
	}
	write(s, p)
	first := events(t, path, history.Query{OldestFirst: true, Limit: 2})
	want(t, "first page", kinds(first), "opened 2, opened 1")
	want(t, "second page", kinds(events(t, path, history.Query{OldestFirst: true, After: first[1].Position(), Limit: 2})), "opened 4, opened 3")
}

// Events are ordered by their time, also those that were stored after later ones. Pages in both
// directions contain each event once, also those of one moment.
func TestPagesAreOrderedByTime(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	for n := range 12 {
		p.open(listener(uint16(4000+n), n))
	}
	write(s, p)
	for n, back := range []time.Duration{9 * time.Second, 5 * time.Second, 5 * time.Second} { // as attempts that have ended
		s.Add(monitor.Event{At: p.now.Add(-back), Kind: monitor.Attempted, Listener: monitor.ClosedPort(uint16(5000 + n)), Attempts: 3})
	}
	s.Flush()
	for _, oldestFirst := range []bool{false, true} {
		var ports []string
		q := history.Query{Limit: 2, OldestFirst: oldestFirst}
		for len(ports) < 20 {
			page := events(t, path, q)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				ports = append(ports, fmt.Sprint(e.Port))
			}
			if last := page[len(page)-1].Position(); oldestFirst {
				q.After = last
			} else {
				q.Before = last
			}
		}
		ordered := []string{"4000", "4001", "4002", "4003", "5000", "4004", "4005", "4006", "4007", "5001", "5002", "4008", "4009", "4010", "4011"}
		if !oldestFirst {
			slices.Reverse(ordered)
		}
		want(t, fmt.Sprintf("ports, oldest first %t", oldestFirst), strings.Join(ports, " "), strings.Join(ordered, " "))
	}
}

func TestAllAddresses(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := listener(80, 1)
	l.Addresses = parseAddresses("192.168.1.7")
	p.open(l)
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{})), "")
	want(t, "all events", kinds(events(t, path, history.Query{AllAddresses: true})), "opened 80")
}

func TestLateOwnerCompletesOpened(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := p.open(withOwner(listener(80, 1), "", 0))
	write(s, p)
	want(t, "owner at first", events(t, path, history.Query{})[0].Owner.Name, "")
	k := p.change(monitor.Updated, l, withOwner(l, "nginx", 9))
	p.change(monitor.Updated, k, withOwner(l, "other", 10)) // a later owner did not open it
	write(s, p)
	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "opened 80")
	want(t, "owner", all[0].Owner.Name, "nginx")
	want(t, "PID", all[0].Owner.PID, 9)
}

func TestLateOwnerOfTwoAddressesCompletesBoth(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	a, b := p.open(withOwner(listener(80, 1), "", 0)), p.open(withOwner(listener(80, 2), "", 0))
	write(s, p)
	both := withOwner(a, "nginx", 9)
	both.Sockets = slices.Concat(a.Sockets, b.Sockets)
	p.listens = []*monitor.Listener{both}
	at := p.at()
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: both, Before: b})
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: both, Before: a})
	write(s, p)
	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "opened 80, opened 80")
	for _, e := range all {
		want(t, "owner", e.Owner.Name, "nginx")
		want(t, "PID", e.Owner.PID, 9)
	}
}

// Both times have monotonic readings, so the duration is exact even if the clock is
// set; the file only stores wall clock microseconds.
func TestDurationWithinOneRunIgnoresFile(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{now: time.Now().Truncate(time.Microsecond).Add(999 * time.Nanosecond)}
	l := p.open(listener(80, 1))
	write(s, p)
	p.now = p.now.Add(time.Nanosecond)
	p.end(monitor.Closed, l)
	write(s, p)
	want(t, "duration", events(t, path, history.Query{})[0].Duration, 2*time.Second)
}

func TestSeenOwnerReplacesInferredOne(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	guessed := withOwner(listener(80, 1), "", 0)
	guessed.Inferred = &monitor.Owner{PID: 8, Name: "wrapper"}
	l := p.open(guessed)
	write(s, p)
	want(t, "owner at first", events(t, path, history.Query{})[0].Owner.Name, "wrapper")
	p.end(monitor.Closed, p.change(monitor.Updated, l, withOwner(listener(80, 1), "nginx", 9)))
	write(s, p)
	opened := events(t, path, history.Query{})[1]
	want(t, "owner", opened.Owner.Name, "nginx")
	want(t, "inferred", opened.Owner.Inferred, false)
}

func TestOwnerFoundAtCloseCompletesOpened(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := p.open(withOwner(listener(80, 1), "", 0))
	write(s, p)
	p.end(monitor.Closed, withOwner(l, "nginx", 9))
	write(s, p)
	want(t, "owner", events(t, path, history.Query{})[1].Owner.Name, "nginx")
}

func TestUnlistedListenerIsNotClosed(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	p.end(monitor.Unlisted, p.open(listener(80, 1)))
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{})), "opened 80")
	s.Close()
	s, _ = open(t, path, Options{})
	write(s, p)
	want(t, "events after a restart", kinds(events(t, path, history.Query{})), "opened 80")
	tenure, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 80, Last: 80}})
	if err != nil || !ok || !tenure.To.IsZero() {
		t.Errorf("LastOwner: got %+v, %v, %v; want an unknown end", tenure, ok, err)
	}
}

func TestMergedAndSplitListenersNeitherOpenNorClose(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	a, b := p.open(listener(80, 1)), p.open(listener(80, 2))
	both := *a
	both.Sockets = append(append([]monitor.HeldSocket(nil), a.Sockets...), b.Sockets...)
	p.listens = []*monitor.Listener{&both}
	at := p.at()
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: &both, Before: b})
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: &both, Before: a})
	write(s, p)
	s.Close()
	// It continues after a restart, split again.
	s, _ = open(t, path, Options{})
	p.listens = []*monitor.Listener{a, b}
	at = p.at()
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: b, Before: &both})
	p.add(monitor.Event{At: at, Kind: monitor.Updated, Listener: a, Before: &both})
	p.end(monitor.Closed, b)
	p.end(monitor.Closed, a)
	write(s, p)
	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "opened 80, opened 80, closed 80, closed 80")
	for _, e := range all {
		want(t, "already open", e.AlreadyOpen, false)
	}
}

func TestNextStartClosesVanishedListeners(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	stays, vanishes := p.open(listener(3000, 1)), p.open(listener(5432, 2))
	s.Record(p.next())
	s.Close()

	stays.Since = time.Time{} // as a new monitor reports it
	p.listens = []*monitor.Listener{stays, listener(8080, 3)}
	s, _ = open(t, path, Options{})
	write(s, p)
	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "opened 3000, opened 5432, closed 5432 unobserved, discovered 8080")
	closed := all[1]
	want(t, "owner", closed.Owner.Name, "node")
	want(t, "certainty", closed.Certainty(), history.AtMost)
	want(t, "maximum duration", closed.Duration, closed.At.Sub(vanishes.Since))
	want(t, "found", all[0].AlreadyOpen, true)

	// It closes now; its duration counts from the first run.
	p.end(monitor.Closed, stays)
	write(s, p)
	last := events(t, path, history.Query{})[0]
	want(t, "newest event", kinds([]history.Event{last}), "closed 3000")
	want(t, "certainty", last.Certainty(), history.Exact)
	want(t, "opening time", last.OpenedAt, events(t, path, history.Query{Ports: monitor.Ports{{First: 3000, Last: 3000}}})[1].At)
	tenure, _, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 5432, Last: 5432}})
	if err != nil || !tenure.Unobserved {
		t.Errorf("LastOwner: got %+v, %v; want an unobserved end", tenure, err)
	}
}

func TestSameIDAfterRebootIsAnotherListener(t *testing.T) {
	path := testPath(t)
	p := &timeline{}
	p.open(listener(3000, 1))
	u := p.next()
	for _, c := range []struct{ boot, want string }{
		{"one", "opened 3000"},
		{"two", "opened 3000, closed 3000 unobserved, discovered 3000"},
	} {
		s, _ := open(t, path, Options{Boot: c.boot})
		s.Record(u)
		s.Close()
		u.Events = nil
		want(t, "boot "+c.boot, kinds(events(t, path, history.Query{})), c.want)
	}
}

// Without boot IDs, a listener with the same process is the same listener.
func TestWithoutBootIDOwnerDecides(t *testing.T) {
	r := &openListener{sockets: "1", pid: 7, start: 99}
	b := &batchWriter{}
	l := listener(80, 1)
	for _, c := range []struct {
		pid   int
		start uint64
		want  bool
	}{{7, 99, true}, {7, 98, false}, {8, 99, false}} {
		l.Owners[0].PID, l.Owners[0].Start = c.pid, c.start
		want(t, "same", b.isSame(r, l), c.want)
	}
	l.Owners = nil
	want(t, "same with an unknown owner", b.isSame(r, l), false)
}

// Listeners that are not polled did not close: with UDP off there are no UDP events.
func TestUnpolledUDPIsNotClosed(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := listener(5353, 1)
	l.Protocol = monitor.UDP
	p.open(l)
	s.Record(p.next())
	s.Close()
	p.listens = []*monitor.Listener{listener(80, 2)}
	s, _ = open(t, path, Options{})
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{UDP: true})), "opened 5353, discovered 80")
}

// The first update may contain events, which are stored once.
func TestEventsOfFirstUpdateAreStoredOnce(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	before := listener(1, 1)
	p.listens = []*monitor.Listener{before, listener(2, 2)}
	p.end(monitor.Closed, before)
	p.end(monitor.Closed, p.open(listener(3, 3)))
	p.open(listener(4, 4))
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{})), "discovered 1, discovered 2, closed 1, opened 3, closed 3, opened 4")
}

func TestReducedRetentionAppliesImmediately(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{now: time.Now().Add(-48 * time.Hour)}
	for n := range 1200 {
		p.open(listener(uint16(1+n), n))
	}
	write(s, p)
	s.SetRetention(0, 100)
	await.Until(t, "only the newest 100 events are kept", func() bool { return len(events(t, path, history.Query{Limit: 2000})) == 100 })
	s.SetRetention(1, 100) // all events are two days old
	await.Until(t, "events of two days ago are deleted", func() bool { return len(events(t, path, history.Query{})) == 0 })
}

// Close writes waiting events and leaves old ones for the next run.
func TestCloseDoesNotCleanUp(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{now: time.Now()}
	const many = 9000
	for n := range many {
		p.open(listener(uint16(1+n), n))
	}
	write(s, p)
	p.open(listener(uint16(1+many), many))
	s.Record(p.next())
	s.SetRetention(0, 1)
	s.Close()
	all := events(t, path, history.Query{Limit: 2 * many})
	want(t, "newest", all[0].Port, many+1)
	if len(all) <= many/2 {
		t.Errorf("%d of %d events left: Close deleted old events", len(all), many+1)
	}
	s, _ = open(t, path, Options{MaxEvents: 1})
	s.Flush()
	want(t, "events kept by the next run", len(events(t, path, history.Query{})), 1)
}

func TestOldEventsAreDeleted(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{MaxEvents: 50})
	p := &timeline{now: time.Now().Add(-48 * time.Hour)}
	for n := range 700 {
		l := p.open(listener(uint16(1+n), n))
		if n%2 == 1 {
			p.end(monitor.Closed, l)
		}
	}
	write(s, p)
	all := events(t, path, history.Query{Limit: 1000})
	want(t, "events kept", len(all), 50)
	want(t, "newest", all[0].Port, 700)

	s.SetRetention(1, 50) // all events are two days old
	s.Close()
	s, _ = open(t, path, Options{Days: 1})
	s.Flush()
	want(t, "events of one day", len(events(t, path, history.Query{})), 0)
	f, err := openFile(t.Context(), path, migrations)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	var owners, listening int
	if err := errors.Join(f.queryRow(t.Context(), "SELECT count(*) FROM owners", &owners), f.queryRow(t.Context(), "SELECT count(*) FROM open", &listening)); err != nil {
		t.Fatal(err)
	}
	want(t, "owners of open listeners", owners, listening)
}

// Before the first snapshot, too, an event about a client is stored once.
func TestEventBeforeFirstSnapshot(t *testing.T) {
	var p timeline
	path := testPath(t)
	s, _ := open(t, path, Options{})
	s.Add(monitor.Event{At: p.at(), Kind: monitor.Attempted, Listener: monitor.ClosedPort(5432), Attempts: 3})
	s.Flush()
	p.open(listener(3000, 7))
	s.Record(p.next())
	s.Flush()
	got := events(t, path, history.Query{OldestFirst: true})
	if len(got) != 2 || got[0].Kind != monitor.Attempted || got[1].Port != 3000 {
		t.Errorf("got %+v, want the attempts and the listener", got)
	}
}

// Events about clients are stored beside those of listeners, and say nothing about the
// owner of the port.
func TestEventsAboutClients(t *testing.T) {
	var p timeline
	path := testPath(t)
	s, _ := open(t, path, Options{})
	l := p.open(listener(5432, 7))
	name := l.Owners[0].Name
	s.Record(p.next())
	s.Add(monitor.Event{At: p.at(), Kind: monitor.Connected, Listener: l, Client: monitor.Client{Name: "psql\x1b", PID: 812, User: "ann"}})
	s.Add(monitor.Event{At: p.at(), Kind: monitor.Attempted, Listener: monitor.ClosedPort(5432), Attempts: 3, Lasted: 2 * time.Second})
	s.Flush()
	events, err := OpenReader(path).Events(t.Context(), history.Query{OldestFirst: true})
	if err != nil || len(events) != 3 {
		t.Fatalf("got %v, %v; want three events", events, err)
	}
	if e := events[1]; e.Kind != monitor.Connected || e.Client != (monitor.Client{Name: "psql", PID: 812, User: "ann"}) || e.Owner.Name != name {
		t.Errorf("got %+v, want the connection of psql", e)
	}
	if e := events[2]; e.Kind != monitor.Attempted || e.Attempts != 3 || e.Duration != 2*time.Second || e.Port != 5432 || !e.OpenedAt.IsZero() {
		t.Errorf("got %+v, want 3 attempts in 2 seconds", e)
	}
	if tenure, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 5432, Last: 5432}}); err != nil || !ok || tenure.Owner.Name != name || !tenure.To.IsZero() {
		t.Errorf("last owner: got %+v, %v, %v; want the listener's, which still has the port", tenure, ok, err)
	}
}

// The events of health checks are stored beside those of listeners with their answer, and say
// nothing about the owner of the port.
func TestEventsOfHealthChecks(t *testing.T) {
	var p timeline
	path := testPath(t)
	s, _ := open(t, path, Options{})
	l := p.open(listener(3000, 7))
	s.Record(p.next())
	for _, e := range []monitor.Event{
		{Kind: monitor.Unhealthy, Health: monitor.HealthAnswer{Path: "/health?deep=1", Status: 503}},
		{Kind: monitor.Unhealthy, Health: monitor.HealthAnswer{Path: "/", Failure: monitor.NoAnswer}},
		{Kind: monitor.Healthy, Health: monitor.HealthAnswer{Path: "/", Status: 204}, Lasted: 2 * time.Minute},
	} {
		e.At, e.Listener = p.at(), l
		s.Add(e)
	}
	s.Flush()
	events, err := OpenReader(path).Events(t.Context(), history.Query{OldestFirst: true})
	if err != nil || len(events) != 4 {
		t.Fatalf("got %v, %v; want four events", events, err)
	}
	if e := events[1]; e.Kind != monitor.Unhealthy || e.Health != (monitor.HealthAnswer{Path: "/health?deep=1", Status: 503}) || e.Owner.Name != l.Owners[0].Name {
		t.Errorf("got %+v, want HTTP 503 of the process", e)
	}
	if e := events[2]; e.Health != (monitor.HealthAnswer{Path: "/", Failure: monitor.NoAnswer}) {
		t.Errorf("got %+v, want no answer", e)
	}
	if e := events[3]; e.Kind != monitor.Healthy || e.Duration != 2*time.Minute {
		t.Errorf("got %+v, want healthy after two minutes", e)
	}
	if tenure, ok, err := OpenReader(path).LastOwner(t.Context(), monitor.TCP, monitor.Ports{{First: 3000, Last: 3000}}); err != nil || !ok || !tenure.To.IsZero() {
		t.Errorf("last owner: got %+v, %v, %v; want the listener's, which still has the port", tenure, ok, err)
	}
}
