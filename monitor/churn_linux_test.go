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

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// The churn: so many processes, which together open so many listeners a second
// and close them again, and so many that stay.
const (
	churners     = 8
	churnRate    = 1000
	churnSteady  = 7 // of each process: 56
	churnPort    = 20_000
	churnPorts   = 200                    // few, so that rows merge and split
	churnPlaces  = 250 * churnPorts       // addresses and ports of each process
	shortestLife = 5 * time.Millisecond   // a small part of a poll
	longestLife  = 3 * time.Second        // twelve polls
	pollInterval = 250 * time.Millisecond // the default
)

// lookTimes is the Table that a Monitor has, with a note of when it was read.
type lookTimes struct {
	socket.Table
	mu    sync.Mutex
	looks []life
}

// life is a span of time on the clock that all processes share.
type life struct{ from, to time.Duration }

func (l *lookTimes) Sockets(dst []monitor.Socket, udp bool) ([]monitor.Socket, error) {
	from := monotonic()
	sockets, err := l.Table.Sockets(dst, udp)
	l.note(from, err == nil)
	return sockets, err
}

func (l *lookTimes) Unchanged(udp bool) bool {
	from := monotonic()
	same := l.Table.Unchanged(udp)
	l.note(from, same) // else a look at all follows
	return same
}

func (l *lookTimes) note(from time.Duration, looked bool) {
	if looked {
		l.mu.Lock()
		l.looks = append(l.looks, life{from, monotonic()})
		l.mu.Unlock()
	}
}

// within counts the looks that a whole life saw.
func (l *lookTimes) within(of life) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, _ := slices.BinarySearchFunc(l.looks, of.from, func(a life, t time.Duration) int { return int(a.from - t) })
	n := 0
	for _, look := range l.looks[first:] {
		if look.to > of.to {
			break
		}
		n++
	}
	return n
}

// told is what the monitor said of one socket.
type told struct {
	opened, closed []time.Duration // when the words came
	address        string
}

// record runs a real Monitor over table, as the program does, and notes what it
// says of sockets on 127.a.0.0/16 until ctx ends.
type record struct {
	mu      sync.Mutex
	sockets map[monitor.SocketID]*told
	changes int
	ready   chan struct{}
}

func (r *record) run(ctx context.Context, table monitor.Table, a byte) {
	m := monitor.New(table, owner.New(), monitor.Options{Interval: pollInterval, Describe: service.Describe,
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
		now := monotonic()
		if u.Ready && !ready {
			ready = true
			close(r.ready)
		}
		ours := func(note func(*told)) func(monitor.HeldSocket) {
			return func(s monitor.HeldSocket) {
				if ip := s.Address.As16(); s.Address.Is4() && ip[12] == 127 && ip[13] == a {
					if r.sockets[s.ID] == nil {
						r.sockets[s.ID] = &told{address: fmt.Sprint(s.Address, " port ", s.Port)}
					}
					note(r.sockets[s.ID])
				}
			}
		}
		r.mu.Lock()
		r.changes += len(u.Events)
		eachSocket(u.Events,
			ours(func(s *told) { s.opened = append(s.opened, now) }),
			ours(func(s *told) { s.closed = append(s.closed, now) }))
		r.mu.Unlock()
	}
}

// open counts the sockets that opened and did not close.
func (r *record) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.sockets {
		n += len(s.opened) - len(s.closed)
	}
	return n
}

// Every listener that two looks could see opens once and closes once, none
// closes while it lives, and nothing is invented, while 8 processes open and
// close 1,000 a second and connections come and go.
func TestChurnLosesDoublesAndInventsNothing(t *testing.T) {
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
		t.Skipf("no cookies from %s", table.Source())
	}
	network := byte(20 + os.Getpid()%200) // ours, should another churn run beside
	looks := &lookTimes{Table: table}
	r := &record{sockets: make(map[monitor.SocketID]*told), ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx, looks, network) })
	defer running.Wait()
	defer cancel()
	<-r.ready

	running.Go(func() { connections(ctx) })
	var children []child
	for i := range churners {
		children = append(children, begin(t, "churn", []string{strconv.Itoa(int(network)), strconv.Itoa(i), duration.String()}))
	}
	lives := make(map[monitor.SocketID]life)
	for _, c := range children {
		readLives(t, c, lives)
	}
	ended := monotonic()
	const steady = churners * churnSteady
	eventually(t, "sockets that have closed are told as open", func() bool { return r.open() <= steady })
	wantAlive(t, r, lives)
	for _, c := range children {
		c.end()
	}
	eventually(t, "the sockets of processes that have ended are told as open", func() bool { return r.open() == 0 })
	cancel()
	running.Wait()
	compare(t, r, lives, looks, ended, duration)
}

