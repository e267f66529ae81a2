package socket

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// netlinkConn is a NETLINK_SOCK_DIAG socket.
type netlinkConn struct {
	fd     int
	buffer []byte // for one datagram
}

const (
	datagramSize   = 64 << 10 // the kernel writes at most 32 KB per read; the rest is reserve
	receiveTimeout = 2        // seconds; the kernel answers immediately or never
)

func dialNetlink() (netlinkConn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return netlinkConn{}, fmt.Errorf("open a sock_diag socket: %w", err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: receiveTimeout}); err != nil {
		_ = unix.Close(fd)
		return netlinkConn{}, fmt.Errorf("set the timeout of the sock_diag socket: %w", err)
	}
	// On a connected socket, reads and writes need no addresses, which would be
	// allocated.
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return netlinkConn{}, fmt.Errorf("connect the sock_diag socket: %w", err)
	}
	return netlinkConn{fd: fd, buffer: make([]byte, datagramSize)}, nil
}

// exchange sends a request and calls receive for each datagram of the answer.
// After an error, the rest of the answer is discarded before the next request.
//
// The kernel writes each part of an answer when it is read, so nothing blocks
// here. That is why the system calls bypass the Go runtime, which would wake a
// thread to watch for blocking calls.
func (c *netlinkConn) exchange(request []byte, receive func([]byte)) error {
	if _, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&request[0])), uintptr(len(request))); err != 0 {
		return fmt.Errorf("send a request to sock_diag: %w", err)
	}
	for {
		n, err := c.receive()
		if err != nil {
			c.drain()
			return fmt.Errorf("read the answer of sock_diag: %w", err)
		}
		receive(c.buffer[:n])
		if endsDump(c.buffer[:n]) {
			return nil
		}
	}
}

// receive reads one datagram, waiting for it if necessary.
func (c *netlinkConn) receive() (int, error) {
	n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(&c.buffer[0])), uintptr(len(c.buffer)), unix.MSG_DONTWAIT, 0, 0)
	if err == 0 {
		return int(n), nil
	}
	for {
		n, err := unix.Read(c.fd, c.buffer)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// drain discards the rest of an answer.
func (c *netlinkConn) drain() {
	for {
		if n, _, err := unix.Recvfrom(c.fd, c.buffer, unix.MSG_DONTWAIT); err != nil || n == 0 {
			return
		}
	}
}

// DiagConn is a connection to sock_diag(7) for requests about sockets other than
// listeners. It needs no privileges. It is used by one goroutine, which closes
// it.
type DiagConn struct{ netlinkConn }

// DialDiag opens a DiagConn. An error means that a sandbox denies it, or that the
// process has run out of descriptors.
func DialDiag() (*DiagConn, error) {
	c, err := dialNetlink()
	if err != nil {
		return nil, err
	}
	return &DiagConn{c}, nil
}

// Close closes the netlink socket.
func (c *DiagConn) Close() error { return unix.Close(c.fd) }

// Dump sends a request of TCPRequest and calls each for every socket in the
// answer. The DiagMessage is valid until each returns. After an error some
// sockets may be missing. Dump fails if the kernel does not answer within two
// seconds.
func (c *DiagConn) Dump(request []byte, each func(DiagMessage)) error {
	end, problem := false, error(nil)
	err := c.exchange(request, func(b []byte) { // one datagram at a time: a machine may have 100,000 connections
		if problem != nil {
			return
		}
		end, problem = eachMessage(b, sequence, func(body []byte) {
			if len(body) >= messageSize {
				each(DiagMessage(body))
			}
		})
	})
	switch {
	case err != nil:
		return err
	case problem != nil:
		return problem
	case !end:
		return errIncomplete
	}
	return nil
}
