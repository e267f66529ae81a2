package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// netlinkConn is a netlink socket that asks sock_diag.
type netlinkConn struct {
	fd     int
	buffer []byte // for one datagram
}

func dialNetlink() (netlinkConn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return netlinkConn{}, fmt.Errorf("open a sock_diag socket: %w", err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: receiveTimeout}); err != nil {
		_ = unix.Close(fd)
		return netlinkConn{}, fmt.Errorf("give the sock_diag socket a deadline: %w", err)
	}
	// Connected to the kernel: reads and writes then need no addresses, which
	// would be allocated.
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return netlinkConn{}, fmt.Errorf("connect the sock_diag socket: %w", err)
	}
	return netlinkConn{fd: fd, buffer: make([]byte, datagramSize)}, nil
}

// exchange sends the request and hands over the answer, datagram by datagram. What is
// left of an answer that came too late is thrown away before the next question.
// The kernel writes each part of an answer while it is asked for it, so nothing
// blocks here, and the runtime need not be told: that would wake a thread that
// keeps watch over those that block.
func (c *netlinkConn) exchange(request []byte, take func([]byte)) error {
	if _, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&request[0])), uintptr(len(request))); err != 0 {
		return fmt.Errorf("ask sock_diag: %w", err)
	}
	for {
		n, err := c.receive()
		if err != nil {
			c.drain()
			return fmt.Errorf("read sock_diag's answer: %w", err)
		}
		take(c.buffer[:n])
		if endsDump(c.buffer[:n]) {
			return nil
		}
	}
}

// receive reads one datagram, and waits for it where it has to.
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

// drain throws away what is left of an answer that was not read to its end.
func (c *netlinkConn) drain() {
	for {
		if n, _, err := unix.Recvfrom(c.fd, c.buffer, unix.MSG_DONTWAIT); err != nil || n == 0 {
			return
		}
	}
}

// DiagConn asks sock_diag(7) about other sockets than those that listen. It needs
// no privilege. It belongs to one goroutine, which closes it.
type DiagConn struct{ netlinkConn }

// DialDiag opens an Asker. An error means that a sandbox refuses it, or that
// descriptors are short.
func DialDiag() (*DiagConn, error) {
	c, err := dialNetlink()
	if err != nil {
		return nil, err
	}
	return &DiagConn{c}, nil
}

// Close releases the netlink socket.
func (a *DiagConn) Close() error { return unix.Close(a.fd) }

// Dump sends a request of TCPRequest and calls each for every socket of the
// answer; the Message holds until each returns. After an error some may be
// missing. The kernel answers at once, or the deadline of two seconds is the
// error.
func (a *DiagConn) Dump(request []byte, each func(DiagMessage)) error {
	end, problem := false, error(nil)
	err := a.exchange(request, func(b []byte) { // a datagram at a time: a machine may have a hundred thousand connections
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
		return errors.New("sock_diag's answer has no end")
	}
	return nil
}

// States of TCP sockets (net/tcp_states.h), as the bits of a request.
const (
	StateEstablished uint32 = 1 << 1
	StateListening   uint32 = 1 << stateListen
)

// TCPRequest is a dump request (inet_diag_req of linux/inet_diag.h, the old one,
// which asks for IPv4 and IPv6 at once) for TCP sockets in states. extensions
// are the bits of what the kernel is to add, bit n-1 for INET_DIAG_… n; filter
// is its byte code for which sockets, nil for all.
func TCPRequest(states uint32, extensions byte, filter []byte) []byte {
	size := requestSize
	if len(filter) > 0 {
		size += unix.SizeofRtAttr + len(filter)
	}
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b[0:], uint32(size))
	binary.NativeEndian.PutUint16(b[4:], tcpdiagGetSock)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	b[headerSize], b[headerSize+3] = unix.AF_UNSPEC, extensions
	binary.NativeEndian.PutUint32(b[headerSize+52:], states)
	if len(filter) > 0 {
		binary.NativeEndian.PutUint16(b[requestSize:], uint16(unix.SizeofRtAttr+len(filter)))
		binary.NativeEndian.PutUint16(b[requestSize+2:], attrByteCode)
		copy(b[requestSize+unix.SizeofRtAttr:], filter)
	}
	return b
}

