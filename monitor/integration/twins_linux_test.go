package integration

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"porthole/monitor"
)

// listeningAt passes addresses in the environment, so that the command lines of several
// children are equal.
func listeningAt(addresses string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Env = append(c.Env, addressesVariable+"="+addresses) }
}

// Two servers that one shell started with the same program are not the workers of one
// server: "node a.js" and "node b.js", or one command in two folders.
func TestTwoServersOfOneShell(t *testing.T) {
	in := func(folder string) func(*exec.Cmd) { return func(c *exec.Cmd) { c.Dir = folder } }
	folder := t.TempDir()
	for name, test := range map[string]struct{ first, second []func(*exec.Cmd) }{
		"two scripts": {
			[]func(*exec.Cmd){with("--", "a.js"), in(folder)},
			[]func(*exec.Cmd){with("--", "b.js"), in(folder)},
		},
		"two folders": {
			[]func(*exec.Cmd){with("--", "a.js"), in(folder)},
			[]func(*exec.Cmd){with("--", "a.js"), in(t.TempDir())},
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := begin(t, "listen", append(test.first, listeningAt("127.0.0.1:0"))...)
			second := begin(t, "listen", append(test.second, listeningAt(fmt.Sprintf("[::1]:%d", first.Port)))...)
			wantListener(t, first.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]; tcp [::1] loopback, 1 sockets of [%d]", first.pid, second.pid))
		})
	}
}

// Workers of one server that each listen on one address.
func TestWorkersOnTwoAddresses(t *testing.T) {
	first := begin(t, "listen", with("--", "server"), listeningAt("127.0.0.1:0"))
	second := begin(t, "listen", with("--", "server"), listeningAt(fmt.Sprintf("[::1]:%d", first.Port)))
	l := wantListener(t, first.Port, fmt.Sprintf("tcp [127.0.0.1 ::1] loopback, 2 sockets of [%d %d]", first.pid, second.pid))
	if len(l.Addresses) != 2 {
		t.Errorf("got addresses %v, want both", l.Addresses)
	}
}

// A rolling restart with SO_REUSEPORT: the new process listens on the address before the
// old one exits. The port is open all the time, and the service is the same.
func TestRollingRestart(t *testing.T) {
	old := begin(t, "listen", with("--", "server"), listeningAt("127.0.0.1:0"))
	w := watch(t, old.Port, 20*time.Millisecond)
	next := begin(t, "listen", with("--", "server"), listeningAt(fmt.Sprintf("127.0.0.1:%d", old.Port)))
	w.see("both", func(s monitor.Snapshot) bool {
		rows := onPort(s, old.Port)
		return len(rows) == 1 && len(rows[0].Owners) == 2
	})
	old.end()
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", next.pid))
	w.refresh()
	if got := w.notable(); len(got) != 0 {
		t.Errorf("got events %v, want none: no other program owns the port", w.kinds())
	}
}
