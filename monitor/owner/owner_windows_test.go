package owner

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"

	"porthole/monitor"
	"porthole/monitor/process"
)

// These run on Windows and under Wine (make test-windows), with sockets as
// Windows tells them: Wine knows few PIDs.

const childVariable = "PORTHOLE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// holders returns who is found to hold s.
func holders(f monitor.Finder, scope monitor.Scope, s monitor.Socket) []monitor.Holding {
	var found []monitor.Holding
	f.Find(context.Background(), scope, []monitor.Socket{s}, func(h monitor.Holding) { found = append(found, h) })
	return found
}

func TestTheOwnerThatTheTableTells(t *testing.T) {
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f := New()
	s := monitor.Socket{ID: 1, PID: os.Getpid(), BoundAt: self.Start}
	for _, scope := range []monitor.Scope{monitor.Likely, monitor.Everywhere, monitor.Recent} {
		found := holders(f, scope, s)
		if len(found) != 1 || !found[0].Owner.Same(self) || found[0].Socket != s.ID || !f.Holds(found[0]) {
			t.Fatalf("holders %+v, want this process", found)
		}
		if name, want := found[0].Owner.Name, filepath.Base(os.Args[0]); name != want {
			t.Errorf("name %q, want %q", name, want)
		}
	}
	s.BoundAt = 0
	if found := holders(f, monitor.Likely, s); len(found) != 1 {
		t.Errorf("holders %+v where the table tells no time, want this process", found)
	}
}

func TestAnOwnerThatEndedIsSaid(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"=1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	f := New()
	s := monitor.Socket{ID: 1, PID: c.Process.Pid, BoundAt: 1 << 62}
	found := holders(f, monitor.Everywhere, s)
	if len(found) != 1 {
		t.Errorf("holders %+v, want the child", found)
	}
	_ = in.Close()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(found) == 1 && f.Holds(found[0]) {
		t.Error("the child still holds after its end")
	}
	if found := holders(f, monitor.Recent, s); len(found) != 0 {
		t.Errorf("holders %+v after its end, want none", found)
	}
	if got := f.Hidden(s).Reason; got != monitor.UnknownExited {
		t.Errorf("hidden: %q, want %q", got, monitor.UnknownExited)
	}
}

// A process that started after the socket was opened has the PID of who did.
func TestALaterProcessWithTheNumberIsNoOwner(t *testing.T) {
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f := New()
	s := monitor.Socket{ID: 1, PID: os.Getpid(), BoundAt: self.Start - 1}
	if found := holders(f, monitor.Everywhere, s); len(found) != 0 {
		t.Errorf("holders %+v, want none", found)
	}
	if got := f.Hidden(s).Reason; got != monitor.UnknownExited {
		t.Errorf("hidden: %q, want %q", got, monitor.UnknownExited)
	}
}

func TestAnUnknownOwnerIsNoGuess(t *testing.T) {
	f := New()
	s := monitor.Socket{ID: 1}
	if found := holders(f, monitor.Everywhere, s); len(found) != 0 {
		t.Errorf("holders %+v of a socket without a PID, want none", found)
	}
	if got := f.Hidden(s).Reason; got != monitor.UnknownUnsupported {
		t.Errorf("hidden: %q, want %q", got, monitor.UnknownUnsupported)
	}
}

// System holds the ports of http.sys and of file sharing; only administrators
// may open it, and its name is known to all.
func TestSystemIsNamed(t *testing.T) {
	if h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, 4); err == windows.ERROR_INVALID_PARAMETER {
		t.Skip("Wine has no System process")
	} else if err == nil {
		_ = windows.CloseHandle(h)
	}
	f := New()
	found := holders(f, monitor.Everywhere, monitor.Socket{ID: 1, PID: 4, BoundAt: 1})
	if len(found) != 1 || found[0].Owner.Name != "System" || !f.Holds(found[0]) {
		t.Errorf("holders %+v, want System", found)
	}
}
