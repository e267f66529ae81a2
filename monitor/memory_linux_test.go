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

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// counted is a Table that counts its looks.
type counted struct {
	socket.Table
	looks atomic.Int64
}

func (c *counted) Sockets(dst []monitor.Socket, udp bool) ([]monitor.Socket, error) {
	c.looks.Add(1)
	return c.Table.Sockets(dst, udp)
}

func (c *counted) Unchanged(udp bool) bool {
	c.looks.Add(1)
	return c.Table.Unchanged(udp)
}

// Still lets every look be one at the table.
func (c *counted) Still() bool { return false }

// Neither descriptors nor goroutines grow with looks at the real table, while
// listeners come and go; and at the end none is left.
func TestManyLooksAtTheKernelKeepNothing(t *testing.T) {
	looks := int64(10_000)
	if long() {
		looks = 40_000
	}
	atFirst, goroutinesAtFirst := descriptors(t), runtime.NumGoroutine()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Table: table}
	m := monitor.New(c, owner.New(), monitor.Options{Interval: 1, Describe: service.Describe,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()

	eventually(t, "there is no first snapshot", func() bool { u, _ := updates.Take(); return u.Ready })
	changes := 0
	churn := func(looks int64) {
		end := c.looks.Load() + looks
		for i := 0; c.looks.Load() < end; i++ {
			l, err := listen(loopback(byte(20+os.Getpid()%200), 200, byte(1+i/1000%250), uint16(20_000+i%1000)))
			if err != nil {
				t.Error(err)
				return
			}
			for from := c.looks.Load(); c.looks.Load() < from+50; {
				time.Sleep(100 * time.Microsecond)
			}
			_ = unix.Close(l.fd)
			u, _ := updates.Take()
			changes += len(u.Events)
		}
	}
	churn(looks / 4)
	before, goroutines := steady(t), runtime.NumGoroutine()
	changes = 0
	churn(looks)
	after, goroutinesAfter := steady(t), runtime.NumGoroutine()
	cancel()
	<-ended
	if err := table.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d looks, %d changes: descriptors %d, then %d; goroutines %d, then %d", looks, changes, before, after, goroutines, goroutinesAfter)
	if changes < 50 {
		t.Errorf("%d changes: the test proves nothing", changes)
	}
	if after > before || goroutinesAfter > goroutines {
		t.Error("there are more now")
	}
	if n := descriptors(t); n > atFirst {
		t.Errorf("%d descriptors before the monitor and %d after it", atFirst, n)
	}
	eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= goroutinesAtFirst })
}

// steady is how many descriptors this process keeps: searches for owners open
// and close some all the time, and processes that others start and end are
// followed by a pidfd each.
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
