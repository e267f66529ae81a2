package capture

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// Packet is an IP packet with what its source knows about it.
type Packet struct {
	At     time.Time
	IP     []byte // from the IP header on; valid during the call only
	Length int    // of the packet in bytes; IP may have only its beginning
}

// Assembler puts the TCP segments of packets in order and hands the streams to a
// recorder. It never verifies checksums: those of packets on loopback are not finished. It
// is used by one goroutine.
type Assembler struct {
	recorder source.Recorder
	port     uint16
	opened   func(netip.AddrPort, source.Stream)

	assembler *reassembly.Assembler
	parser4   *gopacket.DecodingLayerParser
	parser6   *gopacket.DecodingLayerParser
	ip4       layers.IPv4
	ip6       layers.IPv6
	tcp       layers.TCP
	decoded   []gopacket.LayerType
	pending   []*stream // that were reset
}

// Limits of segments that wait for missing ones, in pages of 1900 bytes.
const (
	maxPages       = 16384
	maxStreamPages = 4096
)

// idle is how long a connection without packets is remembered.
const idle = 2 * time.Hour

// NewAssembler returns an Assembler that records in r. port is the server's port where
// known, so that connections that were open before get the right direction; else 0. opened,
// which may be nil, is called for each connection with the client's address.
func NewAssembler(r source.Recorder, port uint16, opened func(netip.AddrPort, source.Stream)) *Assembler {
	a := &Assembler{recorder: r, port: port, opened: opened}
	a.assembler = reassembly.NewAssembler(reassembly.NewStreamPool(factory{a}))
	a.assembler.MaxBufferedPagesTotal, a.assembler.MaxBufferedPagesPerConnection = maxPages, maxStreamPages
	a.parser4 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &a.ip4, &a.tcp)
	a.parser6 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv6, &a.ip6, &a.tcp)
	for _, p := range []*gopacket.DecodingLayerParser{a.parser4, a.parser6} {
		p.IgnoreUnsupported = true
	}
	return a
}

// Add adds a packet. Packets that are not TCP are ignored.
func (a *Assembler) Add(p Packet) {
	if len(p.IP) == 0 {
		return
	}
	parser, flow := a.parser4, (&a.ip4).NetworkFlow
	if p.IP[0]>>4 == 6 {
		parser, flow = a.parser6, (&a.ip6).NetworkFlow
	}
	if err := parser.DecodeLayers(p.IP, &a.decoded); err != nil || len(a.decoded) == 0 || a.decoded[len(a.decoded)-1] != layers.LayerTypeTCP {
		return
	}
	a.assembler.AssembleWithContext(flow(), &a.tcp, moment(p.At))
	for _, s := range a.pending {
		a.reset(s, p.At)
	}
	a.pending = a.pending[:0]
}

// Flush gives up waiting for segments that are missing since before a time, and forgets
// connections without packets for hours.
func (a *Assembler) Flush(before time.Time) {
	a.assembler.FlushWithOptions(reassembly.FlushOptions{T: before, TC: before.Add(-idle)})
}

// Close hands over what waits. Connections without an end stay open.
func (a *Assembler) Close() {
	a.assembler.FlushWithOptions(reassembly.FlushOptions{T: time.Now().Add(idle)})
}

// reset ends the half of a connection that was reset by the other end: of the two halves,
// the assembler only ends the one that a RST belongs to.
func (a *Assembler) reset(s *stream, at time.Time) {
	half := s.resetBy.Reverse()
	flow, ports := s.net, s.ports
	if half == reassembly.TCPDirServerToClient {
		flow, ports = flow.Reverse(), [2]layers.TCPPort{ports[1], ports[0]}
	}
	header := make([]byte, 20) // RFC 9293, section 3.1
	binary.BigEndian.PutUint16(header, uint16(ports[0]))
	binary.BigEndian.PutUint16(header[2:], uint16(ports[1]))
	binary.BigEndian.PutUint32(header[4:], s.next[index(half)])
	header[12], header[13] = 5<<4, 0x04 // the length in words, RST
	var rst layers.TCP
	if rst.DecodeFromBytes(header, gopacket.NilDecodeFeedback) == nil {
		a.assembler.AssembleWithContext(flow, &rst, moment(at))
	}
}

// moment is the context of a packet.
type moment time.Time

// GetCaptureInfo implements reassembly.AssemblerContext.
func (m moment) GetCaptureInfo() gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Time(m)}
}

