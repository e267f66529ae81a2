package socket

import (
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor"
)

// unchangedDuring reports whether the counters of a table stay unchanged during do,
// which takes microseconds: other programs rarely interfere.
func unchangedDuring(t *testing.T, table Table, do func()) bool {
	t.Helper()
	c := table.(*diagTable).counters
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(time.Millisecond) {
		if c.read(); c.read() {
			do()
			return c.read()
		}
	}
	t.Fatal("the counters never rest")
	return false
}

func TestCountersChangeWithSockets(t *testing.T) {
	table := open(t)
	bound := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"a bound socket listens", func() { bound.Listen(t) }},
		{"an IPv6 listener opens", func() { rawsocket.Bind(t, unix.SOCK_STREAM, "::1", 0).Listen(t) }},
		{"a UDP socket is bound", func() { rawsocket.Bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0) }},
		{"a listener closes", func() {
			if err := unix.Shutdown(bound.FD, unix.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		if unchangedDuring(t, table, c.do) {
			t.Errorf("the counters are unchanged while %s", c.what)
		}
	}
	if unchangedDuring(t, table, func() {}) {
		return
	}
	if !unchangedDuring(t, table, func() {}) { // other programs do not interfere twice in a row
		t.Error("the counters change although nothing happens")
	}
}

func TestCountersAreNotTrustedAfterAChange(t *testing.T) {
	c := open(t).(*diagTable).counters
	trusted := false
	for begun := time.Now(); !trusted && time.Since(begun) < 30*time.Second; { // other programs change the counters too
		c.read()
		c.changedAt = time.Now().Add(-settleTime)
		trusted = c.unchanged()
	}
	if !trusted {
		t.Fatalf("the counters are not trusted %v after the last change", settleTime)
	}
	rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	for begun := time.Now(); time.Since(begun) < settleTime/2; time.Sleep(settleTime / 20) {
		if c.unchanged() {
			t.Fatalf("the counters are trusted %s after a listener opened", time.Since(begun))
		}
	}
}

func TestUnixSocketsDoNotChangeCounters(t *testing.T) {
	table := open(t)
	for range 3 { // other programs may open sockets in one of these moments
		if unchangedDuring(t, table, func() { bindUnix(t) }) {
			return
		}
	}
	t.Error("the counters change when a Unix socket opens")
}

// bindUnix opens a Unix socket until the test ends.
func bindUnix(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
}

func TestUnreadableCountersCountAsChanged(t *testing.T) {
	was := counterFiles
	defer func() { counterFiles = was }()
	for _, files := range [][]string{{"/nowhere/sockstat", was[1]}, {was[0], was[0] + "/no folder"}, {os.DevNull}} {
		counterFiles = files
		c := openCounters()
		for range 3 {
			if c.read() {
				t.Errorf("counters in %v are unchanged", files)
			}
		}
		c.close()
	}
}

func TestReadingCountersDoesNotAllocate(t *testing.T) {
	d := open(t).(*diagTable)
	if n := testing.AllocsPerRun(100, func() { d.quiet() }); n != 0 {
		t.Errorf("quiet allocates %v times, want 0", n)
	}
}

// openQuiet returns a table with counters that are always trusted, regardless of
// what other programs do, and a function that reports whether a listener is in the
// result of a poll.
func openQuiet(t *testing.T) (d *diagTable, polled func(rawsocket.Socket, monitor.PollOptions) bool) {
	t.Helper()
	d = open(t).(*diagTable)
	if d.events < 0 {
		t.Skip("this kernel denies the events of destroyed sockets")
	}
	file := t.TempDir() + "/sockstat"
	if err := os.WriteFile(file, []byte("sockets: used 1\nTCP: inuse 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.counters.close()
	d.counters.files = []int{fd}
	poll(t, d, false)
	d.counters.changedAt = time.Now().Add(-settleTime)
	return d, func(k rawsocket.Socket, opts monitor.PollOptions) bool {
		t.Helper()
		sockets, _, err := d.Poll(opts)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(sockets, func(s monitor.Socket) bool { return s.Inode == k.Inode })
	}
}

func TestPollSkipsReadingWhileCountersAreUnchanged(t *testing.T) {
	d, polled := openQuiet(t)
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	d.readAt = time.Now()
	if polled(k, monitor.PollOptions{}) {
		t.Error("the table was read although the counters are unchanged")
	}
	d.readAt = time.Now().Add(-maxSkip)
	if !polled(k, monitor.PollOptions{}) {
		t.Errorf("the table was not read after %v", maxSkip)
	}
	// After a change, every poll reads the table for settleTime.
	d.readAt = time.Now()
	if k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t); !polled(k, monitor.PollOptions{}) {
		t.Error("the table was not read although it has just changed")
	}
}

func TestFreshPollReadsTheTable(t *testing.T) {
	d, polled := openQuiet(t)
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	d.readAt = time.Now()
	if !polled(k, monitor.PollOptions{Fresh: true}) {
		t.Error("the table was not read")
	}
}

func TestEventMakesNextPollReadTheTable(t *testing.T) {
	d, polled := openQuiet(t)
	id := uint64(0)
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	other := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	id, err := unix.GetsockoptUint64(other.FD, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		t.Fatal(err)
	}
	d.readAt = time.Now().Add(time.Hour)
	_ = unix.Shutdown(other.FD, unix.SHUT_RDWR)
	_ = unix.Close(other.FD)
	if !waitFor(d, monitor.SocketID(id)) {
		t.Skip("the kernel dropped the event")
	}
	if !polled(k, monitor.PollOptions{}) {
		t.Error("the table was not read after an event")
	}
}
