package socket

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t *testing.T) Table {
	t.Helper()
	table, err := Open(silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	if !strings.HasPrefix(table.Source(), "sock_diag") {
		t.Skipf("a sandbox denies sock_diag; the table here is %s", table.Source())
	}
	return table
}

// poll reads the table.
func poll(t *testing.T, table monitor.Table, udp bool) []monitor.Socket {
	t.Helper()
	sockets, _, err := table.Poll(monitor.PollOptions{UDP: udp, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(sockets)
}

// socketsOf returns the entries of the socket with that inode number.
func socketsOf(t *testing.T, table Table, inode uint64) []monitor.Socket {
	t.Helper()
	return slices.DeleteFunc(poll(t, table, false), func(s monitor.Socket) bool { return s.Inode != inode })
}

func TestListeners(t *testing.T) {
	table := open(t)
	for _, test := range []struct {
		name, address string
		options       []func(int) error
		v6only        bool
	}{
		{"IPv4 loopback", "127.0.0.1", nil, false},
		{"another IPv4 loopback", "127.0.0.2", nil, false},
		{"IPv6 loopback", "::1", nil, true}, // the kernel reports that for every IPv6 address except [::]
		{"every IPv4 address", "0.0.0.0", nil, false},
		{"both families", "::", []func(int) error{rawsocket.V6Only(false)}, false},
		{"every IPv6 address", "::", []func(int) error{rawsocket.V6Only(true)}, true},
		{"IPv4 loopback on an IPv6 socket", "::ffff:127.0.0.1", []func(int) error{rawsocket.V6Only(false)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := rawsocket.Bind(t, unix.SOCK_STREAM, test.address, 0, test.options...)
			if got := socketsOf(t, table, k.Inode); len(got) != 0 {
				t.Fatalf("bound, not listening yet: got %+v, want nothing", got)
			}
			k.Listen(t)
			got := socketsOf(t, table, k.Inode)
			want := monitor.Socket{
				Protocol: monitor.TCP, Address: netip.MustParseAddr(test.address), Port: k.Port,
				UID: uint32(os.Getuid()), Inode: k.Inode, V6Only: test.v6only,
			}
			if len(got) != 1 {
				t.Fatalf("got %+v, want one socket", got)
			}
			want.Cgroup = got[0].Cgroup // depends on the machine
			if want.ID = got[0].ID; got[0] != want || want.ID == 0 {
				t.Errorf("got  %+v\nwant %+v, and an ID", got[0], want)
			}
			if again := socketsOf(t, table, k.Inode); len(again) != 1 || again[0].ID != want.ID {
				t.Errorf("second poll = %+v, want the same ID %d", again, want.ID)
			}
			if cookie, err := unix.GetsockoptUint64(k.FD, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil || monitor.SocketID(cookie) != want.ID {
				t.Errorf("ID = %d, want the cookie %d (%v)", want.ID, cookie, err)
			}
			if err := unix.Shutdown(k.FD, unix.SHUT_RD); err != nil { // stops listening; the cleanup closes it
				t.Fatal(err)
			}
			if got := socketsOf(t, table, k.Inode); len(got) != 0 {
				t.Errorf("after shutdown: got %+v, want nothing", got)
			}
		})
	}
}

func TestBothFamiliesOnOnePort(t *testing.T) {
	table := open(t)
	four := rawsocket.Bind(t, unix.SOCK_STREAM, "0.0.0.0", 0).Listen(t)
	six := rawsocket.Bind(t, unix.SOCK_STREAM, "::", four.Port, rawsocket.V6Only(true)).Listen(t)
	a, b := socketsOf(t, table, four.Inode), socketsOf(t, table, six.Inode)
	if len(a) != 1 || len(b) != 1 || a[0].Port != b[0].Port || a[0].ID == b[0].ID {
		t.Errorf("0.0.0.0: %+v, [::]: %+v; want two sockets of one port", a, b)
	}
}

func TestReusePort(t *testing.T) {
	table := open(t)
	first := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0, rawsocket.ReusePort).Listen(t)
	second := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", first.Port, rawsocket.ReusePort).Listen(t)
	a, b := socketsOf(t, table, first.Inode), socketsOf(t, table, second.Inode)
	if len(a) != 1 || len(b) != 1 || a[0].ID == b[0].ID {
		t.Fatalf("got %+v and %+v, want one socket each", a, b)
	}
	if err := unix.Shutdown(first.FD, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	if got := socketsOf(t, table, second.Inode); len(got) != 1 {
		t.Errorf("after shutdown of the first: got %+v, want the second", got)
	}
}

// Sockets that have a port but do not listen are not listeners.
func TestOtherSocketsAreNotListed(t *testing.T) {
	table := open(t)
	bound := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	datagram := rawsocket.Bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0)

	server := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	client, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), server.Port).String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, _, err := unix.Accept4(server.FD, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(accepted, &stat); err != nil {
		t.Fatal(err)
	}
	for name, inode := range map[string]uint64{
		"bound, never listening": bound.Inode, "UDP": datagram.Inode, "established": stat.Ino,
	} {
		if got := socketsOf(t, table, inode); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}

	// The server closes first, so its socket stays in TIME_WAIT, without an inode.
	_ = unix.Close(accepted)
	_, _ = io.ReadAll(client)
	_ = client.Close()
	if err := unix.Shutdown(server.FD, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	all := poll(t, table, false)
	if i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Port == server.Port && s.Inode == 0 }); i >= 0 {
		t.Errorf("after the close: got %+v, want nothing on port %d", all[i], server.Port)
	}
}

// Go's listeners are MPTCP if the kernel supports it: two kernel sockets, one of
// which is in the table, with the inode number that the process holds.
func TestGoListenerIsListedOnce(t *testing.T) {
	table := open(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	protocol := 0
	if err := raw.Control(func(fd uintptr) {
		err = unix.Fstat(int(fd), &stat)
		protocol, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("MPTCP: %t", protocol == unix.IPPROTO_MPTCP)
	port := uint16(ln.Addr().(*net.TCPAddr).Port)
	all := poll(t, table, false)
	all = slices.DeleteFunc(all, func(s monitor.Socket) bool {
		return s.Port != port || s.Address != netip.MustParseAddr("127.0.0.1")
	})
	if len(all) != 1 || all[0].Inode != stat.Ino {
		t.Errorf("port %d: got %+v, want one socket with inode %d", port, all, stat.Ino)
	}
}

// More listeners than fit into one datagram of the kernel's answer.
func TestManyListeners(t *testing.T) {
	table := open(t)
	inodes := make(map[uint64]bool)
	for range 600 {
		inodes[rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t).Inode] = true
	}
	for _, s := range poll(t, table, false) {
		delete(inodes, s.Inode)
	}
	if len(inodes) != 0 {
		t.Errorf("%d of 600 listeners are missing", len(inodes))
	}
}

// Poll may report no change only while the same sockets listen, whether they fit into
// one datagram of the answer or not.
func TestPollReportsChanges(t *testing.T) {
	table := open(t)
	changed := func(udp bool) bool {
		t.Helper()
		_, changed, err := table.Poll(monitor.PollOptions{UDP: udp, Fresh: true})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	settles := func(udp bool) bool {
		for range 100 { // another program may open a socket just now
			if !changed(udp) {
				return true
			}
		}
		return false
	}
	for range 2 {
		for _, udp := range []bool{false, true} {
			changed(!udp)
			if !changed(udp) {
				t.Errorf("Poll (UDP %t) after a poll of other protocols reports no change", udp)
			}
			if !settles(udp) {
				t.Errorf("Poll (UDP %t) always reports a change", udp)
			}
			k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
			if !changed(udp) {
				t.Errorf("Poll (UDP %t) with one more listener reports no change", udp)
			}
			if !settles(udp) {
				t.Errorf("Poll (UDP %t) always reports a change with that listener", udp)
			}
			if err := unix.Shutdown(k.FD, unix.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
			if !changed(udp) {
				t.Errorf("Poll (UDP %t) with one listener less reports no change", udp)
			}
		}
		for range 600 {
			rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
		}
		changed(false)
		changed(true)
	}
}

func TestPollWithoutChangesReturnsTheSockets(t *testing.T) {
	table := open(t)
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	for range 100 { // another program may open a socket just now
		sockets, changed, err := table.Poll(monitor.PollOptions{Fresh: true})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(sockets, func(s monitor.Socket) bool { return s.Inode == k.Inode }) {
			t.Fatalf("Poll = %+v, changed %t; want the listener with inode %d", sockets, changed, k.Inode)
		}
		if !changed {
			return
		}
	}
	t.Error("Poll always reports a change")
}

func TestPollWithoutChangesDoesNotAllocate(t *testing.T) {
	table := open(t)
	poll(t, table, true)
	for _, opts := range []monitor.PollOptions{{UDP: true}, {UDP: true, Fresh: true}} {
		if n := testing.AllocsPerRun(100, func() { _, _, _ = table.Poll(opts) }); n != 0 {
			t.Errorf("Poll(%+v) allocates %v times, want 0", opts, n)
		}
	}
}

func TestPollOfClosedTableFails(t *testing.T) {
	table := open(t)
	d := table.(*diagTable)
	fd := d.fd
	d.fd = -1
	got, _, err := d.Poll(monitor.PollOptions{Fresh: true})
	d.fd = fd
	if err == nil || len(got) != 0 {
		t.Errorf("Poll = %v, %v; want an error", got, err)
	}
	if _, changed, err := d.Poll(monitor.PollOptions{}); err != nil || !changed {
		t.Errorf("Poll after an error = changed %t, %v; want a change", changed, err)
	}
}

// gopsutil, which is slower, reports the same sockets.
func TestPortableReportsTheSameSockets(t *testing.T) {
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	deadline := time.Now().Add(10 * time.Second)
	for {
		all, _, err := newPortable().Poll(monitor.PollOptions{})
		// gopsutil fails if any process exits during the scan.
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Port == k.Port && s.PID == os.Getpid() })
		if err != nil || i < 0 || all[i].Address != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("Poll = %+v, %v; want port %d of process %d", all, err, k.Port, os.Getpid())
		}
		return
	}
}
