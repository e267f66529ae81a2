package cli

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A server that does not accept connections: the accept queue fills up. The
// kernel accepts one more connection than the backlog.
func TestWhoWarnsAboutAFullAcceptQueue(t *testing.T) {
	setSettings(t, "")
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const backlog = 1
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*unix.SockaddrInet4).Port
	for waiting := range backlog + 2 {
		text, err := whoOutput(t, strconv.Itoa(port), false)
		if err != nil {
			t.Fatal(err)
		}
		full := strings.Contains(text, fmt.Sprintf("(%d of %d)", waiting, backlog))
		if want := waiting > backlog; full != want {
			t.Errorf("with %d connections waiting: full = %t, want %t:\n%s", waiting, full, want, text)
		}
		if waiting > backlog {
			return
		}
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
}