// Of linux/inet_diag.h: the attribute of a filter, and its operations.
const (
	attrByteCode = 1 // INET_DIAG_REQ_BYTECODE
	opJump       = 1 // INET_DIAG_BC_JMP
	opLocalGE    = 2 // INET_DIAG_BC_S_GE
	opLocalLE    = 3 // INET_DIAG_BC_S_LE
	opRemoteGE   = 4 // INET_DIAG_BC_D_GE
	opRemoteLE   = 5 // INET_DIAG_BC_D_LE
)

// MaxFilterPorts is how many ports PortFilter takes: its jumps have 16 bits.
const MaxFilterPorts = 1000

// PortFilter is the byte code that lets through the sockets whose own port is
// one of local or whose other end's is one of remote; there are 1 to MaxFilter of
// both together. For each it is ">= port, <= port, jump to the end": the kernel
// takes a socket whose run ends exactly at the end, and none whose run ends 4
// bytes behind it (inet_diag_bc_run of net/ipv4/inet_diag.c).
func PortFilter(local, remote []uint16) []byte {
	const operation, alternative = 4, 20 // bytes
	size := (len(local) + len(remote)) * alternative
	b := make([]byte, 0, size)
	add := func(code, yes byte, no int) {
		b = append(b, code, yes)
		b = binary.NativeEndian.AppendUint16(b, uint16(no))
	}
	either := func(atLeast, atMost byte, ports []uint16) {
		for _, port := range ports {
			next := len(b) + alternative
			if next == size {
				next += operation // nothing is left to try
			}
			add(atLeast, 2*operation, next-len(b))
			add(0, 0, int(port)) // what is compared with
			add(atMost, 2*operation, next-len(b))
			add(0, 0, int(port))
			add(opJump, operation, size-len(b))
		}
	}
	either(opLocalGE, opLocalLE, local)
	either(opRemoteGE, opRemoteLE, remote)
	return b
}

// DiagMessage is one socket of an answer: an inet_diag_msg of linux/inet_diag.h with
// its attributes.
type DiagMessage []byte

// Listening reports whether the socket is in state LISTEN.
func (m DiagMessage) Listening() bool { return m[1] == stateListen }

// Cookie is the socket's identity.
func (m DiagMessage) Cookie() monitor.SocketID { return socketCookie(m) }

// Local is the socket's own end, as it has it: ::ffff:127.0.0.1 is one. It is
// not valid for a family that we do not know.
func (m DiagMessage) Local() netip.AddrPort {
	return netip.AddrPortFrom(m.address(8), binary.BigEndian.Uint16(m[4:]))
}

// Remote is the other end.
func (m DiagMessage) Remote() netip.AddrPort {
	return netip.AddrPortFrom(m.address(24), binary.BigEndian.Uint16(m[6:]))
}

func (m DiagMessage) address(at int) netip.Addr {
	switch m[0] {
	case unix.AF_INET:
		return netip.AddrFrom4([4]byte(m[at : at+4]))
	case unix.AF_INET6:
		return netip.AddrFrom16([16]byte(m[at : at+16]))
	}
	return netip.Addr{}
}

// Socket is what a Finder needs of it, and its user.
func (m DiagMessage) Socket() monitor.Socket {
	uid := binary.NativeEndian.Uint32(m[64:])
	return monitor.Socket{ID: m.Cookie(), Protocol: monitor.TCP, Address: m.Local().Addr(), Port: m.Local().Port(),
		UID: uid, User: userName(uid), Inode: uint64(binary.NativeEndian.Uint32(m[68:]))}
}

// AcceptQueue is, of a socket that listens, how many connections wait to be
// accepted and the limit that the program asked for.
func (m DiagMessage) AcceptQueue() (waiting, limit uint32) {
	return binary.NativeEndian.Uint32(m[56:]), binary.NativeEndian.Uint32(m[60:])
}

// Attribute is the value of an attribute, nil where the kernel sent none.
func (m DiagMessage) Attribute(kind uint16) []byte {
	for b := []byte(m[messageSize:]); len(b) >= unix.SizeofRtAttr; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			return nil
		}
		if binary.NativeEndian.Uint16(b[2:]) == kind {
			return b[unix.SizeofRtAttr:size]
		}
		b = b[min(align4(size), len(b)):]
	}
	return nil
}
