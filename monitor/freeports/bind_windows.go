package freeports

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// Reservation is not available: Windows lets no server bind a port that another process
// holds.
type Reservation struct{ Port uint16 }

// Reserve returns an error that wraps errors.ErrUnsupported.
func Reserve(port uint16) (*Reservation, error) {
	return nil, fmt.Errorf("reserve port %d: %w on Windows", port, errors.ErrUnsupported)
}

// Files returns nil.
func (*Reservation) Files() []*os.File { return nil }

// Close does nothing.
func (*Reservation) Close() error { return nil }

// boundSocket is a socket that is bound and does not listen.
type boundSocket windows.Handle

func (s boundSocket) Close() error { return windows.Closesocket(windows.Handle(s)) }

// soExclusiveAddrUse is SO_EXCLUSIVEADDRUSE (winsock2.h: the complement of SO_REUSEADDR).
const soExclusiveAddrUse = ^windows.SO_REUSEADDR

// Error codes of Winsock (winerror.h) that x/sys/windows does not name.
const (
	wsaEAddrNotAvail  = windows.Errno(10049)
	wsaEAFNoSupport   = windows.Errno(10047)
	ipv6Only          = 27 // IPV6_V6ONLY (ws2ipdef.h)
	protocolLevelIPv6 = 41 // IPPROTO_IPV6
)

// bind returns sockets that are bound to port at all IPv4 and at all IPv6 addresses, for
// this process alone. A family that this machine does not have is left out. After an
// error, the caller closes the sockets as well.
func bind(port uint16) (sockets []boundSocket, _ error) {
	for _, address := range []windows.Sockaddr{&windows.SockaddrInet4{Port: int(port)}, &windows.SockaddrInet6{Port: int(port)}} {
		s, err := bindOne(address)
		switch {
		case errors.Is(err, wsaEAFNoSupport), errors.Is(err, wsaEAddrNotAvail):
			continue
		case errors.Is(err, windows.WSAEADDRINUSE):
			return sockets, fmt.Errorf("%w: %w", ErrTaken, err)
		case errors.Is(err, windows.WSAEACCES): // another socket is exclusive, or Windows reserves the port
			return sockets, fmt.Errorf("%w: %w", ErrTaken, err)
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
func bindOne(address windows.Sockaddr) (boundSocket, error) {
	family := windows.AF_INET
	if _, ok := address.(*windows.SockaddrInet6); ok {
		family = windows.AF_INET6
	}
	handle, err := windows.Socket(family, windows.SOCK_STREAM, 0)
	if err != nil {
		return 0, err
	}
	if family == windows.AF_INET6 {
		err = windows.SetsockoptInt(handle, protocolLevelIPv6, ipv6Only, 1)
	}
	if err == nil {
		err = windows.SetsockoptInt(handle, windows.SOL_SOCKET, soExclusiveAddrUse, 1)
	}
	if err == nil {
		err = windows.Bind(handle, address)
	}
	if err != nil {
		_ = windows.Closesocket(handle) // the first error counts
		return 0, err
	}
	return boundSocket(handle), nil
}
