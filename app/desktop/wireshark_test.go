//go:build unix && !darwin

package desktop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestInspectOpensWireshark(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	t.Setenv("PATH", dir)
	c := Capture{Protocol: "tcp", Port: 62893, Loopback: true}
	started := 0
	start := func(*exec.Cmd) { started++ }
	if err := OpenWireshark(t.Context(), c, start); !errors.Is(err, exec.ErrNotFound) || started != 0 {
		t.Errorf("without Wireshark: %v; want %v", err, exec.ErrNotFound)
	}
	wireshark := "#!/bin/sh\nfor a in \"$@\"; do echo \"<$a>\"; done >" + said + "\n"
	if err := os.WriteFile(filepath.Join(dir, "wireshark"), []byte(wireshark), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		c    Capture
		want string
	}{
		{c, "<-k>\n<-i>\n<lo>\n<-f>\n<tcp port 62893>\n"},
		{Capture{Protocol: "udp", Port: 53}, "<-k>\n<-i>\n<any>\n<-f>\n<udp port 53>\n"},
	} {
		if err := OpenWireshark(t.Context(), test.c, start); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(said); err != nil || string(b) != test.want {
			t.Errorf("Wireshark got %q, %v; want %q", b, err, test.want)
		}
	}
	if started != 2 {
		t.Errorf("%d commands were changed; want both", started)
	}
	if err := os.WriteFile(filepath.Join(dir, "wireshark"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := OpenWireshark(t.Context(), c, start); err == nil || errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a Wireshark that fails: %v", err)
	}
	if got, want := c.TcpdumpCommand(), "sudo tcpdump -i lo -nn -A 'tcp port 62893'"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
}