type factory struct{ a *Assembler }

// New implements reassembly.StreamFactory. A connection begins with a SYN or, if it was
// open before, with data.
func (f factory) New(network, _ gopacket.Flow, tcp *layers.TCP, ac reassembly.AssemblerContext) reassembly.Stream {
	if !tcp.SYN && len(tcp.Payload) == 0 {
		return nil
	}
	src, dst := endpoint(network.Src(), tcp.SrcPort), endpoint(network.Dst(), tcp.DstPort)
	s := &stream{a: f.a, net: network, ports: [2]layers.TCPPort{tcp.SrcPort, tcp.DstPort}}
	if s.flipped = !fromClient(tcp, f.a.port); s.flipped {
		src, dst = dst, src
	}
	s.to = f.a.recorder.Open(traffic.Conn{Client: src, Server: dst, Opened: ac.GetCaptureInfo().Timestamp, Partial: !tcp.SYN})
	if f.a.opened != nil {
		f.a.opened(src, s.to)
	}
	return s
}

// fromClient reports whether a segment comes from the client. Without a SYN, the server
// has the known port, or the lower one.
func fromClient(tcp *layers.TCP, port uint16) bool {
	switch src, dst := uint16(tcp.SrcPort), uint16(tcp.DstPort); {
	case tcp.SYN:
		return !tcp.ACK
	case port != 0 && dst != src:
		return dst == port
	default:
		return dst <= src
	}
}

func endpoint(e gopacket.Endpoint, port layers.TCPPort) netip.AddrPort {
	a, _ := netip.AddrFromSlice(e.Raw())
	return netip.AddrPortFrom(a.Unmap(), uint16(port))
}

// errReset is the error of a direction that ended with a RST.
var errReset = errors.New("connection reset")

// stream is a connection.
type stream struct {
	a       *Assembler
	to      source.Stream
	flipped bool // the first segment came from the server
	net     gopacket.Flow
	ports   [2]layers.TCPPort
	next    [2]uint32 // the sequence numbers after the last segments
	reset   bool
	resetBy reassembly.TCPFlowDirection
	closed  [2]bool
}

func index(half reassembly.TCPFlowDirection) int {
	if half == reassembly.TCPDirServerToClient {
		return 1
	}
	return 0
}

// direction translates a half of the connection: the assembler takes the sender of the
// first segment for the client.
func (s *stream) direction(half reassembly.TCPFlowDirection) traffic.Direction {
	if (half == reassembly.TCPDirServerToClient) != s.flipped {
		return traffic.ToClient
	}
	return traffic.ToServer
}

// Accept implements reassembly.Stream. A half without a SYN begins with its first segment.
func (s *stream) Accept(tcp *layers.TCP, _ gopacket.CaptureInfo, half reassembly.TCPFlowDirection, next reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	if next < 0 && !tcp.SYN {
		*start = true
	}
	s.next[index(half)] = tcp.Seq + uint32(len(tcp.Payload))
	if tcp.SYN || tcp.FIN {
		s.next[index(half)]++
	}
	if tcp.RST && !s.reset {
		s.reset, s.resetBy = true, half
		s.a.pending = append(s.a.pending, s)
	}
	return true
}

// ReassembledSG implements reassembly.Stream.
func (s *stream) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	half, _, end, skip := sg.Info()
	d := s.direction(half)
	at := sg.CaptureInfo(0).Timestamp
	length, _ := sg.Lengths()
	if length == 0 {
		at = sg.CaptureInfo(-1).Timestamp
	}
	if at.IsZero() {
		at = time.Now()
	}
	if skip > 0 {
		s.to.Lost(d, at, int64(skip))
	}
	if length > 0 {
		s.to.Data(d, at, sg.Fetch(length))
	}
	if end && !s.closed[d] {
		s.closed[d] = true
		var err error
		if s.reset {
			err = errReset
		}
		s.to.Close(d, at, err)
	}
}

// ReassemblyComplete implements reassembly.Stream.
func (s *stream) ReassemblyComplete(reassembly.AssemblerContext) bool {
	for d := range s.closed {
		if !s.closed[d] { // it was idle for too long
			s.closed[d] = true
			s.to.Close(traffic.Direction(d), time.Now(), errIdle)
		}
	}
	return true
}

// errIdle is the error of a direction without packets for hours.
var errIdle = errors.New("no packets for two hours")
