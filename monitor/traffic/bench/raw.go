package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/ipv4"
)

// The headers of a packet that is sent, without options (RFC 791, RFC 9293).
const (
	ipHeader  = 20
	tcpHeader = 20
	line      = "a line of sixty-four bytes, which is as long as many messages.\n"
)

// rawBatch is how many packets one system call sends: of connections in turn.
const (
	rawBatch    = 64
	connections = 4
)

// sendRaw sends segments to port through a raw socket until end, wanted a second, and returns how
// many. Real connections would send at most 50,000, for which the kernel needs two processors. The
// checksums are wrong, so TCP drops the segments after the capture has read them: no socket takes
// them, and nothing answers (but one checksum in 65,536 is right by chance). It needs CAP_NET_RAW.
func sendRaw(port, wanted int, end time.Time) (sent int, err error) {
	c, err := net.ListenPacket("ip4:255", "127.0.0.1") // IPPROTO_RAW: sends whole packets, receives none (raw(7))
	if err != nil {
		return 0, fmt.Errorf("open a raw socket: %w", err)
	}
	defer c.Close()
	to := &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}
	batch := make([]ipv4.Message, rawBatch)
	for i := range batch {
		batch[i] = ipv4.Message{Buffers: [][]byte{segment(40000+i%connections, port)}, Addr: to}
	}
	p := ipv4.NewPacketConn(c)
	began := time.Now()
	for time.Now().Before(end) {
		if due := int(time.Since(began).Seconds() * float64(wanted)); due-sent < rawBatch {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		for i := range batch { // sequence numbers go on from one segment of a connection to its next
			binary.BigEndian.PutUint32(batch[i].Buffers[0][ipHeader+4:], uint32((sent+i)/connections*len(line)))
		}
		for left := batch; len(left) > 0; {
			n, err := p.WriteBatch(left, 0)
			if err != nil {
				return sent, fmt.Errorf("send packets: %w", err)
			}
			left, sent = left[n:], sent+n
		}
	}
	return sent, nil
}

// segment returns an IP packet with a segment of TCP that carries line. The kernel fills in the
// checksum of IP and the total length (raw(7)).
func segment(from, to int) []byte {
	b := make([]byte, ipHeader+tcpHeader, ipHeader+tcpHeader+len(line))
	b[0], b[8], b[9] = 4<<4|ipHeader/4, 64, 6 // version and length, time to live, TCP
	copy(b[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	t := b[ipHeader:]
	binary.BigEndian.PutUint16(t, uint16(from))
	binary.BigEndian.PutUint16(t[2:], uint16(to))
	t[12], t[13] = tcpHeader/4<<4, 0x18 // length; PSH, ACK
	binary.BigEndian.PutUint16(t[14:], 65535)
	return append(b, line...)
}
