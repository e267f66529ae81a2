package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Groups and numbers of linux/sock_diag.h and linux/filter.h.
const (
	groupTCPDestroy  = 1  // SKNLGRP_INET_TCP_DESTROY
	groupUDPDestroy  = 2  // SKNLGRP_INET_UDP_DESTROY
	groupTCP6Destroy = 3  // SKNLGRP_INET6_TCP_DESTROY
	groupUDP6Destroy = 4  // SKNLGRP_INET6_UDP_DESTROY
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY, the type of a message about a destroyed socket
	wholeMessage     = 0xffff
)

// Offsets in a message about a destroyed socket, for the filters of DestroyEvents.
const (
	LocalPortOffset  = headerSize + 4
	RemotePortOffset = headerSize + 6
	AttributesOffset = headerSize + messageSize
)

// Results of a filter of DestroyEvents.
var (
	PassMessage = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: wholeMessage}
	DropMessage = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
)

// subscribeDestroyed opens a nonblocking netlink socket that receives a message for
// each destroyed TCP socket that the filter, a classic BPF program, passes. This needs
// no privileges.
func subscribeDestroyed(filter []unix.SockFilter) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return -1, fmt.Errorf("open a socket for events: %w", err)
	}
	err = attachFilter(fd, filter) // before the first message
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1<<(groupTCPDestroy-1) | 1<<(groupTCP6Destroy-1)})
	}
	if err != nil {
		_ = unix.Close(fd) // nothing was written to it
		return -1, fmt.Errorf("subscribe to destroyed sockets: %w", err)
	}
	return fd, nil
}

// attachFilter replaces the filter of a socket.
func attachFilter(fd int, filter []unix.SockFilter) error {
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0]))}); err != nil {
		return fmt.Errorf("filter events: %w", err)
	}
	return nil
}

// eachDestroyed calls each for every destroyed socket in a datagram.
func eachDestroyed(b []byte, each func(DiagMessage)) {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return
		}
		body := b[headerSize:size]
		if binary.NativeEndian.Uint16(b[4:]) == sockDiagByFamily && len(body) >= messageSize {
			each(DiagMessage(body))
		}
		b = b[min(align4(size), len(b)):]
	}
}

// DestroyEvents receives the kernel's messages about destroyed TCP sockets: an
// inet_diag_msg with INET_DIAG_PROTOCOL and INET_DIAG_INFO, whose user and inode are 0.
// The methods are safe for concurrent use, except for Read.
type DestroyEvents struct {
	file   *os.File
	conn   syscall.RawConn
	buffer []byte
	closed atomic.Bool
}

// Sizes of the receive buffer, in bytes.
const (
	destroyBufferBytes = 4 << 20 // requested; the system allows less (net.core.rmem_max, 208 kB before Linux 6.17)
	messageBufferBytes = 1280    // what one message takes there (sk_buff.truesize, measured)
)

// OpenDestroyEvents subscribes to the messages that pass the filter, which is a classic
// BPF program with the offsets above. It needs no privileges. The caller closes it.
func OpenDestroyEvents(filter []unix.SockFilter) (*DestroyEvents, error) {
	fd, err := subscribeDestroyed(filter)
	if err != nil {
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, destroyBufferBytes) // Read reports lost messages
	return NewDestroyEvents(fd)
}

// NewDestroyEvents returns DestroyEvents that reads from fd, a nonblocking datagram
// socket, and owns it.
func NewDestroyEvents(fd int) (*DestroyEvents, error) {
	e := &DestroyEvents{file: os.NewFile(uintptr(fd), "sock_diag events"), buffer: make([]byte, eventsBufferBytes)}
	conn, err := e.file.SyscallConn()
	if err == nil {
		err = e.file.SetReadDeadline(time.Time{}) // fails if the runtime's poller does not take it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for destroyed sockets: %w", err), e.file.Close())
	}
	e.conn = conn
	return e, nil
}

// SetFilter replaces the filter. Messages that passed the previous one may still come.
func (e *DestroyEvents) SetFilter(filter []unix.SockFilter) (err error) {
	if problem := e.conn.Control(func(fd uintptr) { err = attachFilter(int(fd), filter) }); problem != nil {
		return fmt.Errorf("filter events: %w", problem)
	}
	return err
}

// Read waits for messages until the deadline, and calls each for every socket in those
// that have arrived. The DiagMessage is valid until each returns. lost means that the
// kernel had to drop messages, because they were not read fast enough. After the
// deadline the error is os.ErrDeadlineExceeded, after Close os.ErrClosed.
func (e *DestroyEvents) Read(each func(DiagMessage)) (lost bool, err error) {
	waitErr := e.conn.Read(func(fd uintptr) bool {
		received := false
		for range maxPerRead {
			n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&e.buffer[0])), uintptr(len(e.buffer)), unix.MSG_DONTWAIT, 0, 0)
			switch errno {
			case 0:
				eachDestroyed(e.buffer[:min(int(n), len(e.buffer))], each)
			case unix.EINTR:
			case unix.ENOBUFS:
				lost = true
			case unix.EAGAIN:
				return received
			default:
				err = errno
				return true
			}
			received = true
		}
		return true
	})
	switch {
	case waitErr != nil && e.closed.Load(): // the error of a RawConn is another one
		return lost, os.ErrClosed
	case waitErr != nil:
		return lost, waitErr
	}
	if err != nil {
		return lost, fmt.Errorf("read destroyed sockets: %w", err)
	}
	return lost, nil
}

// maxPerRead is the maximum number of messages that one Read handles.
const maxPerRead = 10_000

// SetDeadline makes Read return at a time; zero means never. A time in the past ends a
// current Read.
func (e *DestroyEvents) SetDeadline(t time.Time) error { return e.file.SetReadDeadline(t) }

// Close ends the subscription and a current Read.
func (e *DestroyEvents) Close() error {
	e.closed.Store(true)
	return e.file.Close()
}

// SetReceiveBuffer sets the size of the receive buffer in bytes. The kernel doubles it
// and enforces limits of its own (SO_RCVBUF in socket(7)).
func (e *DestroyEvents) SetReceiveBuffer(size int) (err error) {
	if problem := e.conn.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size) }); problem != nil {
		return fmt.Errorf("set the receive buffer: %w", problem)
	}
	return err
}

// Room returns how many messages the receive buffer holds.
func (e *DestroyEvents) Room() (messages int) {
	_ = e.conn.Control(func(fd uintptr) { // a closed file has room for none
		size, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) // does not fail
		messages = size / messageBufferBytes
	})
	return messages
}
