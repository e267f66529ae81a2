package owner

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// These tests run on Windows and under Wine (make test-windows), with sockets as
// Windows reports them: Wine reports few PIDs.

func TestMain(m *testing.M) { child.Main(m, map[string]func(){"wait": child.Wait}) }

// holders returns the holdings of s that a search finds.
func holders(f monitor.Finder, scope monitor.Scope, s monitor.Socket) []monitor.Holding {
	var found []monitor.Holding
	f.Find(context.Background(), scope, []monitor.Socket{s}, func(h monitor.Holding) { found = append(found, h) })
	return found
}

func TestOwnerFromTable(t *testing.T) {
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f := New()
	s := monitor.Socket{ID: 1, PID: os.Getpid(), BoundAt: self.Start}
	for _, scope := range []monitor.Scope{monitor.Likely, monitor.Everywhere, monitor.Recent} {
		found := holders(f, scope, s)
		if len(found) != 1 || !found[0].Owner.Same(self) || found[0].Socket != s.ID || len(gone(f, found)) != 0 {
			t.Fatalf("holders = %+v, want this process", found)
		}
		if name, want := found[0].Owner.Name, filepath.Base(os.Args[0]); name != want {
			t.Errorf("name %q, want %q", name, want)
		}
	}
	s.BoundAt = 0
	if found := holders(f, monitor.Likely, s); len(found) != 1 {
		t.Errorf("holders without a time of binding = %+v, want this process", found)
	}
}

func TestExitedOwner(t *testing.T) {
	c := child.Start(t, child.Command("wait"))
	f := New()
	s := monitor.Socket{ID: 1, PID: c.PID, BoundAt: 1 << 62}
	found := holders(f, monitor.Everywhere, s)
	if len(found) != 1 {
		t.Errorf("holders = %+v, want the child", found)
	}
	c.End()
	if len(found) == 1 && len(gone(f, found)) == 0 {
		t.Error("Verify does not report the holding of the exited child as gone")
	}
	if found := holders(f, monitor.Recent, s); len(found) != 0 {
		t.Errorf("holders after its exit = %+v, want none", found)
	}
	if got := f.WhyUnknown(s).Reason; got != monitor.UnknownExited {
		t.Errorf("WhyUnknown = %q, want %q", got, monitor.UnknownExited)
	}
}

// A process that started after the socket was opened has reused the PID of its owner.
func TestReusedPIDIsNotTheOwner(t *testing.T) {
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f := New()
	s := monitor.Socket{ID: 1, PID: os.Getpid(), BoundAt: self.Start - 1}
	if found := holders(f, monitor.Everywhere, s); len(found) != 0 {
		t.Errorf("holders = %+v, want none", found)
	}
	if got := f.WhyUnknown(s).Reason; got != monitor.UnknownExited {
		t.Errorf("WhyUnknown = %q, want %q", got, monitor.UnknownExited)
	}
}

func TestSocketWithoutPID(t *testing.T) {
	f := New()
	s := monitor.Socket{ID: 1}
	if found := holders(f, monitor.Everywhere, s); len(found) != 0 {
		t.Errorf("holders of a socket without a PID = %+v, want none", found)
	}
	if got := f.WhyUnknown(s).Reason; got != monitor.UnknownUnsupported {
		t.Errorf("WhyUnknown = %q, want %q", got, monitor.UnknownUnsupported)
	}
}

// The System process holds the ports of http.sys and of file sharing. Only
// administrators may open it, but all users can read its name.
func TestNameOfSystemProcess(t *testing.T) {
	if h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, 4); err == windows.ERROR_INVALID_PARAMETER {
		t.Skip("Wine has no System process")
	} else if err == nil {
		_ = windows.CloseHandle(h)
	}
	f := New()
	found := holders(f, monitor.Everywhere, monitor.Socket{ID: 1, PID: 4, BoundAt: 1})
	if len(found) != 1 || found[0].Owner.Name != "System" || len(gone(f, found)) != 0 {
		t.Errorf("holders = %+v, want System", found)
	}
}

// gone returns those of the holdings that no longer exist.
func gone(f monitor.Finder, holdings []monitor.Holding) []monitor.Holding {
	gone, _ := f.Verify(holdings)
	return gone
}
