package monitor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// The churn: processes that together open and close churnRate listeners a second, and
// listeners that stay open.
const (
	churners     = 8
	churnRate    = 1000
	churnSteady  = 7 // listeners of each process that stay open: 56 in all
	churnPort    = 20_000
	churnPorts   = 200                    // few, so that listeners merge and split
	churnPlaces  = 250 * churnPorts       // addresses and ports of each process
	shortestLife = 5 * time.Millisecond   // a small part of the polling interval
	longestLife  = 3 * time.Second        // twelve polls
	pollInterval = 250 * time.Millisecond // the default
)

// pollTimes is a Table that records when it was read.
type pollTimes struct {
	socket.Table
	mu    sync.Mutex
	polls []life
}

// life is a time span on the clock that all processes share.
type life struct{ from, to time.Duration }

// Poll reads the table every time: the socket counters of this machine hardly ever
// rest during the churn, but a skipped poll would not be one.
func (p *pollTimes) Poll(opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	opts.Fresh = true
	from := child.Monotonic()
	sockets, changed, err := p.Table.Poll(opts)
	if err == nil {
		p.mu.Lock()
		p.polls = append(p.polls, life{from, child.Monotonic()})
		p.mu.Unlock()
	}
	return sockets, changed, err
}

func (p *pollTimes) WatchExits(pids []int) { watchExits(p.Table, pids) }

// within counts the polls from beginning to end of a life.
func (p *pollTimes) within(of life) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	first, _ := slices.BinarySearchFunc(p.polls, of.from, func(a life, t time.Duration) int { return int(a.from - t) })
	n := 0
	for _, poll := range p.polls[first:] {
		if poll.to > of.to {
			break
		}
		n++
	}
	return n
}

// socketReport contains the monitor's reports about one socket.
type socketReport struct {
	opened, closed []time.Duration // when the events came
	address        string
}

// record runs a real Monitor as the program does, and records its events about
// sockets on 127.a.0.0/16 until ctx ends.
type record struct {
	mu      sync.Mutex
	sockets map[monitor.SocketID]*socketReport
	events  int
	ready   chan struct{}
}

func (r *record) run(ctx context.Context, table monitor.Table, a byte) {
	m := monitor.New(table, owner.New(), monitor.Options{Interval: pollInterval, Enrich: enrich.New(), Describe: service.Describe,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	updates := m.Subscribe()
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	ready := false
	for {
		select {
		case <-ended:
			return
		case <-updates.C:
		}
		u, _ := updates.Take()
		now := child.Monotonic()
		if u.Ready && !ready {
			ready = true
			close(r.ready)
		}
		ours := func(note func(*socketReport)) func(monitor.HeldSocket) {
			return func(s monitor.HeldSocket) {
				if ip := s.Address.As16(); s.Address.Is4() && ip[12] == 127 && ip[13] == a {
					if r.sockets[s.ID] == nil {
						r.sockets[s.ID] = &socketReport{address: fmt.Sprint(s.Address, " port ", s.Port)}
					}
					note(r.sockets[s.ID])
				}
			}
		}
		r.mu.Lock()
		r.events += len(u.Events)
		eachSocket(u.Events,
			ours(func(s *socketReport) { s.opened = append(s.opened, now) }),
			ours(func(s *socketReport) { s.closed = append(s.closed, now) }))
		r.mu.Unlock()
	}
}

// open counts the sockets that were reported as opened and not as closed.
func (r *record) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.sockets {
		n += len(s.opened) - len(s.closed)
	}
	return n
}

// While 8 processes open and close 1,000 listeners a second and connections come and
// go, every listener that exists during two polls is reported as opened once and
// closed once, none is reported as closed while it is open, and none is invented.
func TestEventsDuringChurn(t *testing.T) {
	duration := 4 * time.Second
	if s := os.Getenv("PORTHOLE_CHURN"); s != "" {
		var err error
		if duration, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if !strings.HasPrefix(table.Source(), "sock_diag") {
		t.Skipf("%s has no cookies", table.Source())
	}
	network := byte(20 + os.Getpid()%200) // differs if another churn runs at the same time
	polls := &pollTimes{Table: table}
	r := &record{sockets: make(map[monitor.SocketID]*socketReport), ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx, polls, network) })
	defer running.Wait()
	defer cancel()
	<-r.ready

	running.Go(func() { connections(ctx) })
	var children []child.Child
	for i := range churners {
		children = append(children, begin(t, "churn", []string{strconv.Itoa(int(network)), strconv.Itoa(i), duration.String()}))
	}
	lives := make(map[monitor.SocketID]life)
	for _, c := range children {
		readLives(t, c, lives)
	}
	ended := child.Monotonic()
	const steady = churners * churnSteady
	await.Until(t, "the events of all closed sockets", func() bool { return r.open() <= steady })
	wantAlive(t, r, lives)
	for _, c := range children {
		c.End()
	}
	await.Until(t, "the events of the sockets of exited processes", func() bool { return r.open() == 0 })
	cancel()
	running.Wait()
	compare(t, r, lives, polls, ended, duration)
}

// readLives reads the report of a churner: the cookie of each socket, when it was
// open, and when it began to close; 0 if it is still open.
func readLives(t *testing.T, c child.Child, lives map[monitor.SocketID]life) {
	t.Helper()
	for {
		line := c.Line(t)
		if line == "end" {
			return
		}
		var id monitor.SocketID
		var of life
		if _, err := fmt.Sscan(line, &id, &of.from, &of.to); err != nil {
			t.Fatalf("churner reported %q: %v", line, err)
		}
		if _, twice := lives[id]; twice {
			t.Fatalf("the kernel used cookie %d twice", id)
		}
		lives[id] = of
	}
}

