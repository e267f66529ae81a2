package procevents

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// Events that find no room are counted, and later ones arrive.
func TestLostEvents(t *testing.T) {
	s := Open()
	defer s.Close()
	if s.State() != Available {
		t.Skipf("no process events: %s (%s)", s.State(), s.Reason())
	}
	for _, fd := range []int{s.starts.fd, s.exits.fd} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0); err != nil { // the smallest
			t.Fatal(err)
		}
	}
	fail := func() int {
		c := exec.Command("false")
		if err := c.Run(); err == nil {
			t.Fatal("false succeeded")
		}
		return c.Process.Pid
	}
	for range 20 {
		fail()
	}
	first := len(s.Started(nil))
	if starts, exits := s.Lost(); first >= 20 || starts == 0 || exits == 0 {
		t.Errorf("got %d starts; lost %d and %d times, want both", first, starts, exits)
	}
	pid := fail()
	o := monitor.Owner{PID: pid, Start: uint64((clock(unix.CLOCK_BOOTTIME))/tick) - 100}
	if e, _ := s.Exit(o); e.Status == nil || *e.Status != 1 {
		t.Errorf("after the loss: got %+v, want status 1", e)
	}
}
