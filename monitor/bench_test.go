package monitor_test

import (
	"io"
	"log/slog"
	"net"
	"testing"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// One poll of this machine's table with 100 listeners, none of them new.
func BenchmarkPollWithoutChanges(b *testing.B) {
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
	}
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	defer table.Close()
	m := monitor.New(table, owner.New(), monitor.Options{})
	if _, err := m.Scan(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.PollOnce(); err != nil {
			b.Fatal(err)
		}
	}
}
