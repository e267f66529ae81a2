package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// maxMessage is how much of a message is kept: of a longer one, only the beginning is
// decoded.
const maxMessage = 1 << 20

// message is one message of the protocol.
type message struct {
	kind byte   // 0 for those before the end of the startup, which have none
	body []byte // valid during the call
	cut  bool   // body is only the beginning
	size int64  // in bytes, with its header
}

var errLength = errors.New("a message has an invalid length")

// framer splits one direction into messages: a type and a length, which counts itself
// (https://www.postgresql.org/docs/current/protocol-overview.html).
type framer struct {
	kinds  string // the types of messages in this direction
	untyp  bool   // the next message has no type
	header []byte
	kept   []byte
	left   int64 // bytes of the body to come
	size   int64
	inside bool // the header is complete
}

// feed calls handle with each complete message. It stops after an error.
func (f *framer) feed(p []byte, handle func(message) error) error {
	for len(p) > 0 {
		if !f.inside {
			n := min(f.headerSize()-len(f.header), len(p))
			f.header = append(f.header, p[:n]...)
			p = p[n:]
			if len(f.header) < f.headerSize() {
				return nil
			}
			if err := f.begin(); err != nil {
				return err
			}
		}
		n := min(f.left, int64(len(p)))
		f.left -= n
		body, cut := p[:n], false
		p = p[n:]
		if f.left > 0 || len(f.kept) > 0 {
			room := max(maxMessage-len(f.kept), 0)
			cut = int64(len(f.kept))+n > maxMessage || f.size > maxMessage
			f.kept = append(f.kept, body[:min(room, len(body))]...)
			body = f.kept
		}
		if f.left > 0 {
			return nil
		}
		m := message{body: body, cut: cut, size: f.size}
		if !f.untyp {
			m.kind = f.header[0]
		}
		f.inside = false
		f.header = f.header[:0]
		err := handle(m)
		f.kept = f.kept[:0]
		if err != nil {
			return err
		}
		if cap(f.kept) > maxMessage/4 {
			f.kept = nil
		}
	}
	return nil
}

func (f *framer) headerSize() int {
	if f.untyp {
		return 4
	}
	return 5
}

// begin reads the header.
func (f *framer) begin() error {
	length := int64(int32(binary.BigEndian.Uint32(f.header[f.headerSize()-4:])))
	if length < 4 || f.untyp && length > maxStartup {
		return errLength
	}
	if !f.untyp && !strings.ContainsRune(f.kinds, rune(f.header[0])) {
		return fmt.Errorf("a message has the unknown type %q", f.header[0])
	}
	f.inside, f.left = true, length-4
	f.size = length + int64(f.headerSize()-4)
	return nil
}

// maxStartup is the maximum length of a startup message (MAX_STARTUP_PACKET_LENGTH of
// PostgreSQL).
const maxStartup = 10000

// unread returns the bytes of the message that is not complete.
func (f *framer) unread() []byte {
	if len(f.header) == 0 && len(f.kept) == 0 {
		return nil
	}
	return append(append([]byte(nil), f.header...), f.kept...)
}