// wantAlive fails unless the listeners that stay are reported as open.
func wantAlive(t *testing.T, r *record, lives map[monitor.SocketID]life) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	steady := 0
	for id, of := range lives {
		if of.to != 0 {
			continue
		}
		steady++
		if s := r.sockets[id]; s == nil || len(s.opened) != 1 || len(s.closed) != 0 {
			t.Errorf("listener that stays: got %+v, want opened once and never closed", s)
		}
	}
	if want := churners * churnSteady; steady != want {
		t.Errorf("got %d listeners that stay, want %d", steady, want)
	}
}

// compare compares the events with what happened.
func compare(t *testing.T, r *record, lives map[monitor.SocketID]life, polls *pollTimes, ended, duration time.Duration) {
	t.Helper()
	wrong := 0
	fault := func(format string, args ...any) {
		if wrong++; wrong <= 20 {
			t.Errorf(format, args...)
		}
	}
	var due, late, short, shortSeen int
	for id, of := range lives {
		s := r.sockets[id]
		stays := of.to == 0
		if stays {
			of.to = ended
		}
		must := polls.within(of) >= 2
		switch {
		case must:
			due++
		case of.to-of.from > 2*pollInterval:
			late++
		default:
			short++
		}
		if s == nil {
			if must {
				fault("socket %d existed for %v during %d polls, but was not reported", id, of.to-of.from, polls.within(of))
			}
			continue
		}
		if !must {
			shortSeen++
		}
		if len(s.opened) != 1 || len(s.closed) != 1 {
			fault("socket %d at %s: opened %d times and closed %d times, want once each", id, s.address, len(s.opened), len(s.closed))
			continue
		}
		if s.closed[0] < of.to {
			fault("socket %d at %s: reported as closed %v too early", id, s.address, of.to-s.closed[0])
		}
	}
	for id, s := range r.sockets {
		if _, ok := lives[id]; !ok {
			fault("socket %d at %s was reported, but never existed", id, s.address)
		}
	}
	rate := float64(len(lives)) / duration.Seconds()
	t.Logf("%v of churn: %d listeners (%.0f a second), %d polls, %d events", duration, len(lives), rate, len(polls.polls), r.events)
	t.Logf("%d existed during two or more polls: all must be right; %d existed longer than two intervals without, because polls were late", due, late)
	t.Logf("%d existed shorter; of these and the late, %d were reported", short, shortSeen)
	t.Logf("lost, duplicate, wrong or invented: %d", wrong)
	if due < len(lives)/10 || late > due {
		t.Errorf("only %d of %d listeners existed during two polls, for %d they were too late: too few for this test", due, len(lives), late)
	}
}

// connections opens and closes connections, some of which are refused, until ctx
// ends: the kernel has an event for each that is destroyed.
func connections(ctx context.Context) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return // the churn matters more
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	})
	defer accepting.Wait()
	defer l.Close()
	for ctx.Err() == nil {
		for _, address := range []string{l.Addr().String(), "127.0.0.1:1"} {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.(*net.TCPConn).SetLinger(0) // leaves no TIME_WAIT
				_ = c.Close()
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// playChurn opens and closes listeners on 127.A.B.0/24 for a while, then reports the
// life of each. Those that stay are closed when it exits.
func playChurn() {
	args := os.Args[1:]
	a, errA := strconv.Atoi(args[0])
	b, errB := strconv.Atoi(args[1])
	duration, errD := time.ParseDuration(args[2])
	if errA != nil || errB != nil || errD != nil {
		child.Fail(fmt.Errorf("arguments %q", args))
	}
	type record struct {
		id monitor.SocketID
		life
	}
	var mu sync.Mutex
	var records []record
	count := 0
	next := func() listener {
		place := count
		if place >= churnPlaces { // again from the beginning, except those that stay
			place = churnSteady + (count-churnSteady)%(churnPlaces-churnSteady)
		}
		l, err := listen(loopback(byte(a), byte(b), byte(1+place/churnPorts), uint16(churnPort+place%churnPorts)))
		if err != nil {
			child.Fail(err)
		}
		count++
		return l
	}
	for range churnSteady {
		l := next()
		records = append(records, record{l.id, life{from: l.opened}})
	}
	var open sync.WaitGroup
	begin := time.Now()
	for i := 0; time.Since(begin) < duration; i++ {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second * churners / churnRate)))
		l := next()
		// As many live 10 to 20 ms as 1 to 2 s.
		lives := time.Duration(float64(shortestLife) * math.Pow(float64(longestLife/shortestLife), rand.Float64()))
		open.Go(func() {
			time.Sleep(lives)
			to := child.Monotonic()
			_ = unix.Close(l.fd)
			mu.Lock()
			records = append(records, record{l.id, life{l.opened, to}})
			mu.Unlock()
		})
	}
	open.Wait()
	out := bufio.NewWriter(os.Stdout)
	for _, r := range records {
		_, _ = fmt.Fprintln(out, uint64(r.id), int64(r.from), int64(r.to))
	}
	_, _ = fmt.Fprintln(out, "end")
	if err := out.Flush(); err != nil {
		child.Fail(err)
	}
	child.Wait()
}
