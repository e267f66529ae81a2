package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"

	"porthole/monitor"
)

// This file parses the tables of Windows' iphlpapi.dll. It is built, and so
// tested, on every system; socket_windows.go calls the library.

// layout is the memory layout of a table of iphlpapi: the number of rows
// (dwNumEntries) and, because rows are aligned to 8 bytes, the rows from byte 8
// on. All numbers are little-endian except the port and the address. The offsets
// are those of tcpmib.h and udpmib.h, the same on 32 and 64 bits.
type layout struct {
	function string // getTCP or getUDP
	protocol monitor.Protocol
	family   uintptr // AF_INET or AF_INET6 of winsock2.h
	class    uintptr // TCP_TABLE_CLASS or UDP_TABLE_CLASS of iprtrmib.h
	row      int     // bytes
	state    int     // offset of dwState; -1 in the tables of UDP, which has no states
	address  int
	scope    int // offset of dwLocalScopeId; -1 in the tables of IPv4
	port     int
	pid      int
	created  int // offset of liCreateTimestamp
}

const (
	getTCP         = "GetExtendedTcpTable"
	getUDP         = "GetExtendedUdpTable"
	tcpListeners   = 6 // TCP_TABLE_OWNER_MODULE_LISTENER
	udpOwnerModule = 2 // UDP_TABLE_OWNER_MODULE
	inet, inet6    = 2, 23
	listenState    = 2 // MIB_TCP_STATE_LISTEN
	firstRow       = 8
)

var (
	tcp4Table = layout{getTCP, monitor.TCP, inet, tcpListeners, 160, 0, 4, -1, 8, 20, 24}      // MIB_TCPROW_OWNER_MODULE
	tcp6Table = layout{getTCP, monitor.TCP, inet6, tcpListeners, 192, 48, 0, 16, 20, 52, 56}   // MIB_TCP6ROW_OWNER_MODULE
	udp4Table = layout{getUDP, monitor.UDP, inet, udpOwnerModule, 160, -1, 0, -1, 4, 8, 16}    // MIB_UDPROW_OWNER_MODULE
	udp6Table = layout{getUDP, monitor.UDP, inet6, udpOwnerModule, 176, -1, 0, 16, 20, 24, 32} // MIB_UDP6ROW_OWNER_MODULE
)

func (l layout) String() string {
	version := "IPv4"
	if l.family == inet6 {
		version = "IPv6"
	}
	return fmt.Sprintf("%s for %s over %s", l.function, l.protocol, version)
}

// parse appends the sockets in rows. Connected UDP sockets are included: the table
// does not mark them.
func (l layout) parse(dst []monitor.Socket, rows []byte) []monitor.Socket {
	for row := range slices.Chunk(rows, l.row) {
		if l.state >= 0 && binary.LittleEndian.Uint32(row[l.state:]) != listenState {
			continue
		}
		s := monitor.Socket{
			ID:       l.identity(row),
			Protocol: l.protocol,
			Address:  l.addressOf(row),
			Port:     binary.BigEndian.Uint16(row[l.port:]), // the bytes after it are undefined
			PID:      int(binary.LittleEndian.Uint32(row[l.pid:])),
			BoundAt:  binary.LittleEndian.Uint64(row[l.created:]),
		}
		if s.Port != 0 {
			dst = append(dst, s)
		}
	}
	return dst
}

// rows returns the rows of a table.
func (l layout) rows(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("%v wrote a table of %d bytes", l, len(b))
	}
	count := uint64(binary.LittleEndian.Uint32(b))
	if count == 0 {
		return nil, nil
	}
	if end := firstRow + count*uint64(l.row); end > uint64(len(b)) {
		return nil, fmt.Errorf("%v reports %d rows of %d bytes in a table of %d bytes", l, count, l.row, len(b))
	}
	return b[firstRow : firstRow+int(count)*l.row], nil
}

