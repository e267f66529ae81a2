package socket

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stillAt reports whether a table is still while do is done; what other programs do
// is none of it.
func stillAt(t *testing.T, table Table, do func()) bool {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		if table.Still(); table.Still() {
			do()
			return table.Still()
		}
	}
	t.Fatal("the table is never still")
	return false
}

func TestATableIsStillUntilASocketOpensOrCloses(t *testing.T) {
	table := open(t)
	bound := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"a socket that was there listens", func() { bound.listen(t) }},
		{"one opens on IPv6", func() { bind(t, unix.SOCK_STREAM, "::1", 0).listen(t) }},
		{"a UDP socket is bound", func() { bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0) }},
		{"one closes", func() {
			if err := unix.Shutdown(bound.fd, unix.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		if stillAt(t, table, c.do) {
			t.Errorf("the table is still while %s", c.what)
		}
	}
	if stillAt(t, table, func() {}) {
		return
	}
	if !stillAt(t, table, func() {}) { // twice in a row nobody else moves one in these microseconds
		t.Error("the table is not still while nothing happens")
	}
}

func TestAChangeKeepsATableFromBeingStillForSeconds(t *testing.T) {
	table := open(t)
	stillAt(t, table, func() { bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t) })
	for begun := time.Now(); time.Since(begun) < settleTime/2; time.Sleep(settleTime / 20) {
		if table.Still() {
			t.Fatalf("the table is still %s after a listener opened", time.Since(begun))
		}
	}
}

func TestSocketsOfNoNetworkLeaveATableStill(t *testing.T) {
	table := open(t)
	for range 3 { // others' sockets may move in one of these moments
		if stillAt(t, table, func() { bindUnix(t) }) {
			return
		}
	}
	t.Error("the table is not still while a Unix socket opens")
}

// bindUnix opens a Unix socket for as long as the test runs.
func bindUnix(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
}

func TestATableWithoutCountsIsNeverStill(t *testing.T) {
	was := counterFiles
	defer func() { counterFiles = was }()
	for _, files := range [][]string{{"/nowhere/sockstat", was[1]}, {was[0], was[0] + "/no folder"}, {os.DevNull}} {
		counterFiles = files
		c := openCounters()
		for range 3 {
			if c.read() {
				t.Errorf("%v tells that all is still", files)
			}
		}
		c.close()
	}
}

func TestStillAllocatesNothing(t *testing.T) {
	table := open(t)
	if n := testing.AllocsPerRun(100, func() { table.Still() }); n != 0 {
		t.Errorf("Still allocates %v times", n)
	}
}
