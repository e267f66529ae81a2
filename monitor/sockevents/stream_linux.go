package sockevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// Offsets in a tcp_info (linux/tcp.h).
const (
	attrInfo            = 2 // INET_DIAG_INFO: a tcp_info
	bytesAckedOffset    = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_acked))
	bytesReceivedOffset = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_received))
	segsInOffset        = int(unsafe.Offsetof(unix.TCPInfo{}.Segs_in))
	bytesSentOffset     = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_sent))    // Linux 4.19
	bytesRetransOffset  = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_retrans)) // Linux 4.19
)

// parse returns the socket of a message. The byte counters of the kernel include the
// FIN of each direction that was acknowledged or received; parse takes them out. If this
// side closed first, and the client's FIN came after the acknowledgement of this side's
// (FIN_WAIT2) or never, received is 1 byte too low: a tcp_info does not show it.
func parse(m socket.DiagMessage) destroyed {
	d := destroyed{id: m.Cookie(), local: m.Local(), remote: m.Remote()}
	info := m.Attribute(attrInfo)
	number := func(offset int) uint64 {
		if len(info) < offset+8 {
			return 0
		}
		return binary.NativeEndian.Uint64(info[offset:])
	}
	if len(info) < segsInOffset+4 {
		return d // an old kernel
	}
	acked := number(bytesAckedOffset)
	d.received, d.sent = number(bytesReceivedOffset), acked
	if len(info) >= bytesRetransOffset+8 {
		d.sent = min(acked, number(bytesSentOffset)-min(number(bytesRetransOffset), number(bytesSentOffset)))
	}
	if acked > d.sent && d.received > 0 { // this side's FIN was acknowledged, so the other side has normally sent its own
		d.received--
	}
	d.refused = acked == 0 && d.received == 0 && binary.NativeEndian.Uint32(info[segsInOffset:]) == 1 &&
		d.local.Port() != 0 && d.remote.Port() != 0 && ofThisMachine(d.local, d.remote)
	return d
}

// ofThisMachine reports whether a connection attempt went to this machine.
func ofThisMachine(local, remote netip.AddrPort) bool {
	return remote.Addr().Unmap().IsLoopback() || remote.Addr() == local.Addr()
}

// maxRanges limits the port ranges of a filter: a classic BPF program has at most 4,096
// instructions (BPF_MAXINSNS), and a range needs 3.
const maxRanges = 600

// Offsets of classic BPF programs (linux/filter.h).
const (
	skfAdOff    = 0xfffff000 // SKF_AD_OFF
	skfAdNlattr = 12         // SKF_AD_NLATTR: find the netlink attribute of type X from offset A on
)

// filter returns the classic BPF program that passes the messages of w. Too many
// ranges are combined, so that more messages than necessary pass.
func filter(w wanted) []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: offset}
	}
	program := append([]unix.SockFilter{load(socket.LocalPortOffset)}, each(w.local, []unix.SockFilter{socket.PassMessage})...)
	if len(w.refused) > 0 {
		program = append(program, load(socket.RemotePortOffset))
		program = append(program, each(w.refused, ifNothingAcked())...)
	}
	return append(program, socket.DropMessage)
}

// each returns the program that runs then if the loaded port is in ports. then must
// end with a result.
func each(ports monitor.Ports, then []unix.SockFilter) (program []unix.SockFilter) {
	for _, r := range combined(ports, maxRanges/len(then)) {
		n := uint8(len(then))
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: uint32(r.First), Jt: 0, Jf: n + 1},
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: uint32(r.Last), Jt: n, Jf: 0})
		program = append(program, then...)
	}
	return program
}

// ifNothingAcked passes the message if bytes_acked of its tcp_info is 0, and drops it
// otherwise: an attempt that was refused has not even its SYN acknowledged.
func ifNothingAcked() []unix.SockFilter {
	counter := func(half uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_IND, K: unix.SizeofRtAttr + uint32(bytesAckedOffset) + half}
	}
	return []unix.SockFilter{
		{Code: unix.BPF_LDX | unix.BPF_W | unix.BPF_IMM, K: attrInfo},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_IMM, K: socket.AttributesOffset},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: skfAdOff + skfAdNlattr},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 6, Jf: 0}, // no tcp_info
		{Code: unix.BPF_MISC | unix.BPF_TAX},
		counter(0),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 0, Jf: 3},
		counter(4),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 0, Jf: 1},
		socket.PassMessage,
		socket.DropMessage,
	}
}

// combined returns at most limit ranges that include all ports.
func combined(ports monitor.Ports, limit int) monitor.Ports {
	if len(ports) <= limit {
		return ports
	}
	kept := append(monitor.Ports{}, ports[:limit]...)
	kept[limit-1].Last = ports[len(ports)-1].Last // ports are sorted
	return kept
}

// netlinkStream is the stream of the kernel.
type netlinkStream struct{ events *socket.DestroyEvents }

// probeTimeout is how long the probe waits for the message about its own socket.
const probeTimeout = 100 * time.Millisecond

// openStream subscribes to the kernel's messages and probes whether they come.
func openStream() (stream, Availability, error) {
	events, err := socket.OpenDestroyEvents(filter(wanted{}))
	if err != nil {
		return nil, Refused, err
	}
	s := &netlinkStream{events}
	if found, err := s.probe(destroySocket); err != nil {
		_ = events.Close() // read-only
		return nil, found, err
	}
	return s, Available, nil
}

// probe destroys a socket with destroy, which returns its port, and waits for the
// message about it.
func (s *netlinkStream) probe(destroy func() (uint16, error)) (Availability, error) {
	if err := s.events.SetFilter([]unix.SockFilter{socket.PassMessage}); err != nil {
		return Refused, err
	}
	port, err := destroy()
	if err != nil {
		return Refused, fmt.Errorf("probe the messages about destroyed sockets: %w", err)
	}
	_ = s.events.SetDeadline(time.Now().Add(probeTimeout)) // only a closed file fails
	found, counters := false, false
	for !found {
		_, err := s.events.Read(func(m socket.DiagMessage) {
			if m.Local().Port() == port {
				found, counters = true, len(m.Attribute(attrInfo)) >= bytesReceivedOffset+8
			}
		})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return Silent, errSilent
		}
		if err != nil {
			return Refused, err
		}
	}
	if !counters {
		return Unsupported, errNoCounters
	}
	_ = s.events.SetDeadline(time.Time{})
	return Available, s.events.SetFilter(filter(wanted{}))
}

// destroySocket creates and closes a TCP socket that is bound and does not listen. It
// returns its port.
func destroySocket() (uint16, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open a socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written to it
	if err := unix.Bind(fd, &unix.SockaddrInet4{}); err != nil {
		return 0, fmt.Errorf("bind a socket: %w", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("read the port of a socket: %w", err)
	}
	in4, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return 0, errors.New("the address of a socket has another family")
	}
	return uint16(in4.Port), nil
}

func (s *netlinkStream) want(w wanted) error { return s.events.SetFilter(filter(w)) }

func (s *netlinkStream) read(each func(destroyed)) (bool, error) {
	return s.events.Read(func(m socket.DiagMessage) { each(parse(m)) })
}

func (s *netlinkStream) room() int { return s.events.Room() }

func (s *netlinkStream) close() error { return s.events.Close() }
