package monitor_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

var roles = map[string]func(){
	"churn": playChurn,
	"watch": playWatch,
	"crowd": playCrowd,
	"many":  playManyFiles,
	"hold":  child.Wait, // holds the descriptors that it was given
}

func TestMain(m *testing.M) { child.Main(m, roles) }

// begin starts the test program in a role. It skips the test if the system does not
// allow the child's namespaces.
func begin(t *testing.T, role string, args []string, change ...func(*exec.Cmd)) child.Child {
	t.Helper()
	c := child.Command(role, args...)
	for _, f := range change {
		f(c)
	}
	started, err := child.TryStart(t, c)
	if err != nil && c.SysProcAttr != nil {
		t.Skipf("the system does not allow child %q: %v", role, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return started
}

// listener is a listening socket opened without package net, which would make it an
// MPTCP socket, whose cookie is not the one in the table.
type listener struct {
	fd     int
	id     monitor.SocketID
	opened time.Duration // on the clock that all processes share
}

func listen(address netip.AddrPort) (listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return listener{}, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())}); err == nil {
		err = unix.Listen(fd, 8)
	}
	if err != nil {
		_ = unix.Close(fd)
		return listener{}, fmt.Errorf("listen on %v: %w", address, err)
	}
	id, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	return listener{fd: fd, id: monitor.SocketID(id), opened: child.Monotonic()}, err
}

// loopback returns 127.a.b.c:port.
func loopback(a, b, c byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, a, b, c}), port)
}

// descriptors returns how many descriptors this process has.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(all) == 0 {
		t.Fatalf("got %d descriptors: %v", len(all), err)
	}
	return len(all)
}

// long reports whether this is a long run; see packaging/test-long.sh.
func long() bool { return os.Getenv("PORTHOLE_LONG") != "" }
