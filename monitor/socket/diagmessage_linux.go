package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// This file has the wire format of sock_diag(7): requests, answers and the
// inet_diag_msg in them.

// Sizes and numbers of linux/inet_diag.h and linux/netlink.h.
const (
	tcpdiagGetSock = 18      // the old request, which returns both address families at once
	stateListen    = 10      // TCP_LISTEN of net/tcp_states.h
	stateClose     = 7       // TCP_CLOSE, the state of a UDP socket that is bound and not connected
	requestSize    = 16 + 60 // nlmsghdr + inet_diag_req
	request2Size   = 16 + 56 // nlmsghdr + inet_diag_req_v2
	messageSize    = 72      // inet_diag_msg
	attrSkV6Only   = 11      // INET_DIAG_SKV6ONLY
	attrCgroup     = 21      // INET_DIAG_CGROUP_ID
	sequence       = 1
	headerSize     = unix.NLMSG_HDRLEN
)

// States of TCP sockets (net/tcp_states.h) as bits of a request.
const (
	StateEstablished uint32 = 1 << 1
	StateListening   uint32 = 1 << stateListen
)

// TCPRequest returns a dump request for TCP sockets in the given states
// (inet_diag_req of linux/inet_diag.h, the old request, which covers IPv4 and
// IPv6). extensions selects additional attributes, bit n-1 for INET_DIAG_… n;
// filter is the kernel's byte code that selects sockets, nil for all.
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

// listenRequest returns a dump request for listening TCP sockets of both address
// families.
func listenRequest() []byte { return TCPRequest(StateListening, 0, nil) }

// udpRequest returns a dump request for the UDP sockets of an address family that
// are bound and not connected.
func udpRequest(family byte) []byte {
	b := make([]byte, request2Size)
	binary.NativeEndian.PutUint32(b[0:], request2Size)
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	b[headerSize], b[headerSize+1] = family, unix.IPPROTO_UDP
	binary.NativeEndian.PutUint32(b[headerSize+4:], 1<<stateClose)
	return b
}

// The filter attribute of linux/inet_diag.h and its operations.
const (
	attrByteCode = 1 // INET_DIAG_REQ_BYTECODE
	opJump       = 1 // INET_DIAG_BC_JMP
	opLocalGE    = 2 // INET_DIAG_BC_S_GE
	opLocalLE    = 3 // INET_DIAG_BC_S_LE
	opRemoteGE   = 4 // INET_DIAG_BC_D_GE
	opRemoteLE   = 5 // INET_DIAG_BC_D_LE
)

// MaxFilterPorts is the maximum number of ports of a PortFilter: its jumps have
// 16 bits.
const MaxFilterPorts = 1000

// PortFilter returns the byte code that selects the sockets whose local port is
// in local or whose remote port is in remote. Both together have 1 to
// MaxFilterPorts ports. Each port becomes ">= port, <= port, jump to the end":
// the kernel selects a socket if the program ends exactly at its end, and rejects
// it if the program ends 4 bytes beyond (inet_diag_bc_run of
// net/ipv4/inet_diag.c).
func PortFilter(local, remote []uint16) []byte {
	const operation, alternative = 4, 20 // bytes
	size := (len(local) + len(remote)) * alternative
	b := make([]byte, 0, size)
	add := func(code, yes byte, no int) {
		b = append(b, code, yes)
		b = binary.NativeEndian.AppendUint16(b, uint16(no))
	}
	anyOf := func(atLeast, atMost byte, ports []uint16) {
		for _, port := range ports {
			next := len(b) + alternative
			if next == size {
				next += operation // no alternative is left
			}
			add(atLeast, 2*operation, next-len(b))
			add(0, 0, int(port)) // the operand
			add(atMost, 2*operation, next-len(b))
			add(0, 0, int(port))
			add(opJump, operation, size-len(b))
		}
	}
	anyOf(opLocalGE, opLocalLE, local)
	anyOf(opRemoteGE, opRemoteLE, remote)
	return b
}

// endsDump reports whether a datagram is the last one of a dump: DONE and ERROR
// come at the end of its messages.
func endsDump(b []byte) bool {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return true // parseDump reports the error
		}
		if kind := binary.NativeEndian.Uint16(b[4:]); kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return true
		}
		b = b[min(align4(size), len(b)):]
	}
	return len(b) > 0
}

// parseDump appends the sockets in one datagram of netlink messages. end reports
// whether the dump is complete. Messages with another sequence number than seq
// are skipped.
func parseDump(dst []monitor.Socket, b []byte, seq uint32, protocol monitor.Protocol) (_ []monitor.Socket, end bool, _ error) {
	end, err := eachMessage(b, seq, func(body []byte) {
		if s, ok := parseSocket(body, protocol); ok {
			dst = append(dst, s)
		}
	})
	return dst, end, err
}

// eachMessage calls each with the body of every message in b that describes a
// socket and has the sequence number seq.
func eachMessage(b []byte, seq uint32, each func(body []byte)) (end bool, _ error) {
	interrupted := false
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return false, fmt.Errorf("sock_diag sent a message of %d bytes in %d bytes", size, len(b))
		}
		kind, flags := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
		body, mine := b[headerSize:size], binary.NativeEndian.Uint32(b[8:]) == seq
		b = b[min(align4(size), len(b)):]
		if !mine {
			continue
		}
		interrupted = interrupted || flags&unix.NLM_F_DUMP_INTR != 0
		switch kind {
		case unix.NLMSG_DONE:
			if interrupted {
				return true, errInterrupted
			}
			return true, nil
		case unix.NLMSG_ERROR:
			return true, fmt.Errorf("sock_diag returned an error: %w", errnoOf(body))
		default:
			each(body)
		}
	}
	if interrupted {
		return false, errInterrupted
	}
	return false, nil
}

var errIncomplete = errors.New("the answer of sock_diag is incomplete")

func align4(n int) int { return (n + 3) &^ 3 }

func errnoOf(body []byte) error {
	if len(body) < 4 {
		return unix.EBADMSG
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
}

// parseSocket parses one inet_diag_msg. ok is false for sockets that neither
// listen nor receive datagrams from anyone, and for unknown address families.
func parseSocket(b []byte, protocol monitor.Protocol) (s monitor.Socket, ok bool) {
	state := byte(stateListen)
	if protocol == monitor.UDP {
		state = stateClose
	}
	if len(b) < messageSize || b[1] != state {
		return s, false
	}
	switch b[0] {
	case unix.AF_INET:
		s.Address = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.AF_INET6:
		s.Address = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		return s, false
	}
	s.Protocol = protocol
	s.Port = binary.BigEndian.Uint16(b[4:])
	s.ID = socketCookie(b)
	s.UID = binary.NativeEndian.Uint32(b[64:])
	s.Inode = uint64(binary.NativeEndian.Uint32(b[68:]))
	s.V6Only = attribute(b[messageSize:], attrSkV6Only, 1) == 1
	s.Cgroup = attribute(b[messageSize:], attrCgroup, 8)
	s.Device = deviceName(binary.NativeEndian.Uint32(b[40:]))
	return s, s.Port != 0
}

// deviceName returns the name of the network interface with an index, "" for 0, which
// is none. The loopback interface of every network namespace has index 1.
func deviceName(index uint32) string {
	switch index {
	case 0:
		return ""
	case 1:
		return "lo"
	}
	unknown := fmt.Sprintf("interface %d", index)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unknown
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written to it
	r, err := unix.NewIfreq("")
	if err != nil {
		return unknown
	}
	r.SetUint32(index)
	if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, r) != nil {
		return unknown // it has just been removed
	}
	return r.Name()
}

// socketCookie returns the cookie in an inet_diag_msg.
func socketCookie(b []byte) monitor.SocketID {
	return monitor.SocketID(uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32)
}

// attribute returns the value of an attribute of 1 or 8 bytes; 0 if there is
// none.
func attribute(b []byte, kind uint16, bytes int) uint64 {
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			return 0
		}
		if binary.NativeEndian.Uint16(b[2:]) == kind && size >= unix.SizeofRtAttr+bytes {
			if bytes == 1 {
				return uint64(b[unix.SizeofRtAttr])
			}
			return binary.NativeEndian.Uint64(b[unix.SizeofRtAttr:])
		}
		b = b[min(align4(size), len(b)):]
	}
	return 0
}

// DiagMessage is one socket of an answer: an inet_diag_msg of linux/inet_diag.h
// with its attributes.
type DiagMessage []byte

// Listening reports whether the socket is in state LISTEN.
func (m DiagMessage) Listening() bool { return m[1] == stateListen }

// Cookie returns the identity of the socket.
func (m DiagMessage) Cookie() monitor.SocketID { return socketCookie(m) }

// Local returns the local address as the socket has it, which may be an
// IPv4-mapped one (::ffff:127.0.0.1). It is invalid for an unknown address
// family.
func (m DiagMessage) Local() netip.AddrPort {
	return netip.AddrPortFrom(m.address(8), binary.BigEndian.Uint16(m[4:]))
}

// Remote returns the remote address.
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

// Socket returns the fields that a Finder needs, and the user's number.
func (m DiagMessage) Socket() monitor.Socket {
	uid := binary.NativeEndian.Uint32(m[64:])
	return monitor.Socket{ID: m.Cookie(), Protocol: monitor.TCP, Address: m.Local().Addr(), Port: m.Local().Port(),
		UID: uid, Inode: uint64(binary.NativeEndian.Uint32(m[68:]))}
}

// AcceptQueue returns, for a listening socket, the number of connections that
// wait to be accepted and the maximum: sk_max_ack_backlog, which is the backlog
// of listen(2) limited to net.core.somaxconn.
func (m DiagMessage) AcceptQueue() (waiting, limit uint32) {
	return binary.NativeEndian.Uint32(m[56:]), binary.NativeEndian.Uint32(m[60:])
}

// Attribute returns the value of an attribute, nil if the kernel sent none.
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
