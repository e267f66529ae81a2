package pcap

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// Connections returns a Recorder for a tap. It makes up a TCP connection around the bytes
// of each: handshake, segments with acknowledgements, and the end.
func (w *Writer) Connections() source.Recorder { return connections{w} }

type connections struct{ w *Writer }

// Open implements source.Recorder.
func (c connections) Open(conn traffic.Conn) source.Stream {
	return &flow{w: c.w, conn: conn}
}

// flow is one connection. The methods of source.Stream queue events; the others run in
// the goroutine that writes.
type flow struct {
	w    *Writer
	conn traffic.Conn

	begun   bool
	ended   bool
	next    [2]uint32 // sequence numbers
	fin     [2]bool
	comment string
}

// maxSegment is the payload of a segment: about as much as loopback sends at once.
const maxSegment = 32 << 10

// Identify implements source.Stream.
func (f *flow) Identify(p traffic.Process) {
	f.w.add(&event{at: f.conn.Opened, flow: f, do: func() { f.comment = describe(p) }})
}

// Data implements source.Stream.
func (f *flow) Data(d traffic.Direction, at time.Time, p []byte) {
	e := &event{at: at, flow: f, data: slices.Clone(p)}
	e.do = func() { f.data(d, e.at, e.data) }
	if !f.w.add(e) {
		f.w.drop(int64(len(p)))
		f.skip(d, at, int64(len(p)))
	}
}

// Lost implements source.Stream.
func (f *flow) Lost(d traffic.Direction, at time.Time, n int64) { f.skip(d, at, n) }

// skip leaves a gap in the sequence numbers.
func (f *flow) skip(d traffic.Direction, at time.Time, n int64) {
	f.w.add(&event{at: at, flow: f, do: func() {
		f.begin()
		f.next[d] += uint32(n)
	}})
}

// Close implements source.Stream.
func (f *flow) Close(d traffic.Direction, at time.Time, err error) {
	f.w.add(&event{at: at, flow: f, do: func() { f.end(d, at, err) }})
}

// begin writes the handshake.
func (f *flow) begin() {
	if f.begun {
		return
	}
	f.begun = true
	f.segment(traffic.ToServer, f.conn.Opened, layers.TCP{SYN: true}, nil)
	f.next[traffic.ToServer]++
	f.segment(traffic.ToClient, f.conn.Opened, layers.TCP{SYN: true, ACK: true}, nil)
	f.next[traffic.ToClient]++
	f.segment(traffic.ToServer, f.conn.Opened, layers.TCP{ACK: true}, nil)
}

func (f *flow) data(d traffic.Direction, at time.Time, p []byte) {
	f.begin()
	if f.ended {
		return
	}
	for part := range slices.Chunk(p, maxSegment) {
		f.segment(d, at, layers.TCP{PSH: true, ACK: true}, part)
		f.next[d] += uint32(len(part))
		f.segment(d.Other(), at, layers.TCP{ACK: true}, nil)
	}
}

func (f *flow) end(d traffic.Direction, at time.Time, err error) {
	if errors.Is(err, syscall.ECONNREFUSED) && !f.begun {
		f.begun, f.ended = true, true
		f.segment(traffic.ToServer, at, layers.TCP{SYN: true}, nil)
		f.next[traffic.ToServer]++
		f.segment(traffic.ToClient, at, layers.TCP{RST: true, ACK: true}, nil)
		return
	}
	f.begin()
	switch {
	case f.ended || f.fin[d]:
	case err != nil:
		f.ended = true
		f.segment(d, at, layers.TCP{RST: true, ACK: true}, nil)
	default:
		f.fin[d] = true
		f.segment(d, at, layers.TCP{FIN: true, ACK: true}, nil)
		f.next[d]++
		f.segment(d.Other(), at, layers.TCP{ACK: true}, nil)
	}
}

// window is announced by every segment, with a scale of 7: 8 MB.
const window = 65535

// segment writes a segment in direction d, with the sequence numbers of the flow.
func (f *flow) segment(d traffic.Direction, at time.Time, tcp layers.TCP, payload []byte) {
	from, to := f.conn.Client, f.conn.Server
	if d == traffic.ToClient {
		from, to = to, from
	}
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(from.Port()), layers.TCPPort(to.Port())
	tcp.Seq, tcp.Window = f.next[d], window
	if tcp.ACK {
		tcp.Ack = f.next[d.Other()]
	}
	if tcp.SYN {
		const scale = 7
		mss := binary.BigEndian.AppendUint16(nil, 65495) // that of loopback
		tcp.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: mss},
			{OptionType: layers.TCPOptionKindNop, OptionLength: 1}, {OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{scale}}}
	}
	ip := network(from.Addr(), to.Addr())
	_ = tcp.SetNetworkLayerForChecksum(ip.(gopacket.NetworkLayer)) // fails for other layers only
	err := gopacket.SerializeLayers(f.w.buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, &tcp, gopacket.Payload(payload))
	if err != nil {
		f.w.fail(err)
		return
	}
	packet := f.w.buffer.Bytes()
	f.w.writePacket(at, packet, len(packet), f.comment)
	f.comment = ""
}

// network returns the IP header. If one address is of IPv6, the other is mapped to it.
func network(from, to netip.Addr) gopacket.SerializableLayer {
	if from.Is4() && to.Is4() {
		return &layers.IPv4{Version: 4, TTL: 64, Flags: layers.IPv4DontFragment, Protocol: layers.IPProtocolTCP, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
	}
	a, b := from.As16(), to.As16()
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: a[:], DstIP: b[:]}
}

// addresses returns the endpoints of a TCP segment in an IP packet.
func addresses(ip []byte) (src, dst netip.AddrPort, ok bool) {
	var from, to netip.Addr
	var header int
	switch {
	case len(ip) >= 40 && ip[0]>>4 == 6:
		from, to, header = netip.AddrFrom16([16]byte(ip[8:24])).Unmap(), netip.AddrFrom16([16]byte(ip[24:40])).Unmap(), 40
	case len(ip) >= 20 && ip[0]>>4 == 4:
		from, to, header = netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20])), int(ip[0]&15)*4
	}
	if header == 0 || len(ip) < header+4 {
		return src, dst, false
	}
	ports := ip[header:]
	return netip.AddrPortFrom(from, binary.BigEndian.Uint16(ports)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(ports[2:])), true
}
