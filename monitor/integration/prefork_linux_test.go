package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// ownerWait is at most how long the Monitor holds a new listener back while it searches
// its owner.
const ownerWait = 500 * time.Millisecond

// prefork starts a server with four workers, which end with the test.
func prefork(t *testing.T, args ...string) child.Server {
	t.Helper()
	// The workers become this process's children when their parent exits, so that the test
	// can wait for them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	input, life, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	master := child.ServeVictim(t, "prefork", child.With(args...), child.Holding(input))
	_ = input.Close()
	t.Cleanup(func() {
		_ = life.Close()
		master.End()
		for _, pid := range master.Workers {
			if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
				t.Errorf("wait for worker %d: %v", pid, err)
			}
		}
	})
	return master
}

// A server listens and starts four workers: the opening names the server, all owners are
// known soon, and the end of the server is one change of owner.
func TestServerWithWorkers(t *testing.T) {
	for name, args := range map[string][]string{"started at once": nil, "started later": {"600ms"}} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, 0, 20*time.Millisecond)
			begin := time.Now()
			master := prefork(t, args...)
			w.port = master.Port
			w.events = slices.DeleteFunc(w.events, func(e monitor.Event) bool { return int(e.Listener.Port) != master.Port })
			all := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of %v", append([]int{master.PID}, master.Workers...))
			w.rows(all)
			t.Logf("the owners were complete after %v", time.Since(begin).Round(time.Millisecond))
			w.until("opened")
			opened := w.notable()[0]
			waited := opened.At.Sub(opened.Listener.Since)
			switch owners := opened.Listener.Owners; {
			case len(owners) == 0 && waited >= ownerWait:
				t.Logf("the machine is busy: no owner was found in the %v that the opening waited", waited)
			case len(owners) == 0 || owners[0].PID != master.PID:
				t.Errorf("the opening names %v after %v, want the master %d before its workers %v", owners, waited, master.PID, master.Workers)
			}
			master.End()
			w.until("opened, owner_changed")
			w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of %v", master.Workers))
			w.refresh()
			if got := w.kinds(); got != "opened, owner_changed" {
				t.Errorf("got events %s, want one change of owner", got)
			}
		})
	}
}

// A development server listens and replaces its child at each save. It stays the owner.
func TestReloadingServer(t *testing.T) {
	w := watch(t, 0, 20*time.Millisecond)
	server := child.Start(t, child.Command("reloader"))
	var r child.Listening
	for range 3 {
		read(t, server, &r)
		w.port = r.Port
		w.see("the child", func(s monitor.Snapshot) bool { // the server may be found later
			rows := onPort(s, r.Port)
			return len(rows) == 1 && slices.Contains(pids(rows[0]), r.Workers[0])
		})
		if _, err := server.In.Write([]byte("save\n")); err != nil {
			t.Fatal(err)
		}
	}
	read(t, server, &r)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d %d]", server.PID, r.Workers[0]))
	for _, e := range w.events {
		if int(e.Listener.Port) == r.Port && (e.Kind == monitor.OwnerChanged || e.Kind == monitor.Closed) {
			t.Errorf("got event %s, owners %v then %v; the server owns the port all the time", e.Kind, pids(e.Before), pids(e.Listener))
		}
	}
}

func read(t *testing.T, c child.Child, r *child.Listening) {
	t.Helper()
	line := c.Line(t)
	if err := json.Unmarshal([]byte(line), r); err != nil {
		t.Fatal(err)
	}
}
