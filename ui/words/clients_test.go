package words

import (
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/uitest"
	"strings"
	"testing"
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
