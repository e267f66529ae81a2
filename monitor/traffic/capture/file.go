package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// File reads packets in the format pcap or pcapng.
type File struct {
	ng   *pcapgo.NgReader
	old  *pcapgo.Reader
	skip int // packets that are not IP
}

// ErrFormat is the error of OpenFile for files of another format.
var ErrFormat = errors.New("this is no pcap or pcapng file")

// OpenFile reads the header of a file.
func OpenFile(r *bufio.Reader) (*File, error) {
	magic, err := r.Peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) && len(magic) > 0 {
			err = ErrFormat
		}
		return nil, fmt.Errorf("read the file: %w", err)
	}
	f := &File{}
	switch {
	case [4]byte(magic) == [4]byte{0x0a, 0x0d, 0x0d, 0x0a}:
		f.ng, err = pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	case isPcap([4]byte(magic)):
		f.old, err = pcapgo.NewReader(r)
	default:
		return nil, ErrFormat
	}
	if err != nil {
		return nil, fmt.Errorf("read the header of the file: %w", err)
	}
	return f, nil
}

// isPcap reports whether b is a magic number of pcap-savefile(5).
func isPcap(b [4]byte) bool {
	switch b {
	case [4]byte{0xa1, 0xb2, 0xc3, 0xd4}, [4]byte{0xd4, 0xc3, 0xb2, 0xa1}, [4]byte{0xa1, 0xb2, 0x3c, 0x4d}, [4]byte{0x4d, 0x3c, 0xb2, 0xa1}:
		return true
	}
	return false
}

// Next returns the next IP packet, whose bytes are valid until the next call, or io.EOF.
// A file that was cut off ends with io.ErrUnexpectedEOF.
func (f *File) Next() (Packet, error) {
	for {
		data, info, link, err := f.read()
		if err != nil {
			return Packet{}, err
		}
		ip := ipOf(data, link)
		if ip == nil {
			f.skip++
			continue
		}
		return Packet{At: info.Timestamp, IP: ip, Length: info.Length - (len(data) - len(ip))}, nil
	}
}

// Skipped returns how many packets were not IP.
func (f *File) Skipped() int { return f.skip }

func (f *File) read() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
	if f.old != nil {
		data, info, err := f.old.ZeroCopyReadPacketData()
		return data, info, f.old.LinkType(), err
	}
	data, info, err := f.ng.ZeroCopyReadPacketData()
	if err != nil {
		return nil, info, 0, err
	}
	i, err := f.ng.Interface(info.InterfaceIndex)
	if err != nil {
		return nil, info, 0, err
	}
	return data, info, i.LinkType, nil
}

// Link types that begin with the IP header (https://www.tcpdump.org/linktypes.html).
const (
	linkIPv4 layers.LinkType = 228
	linkIPv6 layers.LinkType = 229
	linkSLL2 layers.LinkType = 276
)

// sll2Header is the size of the header of LINKTYPE_LINUX_SLL2 in bytes.
const sll2Header = 20

// ipOf returns the IP packet in a frame, nil if there is none.
func ipOf(data []byte, link layers.LinkType) []byte {
	switch link {
	case layers.LinkTypeRaw, linkIPv4, linkIPv6:
		return isIP(data)
	case linkSLL2:
		if len(data) < sll2Header {
			return nil
		}
		return isIP(data[sll2Header:])
	}
	p := gopacket.NewPacket(data, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	if p.NetworkLayer() == nil {
		return nil
	}
	before := 0
	for _, l := range p.Layers() {
		if l.LayerType() == layers.LayerTypeIPv4 || l.LayerType() == layers.LayerTypeIPv6 {
			return isIP(data[min(before, len(data)):])
		}
		before += len(l.LayerContents())
	}
	return nil
}

func isIP(data []byte) []byte {
	if len(data) >= 20 && (data[0]>>4 == 4 || data[0]>>4 == 6) {
		return data
	}
	return nil
}
