//go:build unix

package freeports

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Reservation holds a port: no other program gets it that binds strictly, as Reserve
// does, or that asks the kernel for any port. A server that sets SO_REUSEADDR, as nearly
// all do, can bind it.
type Reservation struct {
	Port    uint16
	sockets []*os.File
}

// Reserve binds port as Check does, and holds it until Close. Of several processes that
// reserve a port at the same time, one gets it.
func Reserve(port uint16) (*Reservation, error) {
	sockets, err := bind(port)
	if err != nil {
		closeAll(sockets)
		return nil, fmt.Errorf("reserve port %d: %w", port, err)
	}
	for _, s := range sockets {
		// After bind(2), which had to be strict. The kernel compares the current values of
		// both sockets (inet_bind_conflict in net/ipv4/inet_connection_sock.c).
		if err := unix.SetsockoptInt(int(s.Fd()), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			closeAll(sockets)
			return nil, fmt.Errorf("reserve port %d: set SO_REUSEADDR: %w", port, err)
		}
	}
	return &Reservation{port, sockets}, nil
}

// Files returns the sockets, for a process that holds them from then on.
func (r *Reservation) Files() []*os.File { return r.sockets }

// Close lets go of the port.
func (r *Reservation) Close() error {
	closeAll(r.sockets)
	return nil
}

// bind returns sockets that are bound to port at all IPv4 and at all IPv6 addresses,
// without SO_REUSEADDR. A family that this machine does not have is left out. After an
// error, the caller closes the sockets as well.
func bind(port uint16) (sockets []*os.File, _ error) {
	for _, address := range []unix.Sockaddr{&unix.SockaddrInet4{Port: int(port)}, &unix.SockaddrInet6{Port: int(port)}} {
		s, err := bindOne(address)
		switch {
		case errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EADDRNOTAVAIL):
			continue
		case errors.Is(err, unix.EADDRINUSE):
			return sockets, fmt.Errorf("%w: %w", ErrTaken, err)
		case errors.Is(err, unix.EACCES):
			return sockets, fmt.Errorf("%w: %w", ErrNotAllowed, err)
		case err != nil:
			return sockets, err
		}
		sockets = append(sockets, s)
	}
	if len(sockets) == 0 {
		return nil, errors.New("this machine has neither IPv4 nor IPv6")
	}
	return sockets, nil
}

// bindOne returns a TCP socket that is bound to address, for IPv6 to IPv6 alone.
func bindOne(address unix.Sockaddr) (*os.File, error) {
	family := unix.AF_INET
	if _, ok := address.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	if family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err == nil {
		err = unix.Bind(fd, address)
	}
	if err != nil {
		_ = unix.Close(fd) // the first error counts
		return nil, err
	}
	return os.NewFile(uintptr(fd), "reserved port"), nil
}
