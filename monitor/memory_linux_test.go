package monitor_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// countingTable counts its polls, each of which reads the table.
type countingTable struct {
	socket.Table
	polls atomic.Int64
}

func (c *countingTable) Poll(opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	c.polls.Add(1)
	opts.Fresh = true
	return c.Table.Poll(opts)
}

func (c *countingTable) WatchExits(pids []int) { watchExits(c.Table, pids) }

// watchExits forwards to a table that a test wraps.
func watchExits(table socket.Table, pids []int) {
	if w, ok := table.(monitor.ExitWatcher); ok {
		w.WatchExits(pids)
	}
}

// Neither descriptors nor goroutines leak over many polls of the real table while
// listeners open and close, and none is left at the end.
func TestManyPollsLeakNoDescriptors(t *testing.T) {
	polls := int64(10_000)
	if long() {
		polls = 40_000
	}
	atFirst, goroutinesAtFirst := descriptors(t), runtime.NumGoroutine()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c := &countingTable{Table: table}
	m := monitor.New(c, owner.New(), monitor.Options{Interval: 1, Enrich: enrich.New(), Describe: service.Describe,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()

	await.Until(t, "the first snapshot", func() bool { u, _ := updates.Take(); return u.Ready })
	events := 0
	churn := func(polls int64) {
		end := c.polls.Load() + polls
		for i := 0; c.polls.Load() < end; i++ {
			l, err := listen(loopback(byte(20+os.Getpid()%200), 200, byte(1+i/1000%250), uint16(20_000+i%1000)))
			if err != nil {
				t.Error(err)
				return
			}
			for from := c.polls.Load(); c.polls.Load() < from+50; {
				time.Sleep(100 * time.Microsecond)
			}
			_ = unix.Close(l.fd)
			u, _ := updates.Take()
			events += len(u.Events)
		}
	}
	churn(polls / 4)
	before, goroutines := steady(t), runtime.NumGoroutine()
	events = 0
	churn(polls)
	after, goroutinesAfter := steady(t), runtime.NumGoroutine()
	cancel()
	<-ended
	if err := table.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d polls, %d events: descriptors %d, then %d; goroutines %d, then %d", polls, events, before, after, goroutines, goroutinesAfter)
	if events < 50 {
		t.Errorf("%d events: too few for this test", events)
	}
	if after > before || goroutinesAfter > goroutines {
		t.Error("descriptors or goroutines leak")
	}
	if n := descriptors(t); n > atFirst {
		t.Errorf("got %[2]d descriptors after the monitor has ended, want at most %[1]d", atFirst, n)
	}
	await.Until(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= goroutinesAtFirst })
}

// steady returns the number of descriptors that this process keeps open. Searches for
// owners open and close some all the time, and processes that other programs start
// have a pidfd each.
func steady(t *testing.T) int {
	t.Helper()
	fewest := descriptors(t)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		n := 0
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if link, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(link, "pidfd") {
				n++
			}
		}
		fewest = min(fewest, n)
	}
	return fewest
}
