package integration

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// Two servers that one shell started with the same program are not the workers of one
// server: "node a.js" and "node b.js", or one command in two folders.
func TestTwoServersOfOneShell(t *testing.T) {
	in := func(folder string) func(*exec.Cmd) { return func(c *exec.Cmd) { c.Dir = folder } }
	folder := t.TempDir()
	for name, test := range map[string]struct{ first, second []func(*exec.Cmd) }{
		"two scripts": {
			[]func(*exec.Cmd){child.With("--", "a.js"), in(folder)},
			[]func(*exec.Cmd){child.With("--", "b.js"), in(folder)},
		},
		"two folders": {
			[]func(*exec.Cmd){child.With("--", "a.js"), in(folder)},
			[]func(*exec.Cmd){child.With("--", "a.js"), in(t.TempDir())},
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := child.Serve(t, "listen", append(test.first, child.At("127.0.0.1:0"))...)
			second := child.Serve(t, "listen", append(test.second, child.At(fmt.Sprintf("[::1]:%d", first.Port)))...)
			wantListener(t, first.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]; tcp [::1] loopback, 1 sockets of [%d]", first.PID, second.PID))
		})
	}
}

// Workers of one server that each listen on one address.
func TestWorkersOnTwoAddresses(t *testing.T) {
	first := child.Serve(t, "listen", child.With("--", "server"), child.At("127.0.0.1:0"))
	second := child.Serve(t, "listen", child.With("--", "server"), child.At(fmt.Sprintf("[::1]:%d", first.Port)))
	l := wantListener(t, first.Port, fmt.Sprintf("tcp [127.0.0.1 ::1] loopback, 2 sockets of [%d %d]", first.PID, second.PID))
	if len(l.Addresses) != 2 {
		t.Errorf("got addresses %v, want both", l.Addresses)
	}
}

// A rolling restart with SO_REUSEPORT: the new process listens on the address before the
// old one exits. The port is open all the time, and the service is the same.
func TestRollingRestart(t *testing.T) {
	old := child.Serve(t, "listen", child.With("--", "server"), child.At("127.0.0.1:0"))
	w := watch(t, old.Port, 20*time.Millisecond)
	next := child.Serve(t, "listen", child.With("--", "server"), child.At(fmt.Sprintf("127.0.0.1:%d", old.Port)))
	w.see("both", func(s monitor.Snapshot) bool {
		rows := onPort(s, old.Port)
		return len(rows) == 1 && len(rows[0].Owners) == 2
	})
	old.End()
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", next.PID))
	w.refresh()
	if got := w.notable(); len(got) != 0 {
		t.Errorf("got events %v, want none: no other program owns the port", w.kinds())
	}
}
