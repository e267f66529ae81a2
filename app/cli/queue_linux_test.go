package cli

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A server that takes nobody any more: who knocks waits, and more cannot.
func TestWhoSaysThatNobodyGetsIn(t *testing.T) {
	setSettings(t, "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // where no agent runs
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const limit = 1
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, limit); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*unix.SockaddrInet4).Port
	for waiting := range limit + 2 {
		text, err := asked(t, strconv.Itoa(port), false)
		if err != nil {
			t.Fatal(err)
		}
		full := strings.Contains(text, fmt.Sprintf("\n! Its accept queue is full (%d of %d), so nobody gets in. Start it again if that lasts.\n", waiting, limit))
		if full != (waiting > limit) { // the kernel takes one more than the limit
			t.Errorf("with %d that wait: full %t:\n%s", waiting, full, text)
		}
		if waiting > limit {
			return
		}
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
}