// addressOf returns the local address. The wildcard and loopback need no scope,
// although Wine sets one.
func (l layout) addressOf(row []byte) netip.Addr {
	if l.family == inet {
		return netip.AddrFrom4([4]byte(row[l.address:]))
	}
	a := netip.AddrFrom16([16]byte(row[l.address:]))
	scope := scopeOf(row[l.scope:])
	if scope == 0 || a.IsUnspecified() || a.IsLoopback() || a.Is4In6() {
		return a
	}
	return a.WithZone(strconv.FormatUint(uint64(scope), 10))
}

// scopeOf returns a scope ID, which is the number of an interface. The
// documentation specifies network byte order, but some programs read it in the
// other order. The numbers are small, so the smaller reading is right in both
// cases.
func scopeOf(b []byte) uint32 {
	return min(binary.BigEndian.Uint32(b), binary.LittleEndian.Uint32(b))
}

// identity is a hash of everything that identifies a socket. It includes the
// process and the time of the bind: a port that was closed and opened again
// between two polls is a new socket.
func (l layout) identity(row []byte) monitor.SocketID {
	h := fnv.New64a()
	h.Write([]byte(l.protocol)) // a hash does not fail
	if l.family == inet {
		h.Write(row[l.address : l.address+4])
	} else {
		h.Write(row[l.address : l.address+16])
		h.Write(row[l.scope : l.scope+4])
	}
	h.Write(row[l.port : l.port+2])
	h.Write(row[l.pid : l.pid+4])
	h.Write(row[l.created : l.created+8])
	return monitor.SocketID(h.Sum64())
}

// iphlpapi reads the tables of TCP and UDP, one for each address family.
type iphlpapi struct {
	monitor.Sleeper
	last   lastPoll
	tables []*extendedTable // TCP's first
	seen   map[monitor.SocketID]bool
}

// callFunc makes iphlpapi write a table into buffer. If the buffer is too small
// the error is errTooSmall, and size is the size of the table in bytes.
type callFunc func(l layout, buffer []byte) (size int, err error)

var errTooSmall = errors.New("the table does not fit into the buffer")

func newIphlpapi(call callFunc) *iphlpapi {
	t := &iphlpapi{Sleeper: monitor.NewSleeper(), seen: make(map[monitor.SocketID]bool)}
	for _, l := range []layout{tcp4Table, tcp6Table, udp4Table, udp6Table} {
		t.tables = append(t.tables, &extendedTable{layout: l, call: call})
	}
	return t
}

// Source implements monitor.Table.
func (*iphlpapi) Source() string { return "iphlpapi, polled" }

// Close does nothing.
func (*iphlpapi) Close() error { return nil }

// Poll implements monitor.Table. Sockets that cannot be distinguished count as one;
// those of one process that share a multicast port may be such.
func (t *iphlpapi) Poll(opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	clear(t.seen)
	all := t.last.buffer()
	for _, table := range t.tables {
		if table.protocol == monitor.UDP && !opts.UDP {
			continue
		}
		sockets, err := table.read()
		if err != nil {
			return nil, false, err
		}
		for _, s := range sockets {
			if !t.seen[s.ID] {
				t.seen[s.ID] = true
				all = append(all, s)
			}
		}
	}
	return t.last.keep(all, opts)
}

// extendedTable is one table, with buffers that its polls reuse.
type extendedTable struct {
	layout
	call    callFunc
	buffer  []byte
	sockets []monitor.Socket
}

const (
	tableTries   = 5
	tablePadding = 16 // rows that may be added between two calls
)

// read reads the table, again with a larger buffer if it has grown.
func (t *extendedTable) read() ([]monitor.Socket, error) {
	var err error
	for range tableTries {
		var size int
		size, err = t.call(t.layout, t.buffer)
		if !errors.Is(err, errTooSmall) {
			break
		}
		if need := size + tablePadding*t.row; need > len(t.buffer) {
			t.buffer = make([]byte, need)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("call %v: %w", t.layout, err)
	}
	rows, err := t.rows(t.buffer)
	if err != nil {
		return nil, err
	}
	t.sockets = t.parse(t.sockets[:0], rows)
	return t.sockets, nil
}
