// Package rawsocket opens sockets for tests with system calls: package net cannot bind
// without listening, and listens with MPTCP and SO_REUSEADDR.
package rawsocket

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// Socket is a bound socket. The end of the test closes it.
type Socket struct {
	FD    int
	Port  uint16
	Inode uint64
}

// Bind opens a socket of a kind (SOCK_STREAM or SOCK_DGRAM), applies options to its
// descriptor, and binds it to address and port, 0 for any free one. It skips the test if
// the machine lacks the address or its family.
func Bind(t testing.TB, kind int, address string, port uint16, options ...func(fd int) error) Socket {
	t.Helper()
	s, err := TryBind(t, kind, netip.MustParseAddr(address), port, options...)
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Skipf("this machine has no %s: %v", address, err)
	}
	if err != nil {
		t.Fatalf("bind %s, port %d: %v", address, port, err)
	}
	return s
}

// TryBind is Bind for an address that the kernel may refuse. The error is that of
// bind(2).
func TryBind(t testing.TB, kind int, address netip.Addr, port uint16, options ...func(fd int) error) (Socket, error) {
	t.Helper()
	family := unix.AF_INET6
	if address.Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skipf("this machine does not support such sockets: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) }) // the test may have closed it
	for _, option := range options {
		if err := option(fd); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Bind(fd, Sockaddr(address, port)); err != nil {
		return Socket{FD: fd}, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		t.Fatal(err)
	}
	return Socket{FD: fd, Port: LocalPort(t, fd), Inode: stat.Ino}, nil
}

// Listen makes s listen and returns it.
func (s Socket) Listen(t testing.TB) Socket {
	t.Helper()
	if err := unix.Listen(s.FD, 8); err != nil {
		t.Fatal(err)
	}
	return s
}

// LocalPort returns the port that a socket is bound to.
func LocalPort(t testing.TB, fd int) uint16 {
	t.Helper()
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	t.Fatalf("unexpected address %T", name)
	return 0
}

// Sockaddr returns an address and a port for system calls.
func Sockaddr(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: int(port)}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: int(port)}
}

// V6Only returns an option that sets IPV6_V6ONLY: an IPv6 socket accepts IPv4 too unless
// it is on.
func V6Only(on bool) func(fd int) error {
	value := 0
	if on {
		value = 1
	}
	return func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, value) }
}

// ReusePort is an option that sets SO_REUSEPORT.
func ReusePort(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }
