package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// Open returns the table of listening sockets. It takes the best way that this
// system allows, and Source names it: the kernel's own table through
// sock_diag(7), which needs no privilege and where the kernel tells closes or,
// refused that, is polled; /proc/net where a sandbox refuses sock_diag; and
// gopsutil's reading of /proc where even that cannot be had. An error means that
// this process or the machine is out of descriptors or memory. The caller closes
// the table.
func Open(log *slog.Logger) (Table, error) {
	var refused []error
	for _, way := range []func() (Table, error){
		func() (Table, error) { return openDiagTable() },
		func() (Table, error) { return newProcNet(), nil },
	} {
		t, err := tryOpen(way)
		if err == nil {
			if len(refused) > 0 {
				log.Warn("the kernel's own table of sockets is refused; reading it another way, which is slower",
					"way", t.Source(), "problem", errors.Join(refused...))
			}
			return t, nil
		}
		if outOfResources(err) {
			return nil, err // no refusal: the best way is there another time
		}
		refused = append(refused, err)
	}
	t := newPortable()
	log.Warn("the tables of sockets are refused; reading them as gopsutil does, which is slower",
		"way", t.Source(), "problem", errors.Join(refused...))
	return t, nil
}

// outOfResources reports whether err says that there are no descriptors or no memory
// left.
func outOfResources(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// tryOpen opens a table and looks once.
func tryOpen(open func() (Table, error)) (Table, error) {
	t, err := open()
	if err != nil {
		return nil, err
	}
	if _, err := t.Sockets(nil, false); err != nil {
		_ = t.Close() // the error that matters is the dump's
		return nil, err
	}
	return t, nil
}

// diagTable reads listening sockets through NETLINK_SOCK_DIAG: one dump for IPv4
// and IPv6, 15 µs + 0.3 µs a listener, whatever else the machine does.
type diagTable struct {
	*waiter
	netlinkConn
	lastAnswer []byte // to the last Sockets, as the kernel wrote it
	counters   *counters
}

// dumpRequest is one dump: TCP has one for both families, UDP one for each.
type dumpRequest struct {
	protocol monitor.Protocol
	request  []byte
}

var (
	tcpRequests = []dumpRequest{{monitor.TCP, listenRequest()}}
	allRequests = append(tcpRequests, dumpRequest{monitor.UDP, udpRequest(unix.AF_INET)}, dumpRequest{monitor.UDP, udpRequest(unix.AF_INET6)})
)

// Sizes and numbers of linux/inet_diag.h and linux/netlink.h.
const (
	tcpdiagGetSock = 18      // the old request, which answers for both families at once
	stateListen    = 10      // TCP_LISTEN of net/tcp_states.h
	stateClose     = 7       // TCP_CLOSE, which is a UDP socket that is bound and not connected
	requestSize    = 16 + 60 // nlmsghdr + inet_diag_req
	request2Size   = 16 + 56 // nlmsghdr + inet_diag_req_v2
	messageSize    = 72      // inet_diag_msg
	attrSkV6Only   = 11      // INET_DIAG_SKV6ONLY
	attrCgroup     = 21      // INET_DIAG_CGROUP_ID
	sequence       = 1
	datagramSize   = 64 << 10 // the kernel fills at most 32 KB a read; room for larger ones to come
	headerSize     = unix.NLMSG_HDRLEN
	receiveTimeout = 2 // seconds; the kernel answers at once or never
)

func openDiagTable() (*diagTable, error) {
	runtime.LockOSThread() // or they could be of the namespaces of two threads
	defer runtime.UnlockOSThread()
	c, err := dialNetlink()
	if err != nil {
		return nil, err
	}
	w, err := newWaiter()
	if err != nil {
		_ = unix.Close(c.fd)
		return nil, err
	}
	return &diagTable{waiter: w, netlinkConn: c, counters: openCounters()}, nil
}

// listenRequest is a dump request for TCP sockets of any family in state LISTEN.
func listenRequest() []byte { return TCPRequest(1<<stateListen, 0, nil) }

// udpRequest is a dump request for UDP sockets of a family in state CLOSE.
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

// Source names the table.
func (d *diagTable) Source() string {
	if d.events < 0 {
		return "sock_diag, polled"
	}
	return "sock_diag, with the kernel's word on closes"
}

// Close releases the netlink sockets.
func (d *diagTable) Close() error {
	d.counters.close()
	return errors.Join(unix.Close(d.fd), d.waiter.close())
}

// Still compares the kernel's counts of sockets with those of the last call. A
// restart leaves them as they were: without the kernel's word on closes they tell
// too little.
func (d *diagTable) Still() bool { return d.events >= 0 && d.counters.unchanged() }

// Sockets dumps the listening sockets. An answer that the kernel marks as
// interrupted is not used.
func (d *diagTable) Sockets(dst []monitor.Socket, udp bool) ([]monitor.Socket, error) {
	d.setUDPEvents(udp)
	var err error
	for range 3 {
		var all []monitor.Socket
		if all, err = d.dump(dst, requestsFor(udp)); err == nil {
			return all, nil
		}
		if !errors.Is(err, errInterrupted) {
			break
		}
	}
	return dst, err
}

func requestsFor(udp bool) []dumpRequest {
	if udp {
		return allRequests
	}
	return tcpRequests
}

var errInterrupted = errors.New("the table changed while it was read")

// dump appends all sockets that the answers to the questions tell.
func (d *diagTable) dump(dst []monitor.Socket, questions []dumpRequest) ([]monitor.Socket, error) {
	d.lastAnswer = d.lastAnswer[:0]
	for _, q := range questions {
		begin := len(d.lastAnswer)
		if err := d.exchange(q.request, func(b []byte) { d.lastAnswer = append(d.lastAnswer, b...) }); err != nil {
			return dst, fmt.Errorf("%s sockets: %w", q.protocol, err)
		}
		var end bool
		var err error
		dst, end, err = parseDump(dst, d.lastAnswer[begin:], sequence, q.protocol)
		switch {
		case err != nil:
			return dst, err
		case !end:
			return dst, errors.New("sock_diag's answer has no end")
		}
	}
	return dst, nil
}

// Unchanged asks again, and compares each part of the answer where it is read
// with what the kernel wrote for Sockets: all questions have the same number, so
// that equal answers are equal bytes. That costs 2 to 5 % more than to ask alone.
func (d *diagTable) Unchanged(udp bool) bool {
	same, at := true, 0
	for _, q := range requestsFor(udp) {
		if err := d.exchange(q.request, func(b []byte) {
			same = same && at+len(b) <= len(d.lastAnswer) && bytes.Equal(b, d.lastAnswer[at:at+len(b)])
			at += len(b)
		}); err != nil {
			return false // Sockets will say what is wrong
		}
	}
	return same && at == len(d.lastAnswer)
}

// endsDump reports whether a datagram ends a dump: DONE and ERROR stand at
// the end of its messages.
func endsDump(b []byte) bool {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return true // parseDump says what is wrong
		}
		if kind := binary.NativeEndian.Uint16(b[4:]); kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return true
		}
		b = b[min(align4(size), len(b)):]
	}
	return len(b) > 0
}

