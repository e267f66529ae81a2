package socket

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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
		t.Skipf("the table here is %s: a sandbox refuses sock_diag", table.Source())
	}
	return table
}

// see returns the rows of the socket with that inode.
func see(t *testing.T, table Table, inode uint64) []monitor.Socket {
	t.Helper()
	all, err := table.Sockets(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s monitor.Socket) bool { return s.Inode != inode })
}

// kernelSocket is a socket made by hand, for what package net has no words.
type kernelSocket struct {
	fd    int
	port  uint16
	inode uint64
}

// bind makes a socket that is bound to address, and to any port where port is 0.
func bind(t *testing.T, kind int, address string, port uint16, options ...func(fd int) error) kernelSocket {
	t.Helper()
	a := netip.MustParseAddr(address)
	family, to := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Addr: a.As16(), Port: int(port)})
	if a.Is4() {
		family, to = unix.AF_INET, &unix.SockaddrInet4{Addr: a.As4(), Port: int(port)}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skipf("this machine has no such sockets: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	for _, option := range options {
		if err := option(fd); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Bind(fd, to); errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Skipf("this machine has no %s: %v", address, err)
	} else if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch n := name.(type) {
	case *unix.SockaddrInet4:
		port = uint16(n.Port)
	case *unix.SockaddrInet6:
		port = uint16(n.Port)
	}
	return kernelSocket{fd: fd, port: port, inode: stat.Ino}
}

func (k kernelSocket) listen(t *testing.T) kernelSocket {
	t.Helper()
	if err := unix.Listen(k.fd, 1); err != nil {
		t.Fatal(err)
	}
	return k
}

func v6Only(on int) func(int) error {
	return func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, on) }
}

func reusePort(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }

func TestListenersAreSeenAsTheyAre(t *testing.T) {
	table := open(t)
	me := strconv.Itoa(os.Getuid())
	if u, err := user.LookupId(me); err == nil {
		me = u.Username
	}
	for _, test := range []struct {
		name, address string
		options       []func(int) error
		v6only        bool
	}{
		{"IPv4 loopback", "127.0.0.1", nil, false},
		{"another IPv4 loopback", "127.0.0.2", nil, false},
		{"IPv6 loopback", "::1", nil, true}, // the kernel says so of every IPv6 address but [::]
		{"every IPv4 address", "0.0.0.0", nil, false},
		{"both families", "::", []func(int) error{v6Only(0)}, false},
		{"every IPv6 address", "::", []func(int) error{v6Only(1)}, true},
		{"IPv4 loopback on an IPv6 socket", "::ffff:127.0.0.1", []func(int) error{v6Only(0)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := bind(t, unix.SOCK_STREAM, test.address, 0, test.options...)
			if got := see(t, table, k.inode); len(got) != 0 {
				t.Fatalf("bound, not listening yet: %+v, want nothing", got)
			}
			k.listen(t)
			got := see(t, table, k.inode)
			want := monitor.Socket{
				Protocol: monitor.TCP, Address: netip.MustParseAddr(test.address), Port: k.port,
				UID: uint32(os.Getuid()), User: me, Inode: k.inode, V6Only: test.v6only,
			}
			if len(got) != 1 {
				t.Fatalf("rows = %+v, want one", got)
			}
			want.Cgroup = got[0].Cgroup // which the machine decides
			if want.ID = got[0].ID; got[0] != want || want.ID == 0 {
				t.Errorf("row\n got %+v\nwant %+v, and an id", got[0], want)
			}
			if again := see(t, table, k.inode); len(again) != 1 || again[0].ID != want.ID {
				t.Errorf("second dump = %+v, want the same id %d", again, want.ID)
			}
			if cookie, err := unix.GetsockoptUint64(k.fd, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil || monitor.SocketID(cookie) != want.ID {
				t.Errorf("id = %d, want the socket's cookie %d (%v)", want.ID, cookie, err)
			}
			if err := unix.Shutdown(k.fd, unix.SHUT_RD); err != nil { // ends listening; the cleanup closes
				t.Fatal(err)
			}
			if got := see(t, table, k.inode); len(got) != 0 {
				t.Errorf("after it ended: %+v, want nothing", got)
			}
		})
	}
}

func TestBothFamiliesOnOnePort(t *testing.T) {
	table := open(t)
	four := bind(t, unix.SOCK_STREAM, "0.0.0.0", 0).listen(t)
	six := bind(t, unix.SOCK_STREAM, "::", four.port, v6Only(1)).listen(t)
	a, b := see(t, table, four.inode), see(t, table, six.inode)
	if len(a) != 1 || len(b) != 1 || a[0].Port != b[0].Port || a[0].ID == b[0].ID {
		t.Errorf("0.0.0.0: %+v, [::]: %+v; want two sockets of one port", a, b)
	}
}

func TestReusePortIsTwoSockets(t *testing.T) {
	table := open(t)
	first := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0, reusePort).listen(t)
	second := bind(t, unix.SOCK_STREAM, "127.0.0.1", first.port, reusePort).listen(t)
	a, b := see(t, table, first.inode), see(t, table, second.inode)
	if len(a) != 1 || len(b) != 1 || a[0].ID == b[0].ID {
		t.Fatalf("rows %+v and %+v, want one each", a, b)
	}
	if err := unix.Shutdown(first.fd, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	if got := see(t, table, second.inode); len(got) != 1 {
		t.Errorf("after the first ended: %+v, want the second", got)
	}
}

// What is on a port without listening is no listener.
func TestOthersAreNotListed(t *testing.T) {
	table := open(t)
	bound := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	datagram := bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0)

	server := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t)
	client, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), server.port).String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, _, err := unix.Accept4(server.fd, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(accepted, &stat); err != nil {
		t.Fatal(err)
	}
	for name, inode := range map[string]uint64{
		"bound, never listening": bound.inode, "UDP": datagram.inode, "established": stat.Ino,
	} {
		if got := see(t, table, inode); len(got) != 0 {
			t.Errorf("%s: %+v, want nothing", name, got)
		}
	}

	// The server's end closes first and stays behind in TIME_WAIT, without an inode.
	_ = unix.Close(accepted)
	_, _ = io.ReadAll(client)
	_ = client.Close()
	if err := unix.Shutdown(server.fd, unix.SHUT_RD); err != nil {
		t.Fatal(err)
	}
	all, err := table.Sockets(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Port == server.port && s.Inode == 0 }); i >= 0 {
		t.Errorf("after the close: %+v, want nothing on port %d", all[i], server.port)
	}
}

