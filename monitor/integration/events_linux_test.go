package integration

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/internal/rawsocket"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// Between two scans a port is closed and opened again. A scan does not know when a
// listener opened, so the new one is discovered.
func TestReusedPortInScans(t *testing.T) {
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := child.Port(ln)
	m := needMonitor(t, false, 0)
	before := snapshot(t, m)
	again := func(who string, reopen func()) {
		t.Helper()
		reopen()
		after := snapshot(t, m)
		was, is := onPort(before, port), onPort(after, port)
		var kinds []monitor.Kind
		for _, c := range monitor.Diff(before, after) {
			if int(c.Listener.Port) == port {
				kinds = append(kinds, c.Kind)
			}
		}
		if fmt.Sprint(kinds) != "[closed discovered]" {
			t.Errorf("%s: got events %v, want closed and discovered; %s, then %s", who, kinds, format(was), format(is))
		}
		if len(is) != 1 || len(was) != 1 || is[0].ID == was[0].ID {
			t.Errorf("%s: got listener %s, then %s; want a different one", who, format(was), format(is))
		}
		before = after
	}
	again("by the same process", func() {
		_ = ln.Close()
		if ln, err = child.ListenOn("127.0.0.1:" + strconv.Itoa(port)); err != nil {
			t.Fatal(err)
		}
	})
	again("by another process", func() {
		_ = ln.Close()
		child.Serve(t, "listen", child.With("127.0.0.1:"+strconv.Itoa(port)))
	})
}

// The same with a running monitor.
func TestReusedPort(t *testing.T) {
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := child.Port(ln)
	w := watch(t, port, time.Hour)
	_ = ln.Close()
	if ln, err = child.ListenOn("127.0.0.1:" + strconv.Itoa(port)); err != nil {
		t.Fatal(err)
	}
	w.m.Refresh()
	w.until("closed, opened")
	_ = ln.Close()
	c := child.Serve(t, "listen", child.With("127.0.0.1:"+strconv.Itoa(port)))
	w.m.Refresh()
	w.until("closed, opened, closed, opened")
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
}

// shutdown(2) and listen(2) on one descriptor: a listener closes and opens, although it
// is the same kernel socket.
func TestShutdownAndListen(t *testing.T) {
	r := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	w := watch(t, int(r.Port), 20*time.Millisecond)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	before := onPort(w.now, int(r.Port))[0].Sockets[0].ID
	if err := unix.Shutdown(r.FD, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	w.until("closed")
	if err := unix.Bind(r.FD, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(r.Port)}); err != nil {
		t.Fatal(err)
	}
	r.Listen(t)
	w.until("closed, opened")
	if after := onPort(w.now, int(r.Port))[0].Sockets[0].ID; after != before {
		t.Errorf("socket %d, then %d: not the same socket, this test is void", before, after)
	}
}

// The same without a poll in between, on another port. It runs in its own network
// namespace, so that no other program causes a poll by closing a socket.
func TestShutdownAndListenOnAnotherPort(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	r := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	w := watch(t, 0, time.Hour)
	w.port = int(r.Port)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	w.port = 0
	before := w.now.Listeners[0].Sockets[0].ID
	if err := unix.Shutdown(r.FD, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	other := int(r.Port) + 1
	if err := unix.Bind(r.FD, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: other}); err != nil {
		t.Fatal(err)
	}
	r.Listen(t)
	w.m.Refresh()
	w.until("closed, opened")
	closed, opened := w.notable()[0].Listener, w.notable()[1].Listener
	if closed.Port != r.Port || int(opened.Port) != other || opened.Sockets[0].ID != before {
		t.Errorf("closed %d, opened %d with socket %d; want %d, %d, %d", closed.Port, opened.Port, opened.Sockets[0].ID, r.Port, other, before)
	}
}

// An owner exits and another process gets its PID: not the same owner.
func TestReusedPID(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWNET) {
		return
	}
	const lastPID = "/proc/sys/kernel/ns_last_pid"
	if err := os.WriteFile(lastPID, []byte("20000"), 0); err != nil {
		t.Skipf("this kernel does not let us choose a PID: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := watch(t, child.Port(ln), 20*time.Millisecond)
	var was monitor.Owner
	exited := func() child.Server { // a process that was seen and has exited
		c := child.Serve(t, "hold", child.Holding(file))
		if was, err = process.Info(c.PID); err != nil {
			t.Fatal(err)
		}
		w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d 1]", c.PID))
		c.End()
		return c
	}
	first := exited()

	// Threads have PIDs too: try until a process gets the wanted one, or start again if one
	// of our threads has it.
	var second child.Server
	for deadline := time.Now().Add(timeout); second.PID != first.PID; {
		if time.Now().After(deadline) {
			t.Fatalf("PID %d was not reused; the last one was %d", first.PID, second.PID)
		}
		if second.End != nil {
			second.End()
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", first.PID)); err == nil {
			first = exited()
		}
		if err := os.WriteFile(lastPID, []byte(strconv.Itoa(first.PID-1)), 0); err != nil {
			t.Fatal(err)
		}
		second = child.Serve(t, "hold", child.Holding(file))
	}
	is, err := process.Info(second.PID)
	if err != nil || is.Same(was) {
		t.Fatalf("%+v, then %+v, %v; want another process with the same PID", was, is, err)
	}
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d 1]", second.PID)
	w.rows(want)
	w.see("the second owner", func(s monitor.Snapshot) bool {
		rows := onPort(s, child.Port(ln))
		return format(rows) == want && rows[0].Owners[0].Same(is)
	})
	changed := false
	for _, c := range w.notable() {
		changed = changed || c.Kind == monitor.OwnerChanged
	}
	if !changed {
		t.Errorf("got events %q, want owner_changed", w.kinds())
	}
}
