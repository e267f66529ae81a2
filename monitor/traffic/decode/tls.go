package decode

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// Types of records and handshake messages, and extensions (RFC 8446, sections 5.1, 4
// and 4.2; RFC 5246, section 7.4).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordData             = 23

	clientHello = 1
	serverHello = 2
	certificate = 11

	extServerName        = 0
	extALPN              = 16
	extSupportedVersions = 43
)

// maxHandshake bounds the bytes of a handshake that wait for their end.
const maxHandshake = 256 << 10

// detectTLS recognizes the record of a ClientHello.
func detectTLS(first traffic.First) traffic.Verdict {
	p := first.ToServer
	if first.ServerFirst && len(p) == 0 {
		return traffic.No
	}
	for i, ok := range []func(byte) bool{
		func(b byte) bool { return b == recordHandshake },
		func(b byte) bool { return b == 3 },
		func(b byte) bool { return b <= 4 },
		func(byte) bool { return true },
		func(byte) bool { return true },
		func(b byte) bool { return b == clientHello },
	} {
		if i >= len(p) {
			return traffic.More
		}
		if !ok(p[i]) {
			return traffic.No
		}
	}
	return traffic.Yes
}

// handshake decodes what a TLS connection says before it is encrypted. The rest is
// counted.
type handshake struct {
	sink     *traffic.Sink
	exchange *traffic.Exchange
	sides    [2]tlsSide
	version  uint16
	closed   int
}

// tlsSide is the state of one direction.
type tlsSide struct {
	records   []byte // an incomplete record
	messages  []byte // an incomplete handshake message
	encrypted bool   // what follows cannot be read
}

func newTLS(sink *traffic.Sink) traffic.Decoder { return &handshake{sink: sink} }

// Data implements traffic.Decoder.
func (d *handshake) Data(dir traffic.Direction, at time.Time, p []byte) error {
	s := &d.sides[dir]
	d.count(dir, at, int64(len(p)))
	if s.encrypted {
		return nil
	}
	s.records = append(s.records, p...)
	for len(s.records) >= 5 && !s.encrypted {
		size := int(binary.BigEndian.Uint16(s.records[3:]))
		if len(s.records) < 5+size {
			break
		}
		if err := d.record(dir, s, s.records[0], s.records[5:5+size]); err != nil {
			s.encrypted, s.records = true, nil
			d.exchange.Problem = "The handshake could not be read: " + err.Error() + "."
			return nil
		}
		s.records = s.records[5+size:]
	}
	if s.encrypted {
		s.records, s.messages = nil, nil
	}
	return nil
}

// count counts bytes, and begins the exchange with the first.
func (d *handshake) count(dir traffic.Direction, at time.Time, n int64) {
	if d.exchange == nil {
		d.exchange = d.sink.Begin(traffic.Exchange{Kind: traffic.Info, Protocol: "TLS", Method: "TLS", Started: at})
	}
	if dir == traffic.ToClient && d.exchange.Answered.IsZero() {
		d.exchange.Answered = at
	}
	d.exchange.Message(dir).Size += n
	d.sink.Changed(d.exchange)
}

// record reads a record.
func (d *handshake) record(dir traffic.Direction, s *tlsSide, kind byte, p []byte) error {
	switch kind {
	case recordChangeCipherSpec:
		s.encrypted = d.version != tls.VersionTLS13 // TLS 1.3 sends it for old middleboxes
	case recordData:
		s.encrypted = true
	case recordAlert:
		if len(p) == 2 {
			d.exchange.Failed = true
			d.exchange.Status = "alert from the " + map[traffic.Direction]string{traffic.ToServer: "client", traffic.ToClient: "server"}[dir] + ": " + tls.AlertError(p[1]).Error()
		}
	case recordHandshake:
		s.messages = append(s.messages, p...)
		return d.messages(s)
	default:
		return fmt.Errorf("record type %d", kind)
	}
	return nil
}

