package socket

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"porthole/internal/await"
	"porthole/monitor"
)

// These tests run on Windows and under Wine (make test-windows).

func open(t *testing.T) Table {
	t.Helper()
	table, err := Open(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	if got, want := table.Source(), "iphlpapi, polled"; got != want {
		t.Fatalf("Source = %q, want %q", got, want)
	}
	return table
}

// poll reads the table. Under Wine that fails while thousands of connections open and
// close, with an error that Windows does not have; then it is read again.
func poll(t *testing.T, table Table, udp bool) (sockets []monitor.Socket) {
	t.Helper()
	var err error
	await.Until(t, "a successful poll", func() bool {
		sockets, _, err = table.Poll(monitor.PollOptions{UDP: udp})
		if err != nil && !errors.Is(err, windows.ERROR_OUTOFMEMORY) {
			t.Fatal(err)
		}
		return err == nil
	})
	return sockets
}

// shows reports whether the table has that socket.
func shows(t *testing.T, table Table, protocol monitor.Protocol, a netip.AddrPort) bool {
	t.Helper()
	return slices.ContainsFunc(poll(t, table, true), func(s monitor.Socket) bool {
		return s.Protocol == protocol && netip.AddrPortFrom(s.Address, s.Port) == a
	})
}

func TestListenerOpensAndCloses(t *testing.T) {
	table := open(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0"} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		a := l.Addr().(*net.TCPAddr).AddrPort()
		await.Until(t, fmt.Sprint("to see ", a), func() bool { return shows(t, table, monitor.TCP, a) })
		if shows(t, table, monitor.UDP, a) {
			t.Errorf("%v is listed as UDP", a)
		}
		_ = l.Close()
		await.Until(t, fmt.Sprint("to see ", a, " close"), func() bool { return !shows(t, table, monitor.TCP, a) })
	}
}

// Package net is not used because Wine 8 denies its UDP sockets.
func TestBoundUDPSocket(t *testing.T) {
	table := open(t)
	var started windows.WSAData
	if err := windows.WSAStartup(0x202, &started); err != nil {
		t.Fatal(err)
	}
	h, err := windows.Socket(windows.AF_INET, windows.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = windows.Closesocket(h) }()
	if err := windows.Bind(h, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := windows.Getsockname(h)
	if err != nil {
		t.Fatal(err)
	}
	a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(bound.(*windows.SockaddrInet4).Port))
	await.Until(t, fmt.Sprint("to see ", a), func() bool { return shows(t, table, monitor.UDP, a) })
	if sockets := poll(t, table, false); slices.ContainsFunc(sockets, func(s monitor.Socket) bool { return s.Protocol == monitor.UDP }) {
		t.Errorf("poll without UDP: got %v", sockets)
	}
}

func TestCallErrors(t *testing.T) {
	wrong := tcp4Table
	wrong.class = 99
	if _, err := callIphlpapi(wrong, nil); err == nil || err == errTooSmall {
		t.Errorf("unknown table: %v, want an error", err)
	}
	size, err := callIphlpapi(tcp4Table, nil)
	if err != errTooSmall || size < 4 {
		t.Errorf("no buffer: %d, %v; want the size, and %v", size, err, errTooSmall)
	}
}
