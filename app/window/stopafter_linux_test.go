//go:build cgo

package window

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
)

// A server that closes its port and finishes its work has been stopped.
func TestStopOfAServerThatDrains(t *testing.T) {
	v := startProcess(t, "drain")
	c := startStop(t, 20*time.Second, []monitor.Owner{v.Owner}, v.listener)
	c.next(uistop.Ready)
	c.Terminate(false)
	if u := c.next(uistop.Done); !v.alive() || len(u.Targets) != 0 || len(u.Finishing) != 1 || u.Finishing[0].PID != v.PID || len(u.InUse) != 0 {
		t.Errorf("got alive %t, update %+v; want the process finishing and a free port", v.alive(), u)
	}
}

func TestStopReportsThatAProcessIsSuspended(t *testing.T) {
	v := startProcess(t, "listen")
	child.Suspend(t, v.PID)
	c := startStop(t, 10*time.Second, []monitor.Owner{v.Owner}, v.listener)
	if u := c.next(uistop.Ready); len(u.Notes) != 1 || !strings.Contains(u.Notes[0], "is suspended (Ctrl+Z)") {
		t.Errorf("got notes %q, want that it is suspended", u.Notes)
	}
	c.Terminate(false)
	if c.next(uistop.Done); v.alive() {
		t.Error("the process did not exit")
	}
}

// "Stopped" would be misleading while another process has the port.
func TestStopReportsWhatUsesThePortAfterwards(t *testing.T) {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(freeport.Get(t)))
	started := child.StartLoop(t, "listen", child.At(at.String()))
	self, err := process.Info(started.PID)
	if err != nil {
		t.Fatal(err)
	}
	servers, err := process.Descendants(self)
	if err != nil || len(servers) != 1 {
		t.Fatalf("got %d servers, %v; want one", len(servers), err)
	}
	o := servers[0]
	o.Parents = process.Parents(o)
	listener := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}, Owners: []monitor.Owner{o}}
	c := startStop(t, 10*time.Second, []monitor.Owner{o}, listener)
	u := c.next(uistop.Ready)
	if len(u.Managers) != 1 || !strings.Contains(u.Managers[0].Description, "started by a loop in loop.sh") || !u.Managers[0].CanRun {
		t.Errorf("before: got managers %+v, want the loop", u.Managers)
	}
	c.Terminate(false)
	u = c.next(uistop.Done)
	if len(u.InUse) != 1 || !strings.Contains(u.InUse[0], "again, started by loop.sh (") || len(u.Managers) != 1 {
		t.Errorf("after: got %+v, want what uses the port, and the loop", u)
	}

	// Its button stops the loop, and then the server, which is not stopped with the loop.
	if servers, err = process.Descendants(self); err != nil || len(servers) == 0 {
		t.Fatalf("got %d servers, %v; want one", len(servers), err)
	}
	o = servers[0]
	o.Parents = process.Parents(o)
	listener.Owners = []monitor.Owner{o}
	c = startStop(t, 10*time.Second, []monitor.Owner{o}, listener)
	c.RunManager(c.next(uistop.Ready).Managers[0].Command)
	u = c.next(uistop.Done)
	if len(u.Targets) != 1 || len(u.InUse) != 0 || process.IsAlive(self.PID, self.Start) || process.IsAlive(o.PID, o.Start) {
		t.Errorf("after the loop was stopped: got %+v, loop running %t, server running %t; want neither and a free port", u, process.IsAlive(self.PID, self.Start), process.IsAlive(o.PID, o.Start))
	}
}

// What must not be signaled is stopped through its manager, in the same dialog.
func TestStopThroughTheManager(t *testing.T) {
	v := startProcess(t, "listen")
	protected := v.Owner
	protected.Program = "/usr/bin/rootlessport"
	c := startStop(t, 10*time.Second, nil, v.listener)
	c.Close()
	<-c.ended
	for range len(c.updates) {
		<-c.updates
	}
	s := c.stopping
	s.exitPeriod = 20 * time.Second // on a busy machine
	s.request = uistop.Request{Owners: []monitor.Owner{protected}, Listeners: []*monitor.Listener{v.listener}}
	s.managers = []stop.Manager{{Kind: stop.Publisher, ID: "web", Command: "kill it", Args: []string{"kill", "-TERM", "--", strconv.Itoa(v.PID)}}}
	watch, err := stop.NewPortWatch(s.request.Listeners, s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	s.watch = watch
	s.runManager(t.Context(), "something else")
	if len(c.updates) != 0 || !v.alive() {
		t.Fatalf("another command: got update %+v, alive %t", <-c.updates, v.alive())
	}
	s.RunManager("kill it")
	s.runManagerWhenAsked(t.Context())
	if u := c.next(uistop.Done); v.alive() || len(u.Targets) != 1 || len(u.InUse) != 0 {
		t.Errorf("got alive %t, update %+v; want the end and a free port", v.alive(), u)
	}
	v = startProcess(t, "listen")
	s.request = uistop.Request{Owners: []monitor.Owner{v.Owner}, Listeners: []*monitor.Listener{v.listener}}
	s.ended, s.exitPeriod = nil, 0
	s.managers = []stop.Manager{{Kind: stop.Supervisor, ID: "supervisord as shell", Command: "true", Args: []string{"true"}}}
	if s.watch, err = stop.NewPortWatch(s.request.Listeners, s.log); err != nil {
		t.Fatal(err)
	}
	defer s.watch.Close()
	s.runManager(t.Context(), "true")
	if u := c.next(uistop.Done); len(u.InUse) != 1 || !strings.Contains(u.InUse[0], " still listens on ") {
		t.Errorf("a manager that leaves the server running: got %+v", u.InUse)
	}
	s.managers = []stop.Manager{{Command: "false", Args: []string{"false"}}}
	s.runManager(t.Context(), "false")
	if u := c.next(uistop.Refused); len(u.Problems) != 1 || !strings.HasPrefix(u.Problems[0], "The command failed: ") {
		t.Errorf("a command that fails: got %+v", u)
	}
}
