package words

import (
	"net/netip"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/uitest"
	"strings"
	"testing"
	"time"
)

func TestSpeed(t *testing.T) {
	for bytes, want := range map[float64]string{-1: "0 B/s", 0: "0 B/s", 999: "999 B/s", 999.6: "1.0 kB/s", 1234: "1.2 kB/s", 9960: "10 kB/s", 41_234: "41 kB/s",
		999_600: "1.0 MB/s", 5.25e6: "5.2 MB/s", 3e9: "3.0 GB/s"} {
		if got := Speed(bytes); got != want {
			t.Errorf("Speed(%v) = %q, want %q", bytes, got, want)
		}
	}
}

func TestClientLinesCountTheRest(t *testing.T) {
	var all []connection.Conn
	for i := range MaxClients + 3 {
		all = append(all, uitest.Conn(monitor.SocketID(i+1), 100+i, "ab", 0, 0))
	}
	var lines []string
	for _, line := range ClientLines(all, &connection.Meter{}, false, true) {
		lines = append(lines, strings.TrimSpace(strings.Join(line[:], " ")))
	}
	if len(lines) != MaxClients+1 || lines[MaxClients] != "+ 3 more" || lines[0] != "ab 100 1 conn" {
		t.Errorf("got %q, want %d clients and a line for 3 more", lines, MaxClients)
	}
}

func TestTotals(t *testing.T) {
	now := time.Date(2026, 11, 30, 15, 0, 0, 0, time.Local)
	counted := connection.Totals{Amount: connection.Amount{Connections: 1204, Received: 40, Sent: 12_000_000}, Since: now.Add(-time.Hour),
		LastMinute: connection.LastMinute{Amount: connection.Amount{Connections: 38}}}
	whole, lost := counted, counted
	whole.SinceOpened = true
	lost.AtLeast, lost.LastMinute.AtLeast = true, true
	for want, totals := range map[string]connection.Totals{
		"1,204 since it opened\n38 in the last minute\n↓40 B ↑12 MB":                                      whole,
		"1,204 counted since today 14:00\n38 in the last minute\n↓40 B ↑12 MB":                            counted,
		"at least 1,204 counted since today 14:00\nat least 38 in the last minute\nat least ↓40 B ↑12 MB": lost,
	} {
		if got := Totals(totals, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVisitors(t *testing.T) {
	at := time.Date(2026, 11, 30, 14, 2, 0, 0, time.Local)
	all := []connection.Visitor{
		{Name: "ps\x1bql", PID: 812, User: "ann", Connections: 2, Last: at}, {Address: netip.MustParseAddr("192.168.1.20"), Connections: 1, Last: at},
		{User: "bob", Connections: 1, Last: at}, {Connections: 1204, Last: at},
	}
	want := "ps ql 812 · 2 conns · 14:02\n192.168.1.20 · 1 conn · 14:02\nunknown (user bob) · 1 conn · 14:02\nnot identified · 1,204 conns · 14:02"
	if got := Visitors(all, at); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range 2 {
		all = append(all, all...)
	}
	if got := Visitors(all, at); !strings.HasSuffix(got, "\n+ 8 more") {
		t.Errorf("got %q, want the end \"+ 8 more\"", got)
	}
}