// parseDump appends the sockets in one datagram of netlink messages. end tells
// that the dump is complete. Messages of other questions than seq are skipped.
func parseDump(dst []monitor.Socket, b []byte, seq uint32, protocol monitor.Protocol) (_ []monitor.Socket, end bool, _ error) {
	end, err := eachMessage(b, seq, func(body []byte) {
		if s, ok := parseSocket(body, protocol); ok {
			dst = append(dst, s)
		}
	})
	return dst, end, err
}

// eachMessage calls each for every message about a socket in b, which answers the
// question with that number.
func eachMessage(b []byte, seq uint32, each func(body []byte)) (end bool, _ error) {
	interrupted := false
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return false, fmt.Errorf("sock_diag sent a message of %d bytes in %d", size, len(b))
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
			return true, fmt.Errorf("sock_diag refuses: %w", errnoOf(body))
		default:
			each(body)
		}
	}
	if interrupted {
		return false, errInterrupted
	}
	return false, nil
}

func align4(n int) int { return (n + 3) &^ 3 }

func errnoOf(body []byte) error {
	if len(body) < 4 {
		return unix.EBADMSG
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
}

// parseSocket reads one inet_diag_msg. ok is false for what neither listens nor
// waits for datagrams from anyone, and for families that we do not know.
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
	s.User = userName(s.UID)
	s.Inode = uint64(binary.NativeEndian.Uint32(b[68:]))
	s.V6Only = attribute(b[messageSize:], attrSkV6Only, 1) == 1
	s.Cgroup = attribute(b[messageSize:], attrCgroup, 8)
	return s, s.Port != 0
}

// socketCookie is the socket's identity in an inet_diag_msg.
func socketCookie(b []byte) monitor.SocketID {
	return monitor.SocketID(uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32)
}

// attribute returns the attribute of that kind and size, 1 or 8 bytes; 0 where
// there is none.
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