// readLives reads what a churner did: the cookie of each socket, when it was
// open, and when it no longer was for sure to be so; 0 where it still is.
func readLives(t *testing.T, c child, lives map[monitor.SocketID]life) {
	t.Helper()
	for {
		line := c.line(t)
		if line == "end" {
			return
		}
		var id monitor.SocketID
		var of life
		if _, err := fmt.Sscan(line, &id, &of.from, &of.to); err != nil {
			t.Fatalf("a churner said %q: %v", line, err)
		}
		if _, twice := lives[id]; twice {
			t.Fatalf("the kernel gave cookie %d twice", id)
		}
		lives[id] = of
	}
}

// wantAlive fails where a listener that stays is not open.
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
			t.Errorf("a listener that stays: told %+v, want opened once and never closed", s)
		}
	}
	if want := churners * churnSteady; steady != want {
		t.Errorf("%d listeners stayed, want %d", steady, want)
	}
}

// compare holds what was told against what was.
func compare(t *testing.T, r *record, lives map[monitor.SocketID]life, looks *lookTimes, ended, duration time.Duration) {
	t.Helper()
	wrong := 0
	blame := func(format string, args ...any) {
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
		must := looks.within(of) >= 2
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
				blame("socket %d lived %v, through %d looks, and was never told", id, of.to-of.from, looks.within(of))
			}
			continue
		}
		if !must {
			shortSeen++
		}
		if len(s.opened) != 1 || len(s.closed) != 1 {
			blame("socket %d at %s: opened %d times and closed %d times, want once each", id, s.address, len(s.opened), len(s.closed))
			continue
		}
		if s.closed[0] < of.to {
			blame("socket %d at %s: told as closed %v before it was", id, s.address, of.to-s.closed[0])
		}
	}
	for id, s := range r.sockets {
		if _, ok := lives[id]; !ok {
			blame("socket %d at %s was invented", id, s.address)
		}
	}
	rate := float64(len(lives)) / duration.Seconds()
	t.Logf("%v of churn: %d listeners (%.0f a second), %d looks, %d changes of rows", duration, len(lives), rate, len(looks.looks), r.changes)
	t.Logf("%d lived through two looks and more: all must be right; %d lived longer than two intervals without, since looks came late", due, late)
	t.Logf("%d lived shorter; of these and the late, %d were seen", short, shortSeen)
	t.Logf("lost, doubled, false or invented: %d", wrong)
	if due < len(lives)/10 || late > due {
		t.Errorf("only %d of %d listeners had two looks, %d had them too late: the test proves nothing", due, len(lives), late)
	}
}

// connections lets connections come and go, and some be refused, until ctx
// ends: the kernel tells of each that is destroyed.
func connections(ctx context.Context) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return // the churn is what matters
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

// playChurn opens and closes listeners on 127.A.B.0/24 for a time, then tells
// the life of each. Those that stay close with its end.
func playChurn(args []string) {
	a, errA := strconv.Atoi(args[0])
	b, errB := strconv.Atoi(args[1])
	duration, errD := time.ParseDuration(args[2])
	if errA != nil || errB != nil || errD != nil {
		fail(fmt.Errorf("arguments %q", args))
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
		if place >= churnPlaces { // again from the beginning, but for what stays
			place = churnSteady + (count-churnSteady)%(churnPlaces-churnSteady)
		}
		l, err := listen(loopback(byte(a), byte(b), byte(1+place/churnPorts), uint16(churnPort+place%churnPorts)))
		if err != nil {
			fail(err)
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
			to := monotonic()
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
		fail(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
