// Package protobuf describes Protocol Buffers without their schema: numbers of fields and
// values, as protoc --decode_raw does.
package protobuf

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Mask replaces secrets in what is described.
type Mask struct {
	Text func(string) string             // in a string
	Pair func(name, value string) string // in the string of field 2, where field 1 is a name: entries of maps
}

// Limits of a description.
const (
	maxDepth  = 32      // of nested messages
	maxOut    = 8 << 20 // bytes, beyond which nothing more is described
	maxBytes  = 64      // of a value that is neither text nor a message
	indention = "  "    // of a nested message
	tooLong   = "…\n"   // ends a description that is cut
)

// Text describes a message, one field on a line:
//
//	1: "ann"
//	2: 42
//	3 {
//	  1: 0x3f800000 (1)
//	}
//
// A value with a length may be a string, a message or bytes; what it is read as is a guess.
// Text returns how many bytes of b are valid fields; of a message that is not valid, or cut
// off, it describes what comes before.
func Text(b []byte, mask Mask) (text string, read int) {
	p := printer{mask: mask}
	read = p.message(b, 0)
	if p.full() {
		p.out = append(p.out[:maxOut], tooLong...)
	}
	return strings.ToValidUTF8(string(p.out), ""), read
}

// printer describes one message.
type printer struct {
	mask Mask
	out  []byte
}

func (p *printer) full() bool { return len(p.out) > maxOut }

// message describes the fields in b and returns how many bytes of b they have.
func (p *printer) message(b []byte, depth int) (read int) {
	name := "" // the string in field 1
	for read < len(b) && !p.full() {
		number, kind, n := protowire.ConsumeTag(b[read:])
		if n < 0 {
			return read
		}
		before := len(p.out)
		p.out = append(p.out, strings.Repeat(indention, depth)...)
		p.out = strconv.AppendInt(p.out, int64(number), 10)
		size := p.value(number, kind, b[read+n:], depth, &name)
		if size < 0 {
			p.out = p.out[:before]
			return read
		}
		p.out = append(p.out, '\n')
		read += n + size
	}
	if p.full() {
		return len(b)
	}
	return read
}

// value describes the value that b begins with and returns its size, which is negative if it
// is not valid.
func (p *printer) value(number protowire.Number, kind protowire.Type, b []byte, depth int, name *string) int {
	switch kind {
	case protowire.VarintType:
		v, n := protowire.ConsumeVarint(b)
		p.out = fmt.Appendf(p.out, ": %d", v)
		if int64(v) < 0 { // a negative int32 or int64
			p.out = fmt.Appendf(p.out, " (%d)", int64(v))
		}
		return n
	case protowire.Fixed32Type:
		v, n := protowire.ConsumeFixed32(b)
		p.out = fmt.Appendf(p.out, ": %#08x (%g)", v, math.Float32frombits(v))
		return n
	case protowire.Fixed64Type:
		v, n := protowire.ConsumeFixed64(b)
		p.out = fmt.Appendf(p.out, ": %#016x (%g)", v, math.Float64frombits(v))
		return n
	case protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		if n >= 0 {
			p.bytes(number, v, depth, name)
		}
		return n
	case protowire.StartGroupType:
		v, n := protowire.ConsumeGroup(number, b)
		if n < 0 || !p.nested(v, depth) {
			return -1
		}
		return n
	}
	return -1
}

// bytes describes a value with a length. Text with line ends may as well be a message,
// because a line feed is the tag of field 1.
func (p *printer) bytes(number protowire.Number, v []byte, depth int, name *string) {
	text, plain := readable(v)
	if !plain && p.nested(v, depth) {
		return
	}
	if !text {
		p.out = append(append(p.out, ": 0x"...), hex.EncodeToString(v[:min(len(v), maxBytes)])...)
		if len(v) > maxBytes {
			p.out = fmt.Appendf(p.out, "… (%d bytes)", len(v))
		}
		return
	}
	s := string(v)
	switch {
	case number == 1:
		*name = s
	case number == 2 && *name != "" && p.mask.Pair != nil:
		s = p.mask.Pair(*name, s)
	}
	if p.mask.Text != nil {
		s = p.mask.Text(s)
	}
	p.out = strconv.AppendQuote(append(p.out, ": "...), s)
}

// nested describes v as a message if all of it is one.
func (p *printer) nested(v []byte, depth int) bool {
	if depth >= maxDepth || len(v) == 0 {
		return false
	}
	before := len(p.out)
	p.out = append(p.out, " {\n"...)
	if p.message(v, depth+1) < len(v) {
		p.out = p.out[:before]
		return false
	}
	p.out = append(append(p.out, strings.Repeat(indention, depth)...), '}')
	return true
}

// readable reports whether v is text, and whether it has no control characters at all.
func readable(v []byte) (text, plain bool) {
	if !utf8.Valid(v) {
		return false, false
	}
	plain = true
	for _, c := range v {
		switch {
		case c == '\n', c == '\r', c == '\t':
			plain = false
		case c < ' ', c == 0x7f:
			return false, false
		}
	}
	return true, plain
}
