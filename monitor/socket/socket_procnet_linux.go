package socket

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/netip"
	"os"
	"strconv"

	"porthole/monitor"
)

// procNet reads /proc/net/tcp and the like (proc_pid_net(5)), for sandboxes that
// deny sock_diag. It returns the same sockets at a hundred times the cost, because
// the kernel lists every connection too.
type procNet struct {
	monitor.Sleeper
	last   lastPoll
	folder string
	buffer bytes.Buffer
}

// procFile is one of the files, with the state (net/tcp_states.h) of its sockets
// that accept connections or datagrams from anyone.
type procFile struct {
	name     string
	protocol monitor.Protocol
	state    uint64
}

var (
	procTCP = []procFile{{"tcp", monitor.TCP, stateListen}, {"tcp6", monitor.TCP, stateListen}}
	procAll = append(procTCP, procFile{"udp", monitor.UDP, stateClose}, procFile{"udp6", monitor.UDP, stateClose})
)

func newProcNet() *procNet { return &procNet{Sleeper: monitor.NewSleeper(), folder: "/proc/net"} }

// Source implements monitor.Table.
func (*procNet) Source() string { return "/proc/net, polled" }

// Close does nothing.
func (*procNet) Close() error { return nil }

// Poll implements monitor.Table. A missing file means that the kernel does not
// support the address family, except for tcp, without which nothing is known.
func (p *procNet) Poll(opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	files := procTCP
	if opts.UDP {
		files = procAll
	}
	all := p.last.buffer()
	for i, file := range files {
		err := p.read(p.folder + "/" + file.name)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the sockets in /proc/net: %w", err)
		}
		if all, err = parseProcNet(all, p.buffer.Bytes(), file); err != nil {
			return nil, false, fmt.Errorf("read /proc/net/%s: %w", file.name, err)
		}
	}
	return p.last.keep(all, opts)
}

// read reads the file at path into the buffer.
func (p *procNet) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	p.buffer.Reset()
	_, err = p.buffer.ReadFrom(f)
	return err
}

// parseProcNet appends the sockets in b that have the file's state. They are
// identified by inode, address and port: there are no cookies here, and the kernel
// recycles inode numbers, but rarely for the same address and port.
func parseProcNet(dst []monitor.Socket, b []byte, file procFile) ([]monitor.Socket, error) {
	heading, rows, _ := bytes.Cut(b, []byte("\n"))
	if !bytes.Contains(heading, []byte("local_address")) {
		return dst, errors.New("the column headings are missing")
	}
	for row := range bytes.Lines(rows) {
		s, ok, err := parseProcRow(row, file)
		if err != nil {
			return dst, err
		}
		if ok {
			dst = append(dst, s)
		}
	}
	return dst, nil
}

// parseProcRow parses one row:
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 …
//
// ok is false for sockets in another state.
func parseProcRow(row []byte, file procFile) (s monitor.Socket, ok bool, _ error) {
	fields := bytes.Fields(row)
	if len(fields) < 10 {
		return s, false, fmt.Errorf("a row has %d columns, want at least 10", len(fields))
	}
	if state, err := strconv.ParseUint(string(fields[3]), 16, 8); err != nil || state != file.state {
		return s, false, err
	}
	address, port, err := parseEndpoint(fields[1])
	if err != nil || port == 0 {
		return s, false, err
	}
	uid, err := strconv.ParseUint(string(fields[7]), 10, 32)
	if err != nil {
		return s, false, fmt.Errorf("user: %w", err)
	}
	inode, err := strconv.ParseUint(string(fields[9]), 10, 64)
	if err != nil {
		return s, false, fmt.Errorf("inode: %w", err)
	}
	s = monitor.Socket{Protocol: file.protocol, Address: address, Port: port, UID: uint32(uid), Inode: inode}
	s.ID = procID(s)
	return s, true, nil
}

// parseEndpoint parses an address and a port in hexadecimal. The address consists
// of 32-bit words, each in the machine's byte order.
func parseEndpoint(b []byte) (netip.Addr, uint16, error) {
	words, last, _ := bytes.Cut(b, []byte(":"))
	port, err := strconv.ParseUint(string(last), 16, 16)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("port: %w", err)
	}
	raw := make([]byte, hex.DecodedLen(len(words)))
	if _, err := hex.Decode(raw, words); err != nil {
		return netip.Addr{}, 0, fmt.Errorf("address: %w", err)
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.Addr{}, 0, fmt.Errorf("an address has %d bytes", len(raw))
	}
	return address, uint16(port), nil
}

func procID(s monitor.Socket) monitor.SocketID {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d %d", s.Protocol, s.Address, s.Port, s.Inode) // a hash does not fail
	return monitor.SocketID(h.Sum64())
}
