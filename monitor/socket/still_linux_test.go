package socket

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// stillAt reports whether a table is still while do is done; what other programs do
// is none of it.
func stillAt(t *testing.T, table Table, do func()) bool {
	t.Helper()
	for range 100 {
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
	for range 100 {
		if stillAt(t, table, func() {}) {
			return
		}
	}
	t.Error("the table is not still while nothing happens")
}

func TestATableWithoutCountsIsNeverStill(t *testing.T) {
	was := countFiles
	defer func() { countFiles = was }()
	for _, files := range [][]string{{"/nowhere/sockstat", was[1]}, {os.DevNull}} {
		countFiles = files
		c := openCounts()
		for range 3 {
			if c.same() {
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