// messages reads the complete handshake messages.
func (d *handshake) messages(s *tlsSide) error {
	for len(s.messages) >= 4 {
		size := int(s.messages[1])<<16 | int(s.messages[2])<<8 | int(s.messages[3])
		if size > maxHandshake {
			return errors.New("a message is too long")
		}
		if len(s.messages) < 4+size {
			return nil
		}
		kind, body := s.messages[0], cursor(s.messages[4:4+size])
		s.messages = s.messages[4+size:]
		var err error
		switch kind {
		case clientHello:
			err = d.clientHello(body)
		case serverHello:
			err = d.serverHello(body)
		case certificate:
			if d.version != 0 && d.version < tls.VersionTLS13 {
				err = d.certificate(body)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// field adds a line to the description of one side.
func field(m *traffic.Message, name, value string) {
	if value != "" {
		m.Fields = append(m.Fields, traffic.Field{Name: name, Value: value})
	}
}

// clientHello reads RFC 8446, section 4.1.2.
func (d *handshake) clientHello(c cursor) error {
	version, _, _, _, _ := c.uint16(), c.bytes(32), c.vector8(), c.vector16(), c.vector8()
	versions := []string{tls.VersionName(version)}
	var names, protocols []string
	c.extensions(func(kind uint16, e cursor) {
		switch kind {
		case extServerName:
			for list := e.vector16(); len(list) > 0; {
				list.bytes(1)
				names = append(names, string(list.vector16()))
			}
		case extALPN:
			protocols = e.protocols()
		case extSupportedVersions:
			versions = nil
			for list := e.vector8(); len(list) > 1; {
				if v := list.uint16(); v&0x0f0f != 0x0a0a { // RFC 8701: not a version
					versions = append(versions, tls.VersionName(v))
				}
			}
		}
	})
	m := &d.exchange.Request
	m.Fields = nil // a second ClientHello replaces the first
	field(m, "Server name", strings.Join(names, ", "))
	field(m, "Versions", strings.Join(versions, ", "))
	field(m, "Protocols (ALPN)", strings.Join(protocols, ", "))
	d.exchange.Path = strings.Join(names, ", ")
	d.exchange.Host = d.exchange.Path
	return nil
}

// serverHello reads RFC 8446, section 4.1.3.
func (d *handshake) serverHello(c cursor) error {
	version, _, _, suite, _ := c.uint16(), c.bytes(32), c.vector8(), c.uint16(), c.bytes(1)
	var protocols []string
	c.extensions(func(kind uint16, e cursor) {
		switch kind {
		case extALPN:
			protocols = e.protocols()
		case extSupportedVersions:
			version = e.uint16()
		}
	})
	d.version = version
	m := &d.exchange.Answer
	m.Fields = nil
	field(m, "Version", tls.VersionName(version))
	field(m, "Cipher suite", tls.CipherSuiteName(suite))
	field(m, "Protocol (ALPN)", strings.Join(protocols, ", "))
	d.exchange.Protocol = tls.VersionName(version)
	d.exchange.Status = "encrypted"
	return nil
}

// certificate reads RFC 5246, section 7.4.2. TLS 1.3 encrypts it.
func (d *handshake) certificate(c cursor) error {
	c.bytes(3)
	parsed, err := x509.ParseCertificate(c.bytes(int(c.uint24())))
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	m := &d.exchange.Answer
	names := append([]string{}, parsed.DNSNames...)
	for _, ip := range parsed.IPAddresses {
		names = append(names, ip.String())
	}
	field(m, "Certificate", parsed.Subject.String())
	field(m, "Issuer", parsed.Issuer.String())
	field(m, "Names", strings.Join(names, ", "))
	field(m, "Valid", parsed.NotBefore.UTC().Format(time.DateOnly)+" – "+parsed.NotAfter.UTC().Format(time.DateOnly))
	return nil
}

// Skippable implements traffic.Skipper.
func (d *handshake) Skippable(dir traffic.Direction) int64 {
	if d.sides[dir].encrypted {
		return 1 << 40
	}
	return 0
}

// Skip implements traffic.Skipper.
func (d *handshake) Skip(dir traffic.Direction, at time.Time, n int64) { d.count(dir, at, n) }

// Lost implements traffic.Decoder.
func (d *handshake) Lost(dir traffic.Direction, at time.Time, n int64) {
	d.count(dir, at, 0)
	d.exchange.Message(dir).Lost += n
	d.sides[dir] = tlsSide{encrypted: true}
}

// End implements traffic.Decoder.
func (d *handshake) End(_ traffic.Direction, at time.Time, _ error) {
	if d.closed++; d.closed == 2 && d.exchange != nil {
		d.sink.End(d.exchange, at)
	}
}

// Unread implements traffic.Decoder.
func (d *handshake) Unread(traffic.Direction) []byte { return nil }

// cursor reads fields from the front. What is missing reads as zero or nothing.
type cursor []byte

func (c *cursor) bytes(n int) cursor {
	n = min(n, len(*c))
	p := (*c)[:n]
	*c = (*c)[n:]
	return p
}

func (c *cursor) uint8() uint8 {
	if p := c.bytes(1); len(p) == 1 {
		return p[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 { return uint16(c.uint8())<<8 | uint16(c.uint8()) }
func (c *cursor) uint24() uint32 { return uint32(c.uint8())<<16 | uint32(c.uint16()) }

func (c *cursor) vector8() cursor  { return c.bytes(int(c.uint8())) }
func (c *cursor) vector16() cursor { return c.bytes(int(c.uint16())) }

// extensions calls f with each extension.
func (c *cursor) extensions(f func(kind uint16, e cursor)) {
	for list := c.vector16(); len(list) >= 4; {
		f(list.uint16(), list.vector16())
	}
}

// protocols reads the list of ALPN (RFC 7301, section 3.1).
func (c *cursor) protocols() []string {
	var names []string
	for list := c.vector16(); len(list) > 0; {
		names = append(names, string(list.vector8()))
	}
	return names
}