// Go's own listeners are MPTCP where the kernel has it: two kernel sockets for
// one, of which the table shows one with the inode that the process holds.
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
	all, err := table.Sockets(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(s monitor.Socket) bool {
		return s.Port != port || s.Address != netip.MustParseAddr("127.0.0.1")
	})
	if len(all) != 1 || all[0].Inode != stat.Ino {
		t.Errorf("rows of port %d = %+v, want one with inode %d", port, all, stat.Ino)
	}
}

func TestSocketsAppends(t *testing.T) {
	table := open(t)
	k := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t)
	first := monitor.Socket{ID: 1, Port: 1}
	all, err := table.Sockets([]monitor.Socket{first}, false)
	if err != nil || all[0] != first || !slices.ContainsFunc(all, func(s monitor.Socket) bool { return s.Inode == k.inode }) {
		t.Errorf("Sockets = %+v, %v; want %+v before the rest", all, err, first)
	}
}

// More listeners than one datagram of the kernel's answer holds.
func TestManyListeners(t *testing.T) {
	table := open(t)
	inodes := make(map[uint64]bool)
	for range 600 {
		inodes[bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t).inode] = true
	}
	all, err := table.Sockets(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		delete(inodes, s.Inode)
	}
	if len(inodes) != 0 {
		t.Errorf("%d of 600 listeners are missing", len(inodes))
	}
}

// Unchanged may say so only while the same sockets listen, be they in one
// datagram of the answer or in several.
func TestUnchanged(t *testing.T) {
	table := open(t)
	unchanged := func(udp bool) bool {
		for range 100 { // another program may open a socket just now
			if _, err := table.Sockets(nil, udp); err != nil {
				t.Fatal(err)
			}
			if table.Unchanged(udp) {
				return true
			}
		}
		return false
	}
	for range 2 {
		for _, udp := range []bool{false, true} {
			if !unchanged(udp) {
				t.Errorf("Unchanged(udp %t) is never true", udp)
			}
			k := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t)
			if table.Unchanged(udp) {
				t.Errorf("Unchanged(udp %t) with one listener more", udp)
			}
			if !unchanged(udp) {
				t.Errorf("Unchanged(udp %t) is never true with that listener", udp)
			}
			if err := unix.Shutdown(k.fd, unix.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
			if table.Unchanged(udp) {
				t.Errorf("Unchanged(udp %t) with one listener less", udp)
			}
		}
		if unchanged(false); table.Unchanged(true) && len(table.(*diagTable).lastAnswer) > 0 {
			t.Error("Unchanged(udp) takes the answer about TCP for the one about both")
		}
		for range 600 {
			bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t)
		}
	}
}

func TestUnchangedAllocatesNothing(t *testing.T) {
	table := open(t)
	if _, err := table.Sockets(nil, true); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { table.Unchanged(true) }); n != 0 {
		t.Errorf("Unchanged allocates %v times", n)
	}
}

func TestClosedTableIsAnError(t *testing.T) {
	table := open(t)
	d := table.(*diagTable)
	fd := d.fd
	d.fd = -1
	got, err := d.Sockets(nil, false)
	d.fd = fd
	if err == nil || len(got) != 0 {
		t.Errorf("Sockets = %v, %v; want an error", got, err)
	}
}

// gopsutil's slower way comes to the same rows.
func TestPortableSeesTheSame(t *testing.T) {
	k := bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).listen(t)
	deadline := time.Now().Add(10 * time.Second)
	for {
		all, err := newPortable().Sockets(nil, false)
		// gopsutil fails where any process ends while it looks.
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		i := slices.IndexFunc(all, func(s monitor.Socket) bool { return s.Port == k.port && s.PID == os.Getpid() })
		if err != nil || i < 0 || all[i].Address != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("Sockets = %+v, %v; want port %d of process %d", all, err, k.port, os.Getpid())
		}
		return
	}
}

func TestUserName(t *testing.T) {
	if got := userName(0); got != "root" {
		t.Errorf("userName(0) = %q, want root", got)
	}
	const nobodyHas = 3_999_999_999
	for range 2 { // looked up, and remembered
		if got := userName(nobodyHas); got != "3999999999" {
			t.Errorf("userName(%d) = %q, want the number", uint32(nobodyHas), got)
		}
	}
}
