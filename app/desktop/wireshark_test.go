//go:build unix && !darwin

package desktop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestOpenWireshark(t *testing.T) {
	dir := t.TempDir()
	args := filepath.Join(dir, "args")
	t.Setenv("PATH", dir)
	c := Capture{Protocol: "tcp", Port: 62893, Loopback: true}
	prepared := 0
	prepare := func(*exec.Cmd) { prepared++ }
	if err := OpenWireshark(t.Context(), c, prepare); !errors.Is(err, exec.ErrNotFound) || prepared != 0 {
		t.Errorf("Wireshark is missing: got error %v, want %v", err, exec.ErrNotFound)
	}
	writeScript(t, dir, "wireshark", recordArgs(args))
	for _, test := range []struct {
		c    Capture
		want string
	}{
		{c, "<-k>\n<-i>\n<lo>\n<-f>\n<tcp port 62893>\n"},
		{Capture{Protocol: "udp", Port: 53}, "<-k>\n<-i>\n<any>\n<-f>\n<udp port 53>\n"},
	} {
		if err := OpenWireshark(t.Context(), test.c, prepare); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(args); err != nil || string(b) != test.want {
			t.Errorf("Wireshark got %q, error %v; want %q", b, err, test.want)
		}
	}
	if prepared != 2 {
		t.Errorf("prepare was called %d times, want 2", prepared)
	}
	writeScript(t, dir, "wireshark", "exit 1")
	if err := OpenWireshark(t.Context(), c, prepare); err == nil || errors.Is(err, exec.ErrNotFound) {
		t.Errorf("Wireshark fails: got error %v", err)
	}
	if got, want := c.TcpdumpCommand(), "sudo tcpdump -i lo -nn -A 'tcp port 62893'"; got != want {
		t.Errorf("TcpdumpCommand: got %q, want %q", got, want)
	}
}
