package cli

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

func TestTableFitsTheWidth(t *testing.T) {
	x := table{rows: [][]string{{"PORT", "ADDRESS", "PROCESS"}, {"3000", "127.0.0.1, ::1", "サーバー日本語の長い名前"}, {"80", "0.0.0.0", "nginx"}},
		color: func(row, _ int) string { return map[bool]string{true: "1"}[row == 0] }}
	for _, width := range []int{30, 36, 60, 0} {
		var out strings.Builder
		if err := x.print(&out, width, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if got := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); width > 0 && got > width {
				t.Errorf("width %d: got %q, %d cells", width, line, got)
			}
		}
		if cut := strings.Contains(out.String(), "…"); cut != (width == 30 || width == 36) {
			t.Errorf("width %d: got\n%s", width, out.String())
		}
		// The last column begins at the same cell in every row.
		lines := strings.Split(out.String(), "\n")
		if a, b := runewidth.StringWidth(lines[0][:strings.Index(lines[0], "PROCESS")]), runewidth.StringWidth(lines[2][:strings.Index(lines[2], "nginx")]); a != b {
			t.Errorf("width %d: columns begin at %d and %d", width, a, b)
		}
	}
	var plain, styled strings.Builder
	if err := x.print(&plain, 0, false); err != nil || strings.Contains(plain.String(), "\x1b") {
		t.Errorf("got colors %q, %v, want none", plain.String(), err)
	}
	if err := x.print(&styled, 0, true); err != nil || !strings.Contains(styled.String(), "\x1b[1mPORT\x1b[0m") {
		t.Errorf("got %q, %v, want a bold header", styled.String(), err)
	}
	if width, color := terminalStyle(&plain); width != 0 || color {
		t.Errorf("not a terminal: got width %d, colors %v", width, color)
	}
}

// In a narrow terminal the last columns are left out, and ports are complete.
func TestTableOfANarrowTerminal(t *testing.T) {
	x := table{rows: [][]string{
		{"PORT", "ADDRESS", "PROCESS", "PID", "USER", "EXPOSURE", "PROJECT", "SERVICE"},
		{"28103/udp", "127.0.0.1", "python3", "19594", "root", "loopback", "-", "http.server"},
	}, color: func(int, int) string { return "" }}
	for width, want := range map[int]string{
		60:  "PORT       ADDRESS   PROCESS  PID    USER  EXPOSURE  PROJECT\n28103/udp  127.0.0…  python3  19594  root  loopback  -\n",
		58:  "PORT       ADDRESS    PROCESS  PID    USER  EXPOSURE\n28103/udp  127.0.0.1  python3  19594  root  loopback\n",
		200: "PORT       ADDRESS    PROCESS  PID    USER  EXPOSURE  PROJECT  SERVICE\n28103/udp  127.0.0.1  python3  19594  root  loopback  -        http.server\n",
	} {
		var out strings.Builder
		if err := x.print(&out, width, false); err != nil || out.String() != want {
			t.Errorf("width %d: got %v\n%swant\n%s", width, err, out.String(), want)
		}
	}
}
