package integration

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor"
	"porthole/monitor/process/child"
)

func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine does not support IPv6: %v", err)
	}
	_ = ln.Close()
}

func TestOneOwnerWithBothWildcards(t *testing.T) {
	needIPv6(t)
	c := child.Serve(t, "listen", child.With("0.0.0.0:0", "tcp6/[::]:0"))
	l := wantListener(t, c.Port, fmt.Sprintf("tcp [0.0.0.0 ::] network, 2 sockets of [%d]", c.PID))
	if l.Sockets[0].V6Only || !l.Sockets[1].V6Only {
		t.Errorf("sockets = %+v, want only [::] to be IPv6 only", l.Sockets)
	}
}

func TestOneSocketForBothFamilies(t *testing.T) {
	needIPv6(t)
	c := child.Serve(t, "listen", child.With("[::]:0"))
	l := wantListener(t, c.Port, fmt.Sprintf("tcp [::] network, 1 sockets of [%d]", c.PID))
	if l.Sockets[0].V6Only || !l.AcceptsLoopback() {
		t.Errorf("IPv6 only %t, loopback %t; want a socket that accepts connections to 127.0.0.1 too", l.Sockets[0].V6Only, l.AcceptsLoopback())
	}
	connection, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", c.Port))
	if err != nil {
		t.Fatalf("cannot connect over IPv4: %v; this test is void", err)
	}
	_ = connection.Close()
}

func TestIPv4LoopbackOnIPv6Socket(t *testing.T) {
	r := rawsocket.Bind(t, unix.SOCK_STREAM, "::ffff:127.0.0.1", 0, rawsocket.V6Only(false)).Listen(t)
	l := wantListener(t, int(r.Port), fmt.Sprintf("tcp [::ffff:127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	if !l.AcceptsLoopback() {
		t.Error("AcceptsLoopback = false, want true")
	}
}

func TestTwoLoopbackAddressesOfTwoOwners(t *testing.T) {
	first := child.Serve(t, "listen", child.With("127.0.0.1:0"))
	second := child.Serve(t, "listen", child.With(fmt.Sprintf("127.0.0.2:%d", first.Port)), another(t))
	wantListener(t, first.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]; tcp [127.0.0.2] loopback, 1 sockets of [%d]", first.PID, second.PID))
}

func TestTwoLoopbackAddressesOfOneOwner(t *testing.T) {
	c := child.Serve(t, "listen", child.With("127.0.0.1:0", "127.0.0.2:0"))
	wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1 127.0.0.2] loopback, 2 sockets of [%d]", c.PID))
}

// Sockets that have a port but do not listen are not listeners, even when they close.
func TestOtherSocketsCauseNoEvents(t *testing.T) {
	w := watch(t, 0, 20*time.Millisecond)
	var ports []int
	for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
		r := rawsocket.Bind(t, kind, "127.0.0.1", 0)
		ports = append(ports, int(r.Port))
	}
	gone, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(gone, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	ports = append(ports, int(rawsocket.LocalPort(t, gone)))
	cookie, err := unix.GetsockoptUint64(gone, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		t.Fatal(err)
	}

	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ports = append(ports, client.LocalAddr().(*net.TCPAddr).Port)

	w.refresh()
	_ = unix.Close(gone) // its event looks like that of a listener
	w.refresh()
	for _, c := range w.events {
		if slices.Contains(ports, int(c.Listener.Port)) {
			t.Errorf("got event %s for port %d, where nothing listens", c.Kind, c.Listener.Port)
		}
		if slices.ContainsFunc(c.Listener.Sockets, func(s monitor.HeldSocket) bool { return s.ID == monitor.SocketID(cookie) }) {
			t.Errorf("got event %s for a socket that never listened", c.Kind)
		}
	}
	for _, port := range ports {
		if rows := onPort(w.now, port); len(rows) != 0 {
			t.Errorf("port %d: got %s, want nothing", port, format(rows))
		}
	}

	// The server closes first, so its socket stays in TIME_WAIT on its port.
	_ = accepted.Close()
	_, _ = io.ReadAll(client)
	_ = client.Close()
	_ = server.Close()
	if rows := onPort(snapshot(t, needMonitor(t, true, 0)), child.Port(server)); len(rows) != 0 {
		t.Errorf("after the close: got %s, want nothing", format(rows))
	}
}

func TestUDP(t *testing.T) {
	open := rawsocket.Bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0)
	connected, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", open.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	its := connected.LocalAddr().(*net.UDPAddr).Port
	with, without := snapshot(t, needMonitor(t, true, 0)), snapshot(t, needMonitor(t, false, 0))
	if got, want := format(onPort(with, int(open.Port))), fmt.Sprintf("udp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()); got != want {
		t.Errorf("bound, not connected: got %q, want %q", got, want)
	}
	if rows := onPort(without, int(open.Port)); len(rows) != 0 {
		t.Errorf("without UDP: got %s, want nothing", format(rows))
	}
	if rows := onPort(with, its); len(rows) != 0 {
		t.Errorf("connected: got %s, want nothing", format(rows))
	}
}

func TestMPTCP(t *testing.T) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(true)
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	protocol := 0
	if err := c.Control(func(fd uintptr) { protocol, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL) }); err != nil {
		t.Fatal(err)
	}
	if protocol != unix.IPPROTO_MPTCP {
		t.Skip("this kernel does not support MPTCP, or it is disabled")
	}
	w := watch(t, child.Port(ln), time.Hour)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", os.Getpid()))
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	w.m.Refresh()
	w.until("closed")
}

func TestAnotherNetworkNamespace(t *testing.T) {
	c, err := child.TryServe(t, "listen", child.With("0.0.0.0:0"), child.OwnNamespaces(unix.CLONE_NEWNET))
	if child.Denied(err) {
		t.Skipf("needs root, or a kernel that lets every user create network namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	here := child.Serve(t, "listen", child.With(fmt.Sprintf("127.0.0.1:%d", c.Port)))
	s := snapshot(t, needMonitor(t, true, 0))
	if got, want := format(onPort(s, c.Port)), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", here.PID); got != want {
		t.Errorf("port %d, which has a listener in each namespace: got %q, want %q", c.Port, got, want)
	}
	for _, l := range s.Listeners {
		if slices.ContainsFunc(l.Owners, func(o monitor.Owner) bool { return o.PID == c.PID }) {
			t.Errorf("%s has the owner %d, which is in another namespace", format([]*monitor.Listener{l}), c.PID)
		}
	}
}
