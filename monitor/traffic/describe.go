package traffic

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"porthole/monitor/traffic/protobuf"
)

// form is how a body holds messages that people cannot read.
type form uint8

const (
	otherForm   form = iota
	plainProto       // one message of Protocol Buffers
	framedProto      // messages of Protocol Buffers, each after a prefix
	framedText       // the same with another format, such as JSON
)

// form returns the form of the body, according to its media type (gRPC over HTTP2,
// "Requests"; gRPC-Web; Connect; and the names that are common for Protocol Buffers).
func (m *Message) form() form {
	if len(m.Body) == 0 || m.Described {
		return otherForm
	}
	switch kind := m.MediaType(); {
	case kind == "application/grpc", kind == "application/grpc+proto", kind == "application/grpc-web", kind == "application/grpc-web+proto", kind == "application/connect+proto":
		return framedProto
	case kind == "application/grpc+json", kind == "application/grpc-web+json", kind == "application/connect+json":
		return framedText
	case kind == "application/proto", kind == "application/protobuf", kind == "application/x-protobuf", kind == "application/vnd.google.protobuf":
		return plainProto
	}
	return otherForm
}

// Shown returns the body as people read it: messages of gRPC and Protocol Buffers as lines
// with the numbers of fields and their values, all else as Content does. limit and the error
// are those of Content.
func (m *Message) Shown(limit int) ([]byte, error) {
	content, err := m.Content(limit)
	if text, ok := m.describe(content, protobuf.Mask{}, func(p []byte) []byte { return p }); ok {
		return text, err
	}
	return content, err
}

// maskedDescription returns what Shown returns for messages of gRPC and Protocol Buffers, with
// secrets replaced, and false for other bodies.
func (m *Message) maskedDescription(content []byte) ([]byte, bool) {
	mask := protobuf.Mask{
		Text: func(s string) string { return string(MaskBody([]byte(s))) },
		Pair: func(name, value string) string { return MaskField(Field{name, value}).Value },
	}
	return m.describe(content, mask, MaskBody)
}

// describe describes a body without content coding. mask replaces secrets in text that is not
// in Protocol Buffers.
func (m *Message) describe(body []byte, proto protobuf.Mask, mask func([]byte) []byte) ([]byte, bool) {
	switch kind := m.form(); kind {
	case plainProto:
		if Readable(body) { // such as a description that was saved
			return nil, false
		}
		return describeMessage(body, proto, mask), true
	case framedProto, framedText:
		if kind == framedText {
			return m.describeFrames(body, mask)
		}
		return m.describeFrames(body, func(p []byte) []byte { return describeMessage(p, proto, mask) })
	}
	return nil, false
}

// Flags in the prefix of a message (gRPC over HTTP2, "Length-Prefixed-Message"; gRPC-Web,
// "Message framing"; Connect, "Streaming RPCs").
const (
	flagCompressed = 0x01
	flagEnd        = 0x02 // Connect: the end of the stream, in JSON
	flagTrailer    = 0x80 // gRPC-Web: the trailer, as header fields
)

// prefixSize is the size of a prefix: the flags, and the length.
const prefixSize = 5

// describeFrames describes messages that follow their prefixes, and returns false if the body
// does not begin with a prefix.
func (m *Message) describeFrames(body []byte, describe func([]byte) []byte) ([]byte, bool) {
	if body[0]&^(flagCompressed|flagEnd|flagTrailer) != 0 {
		return nil, false
	}
	var out bytes.Buffer
	for n := 1; len(body) > 0 && out.Len() < MaxContent; n++ {
		if n > 1 {
			fmt.Fprintf(&out, "# message %d\n", n)
		}
		if len(body) < prefixSize {
			out.WriteString("# incomplete\n")
			break
		}
		flags, size := body[0], uint64(binary.BigEndian.Uint32(body[1:]))
		body = body[prefixSize:]
		payload := body[:min(size, uint64(len(body)))]
		body = body[len(payload):]
		incomplete := uint64(len(payload)) < size
		if flags&flagCompressed != 0 {
			unpacked, err := decompress(m.messageCoding(), payload, MaxContent)
			if err != nil {
				fmt.Fprintf(&out, "# %v\n", err)
			}
			payload = unpacked
		}
		if flags&(flagEnd|flagTrailer) != 0 {
			payload = MaskBody(payload)
			out.Write(payload)
		} else {
			out.Write(describe(payload))
		}
		if incomplete {
			out.WriteString("# incomplete\n")
		}
	}
	return out.Bytes(), true
}

// messageCoding returns the coding of compressed messages.
func (m *Message) messageCoding() string {
	coding := m.Get("Grpc-Encoding")
	if coding == "" {
		coding = m.Get("Connect-Content-Encoding")
	}
	return strings.ToLower(coding)
}

// describeMessage describes a message of Protocol Buffers. What is not valid is shown as text
// or in hexadecimal.
func describeMessage(p []byte, proto protobuf.Mask, mask func([]byte) []byte) []byte {
	text, read := protobuf.Text(p, proto)
	out := []byte(text)
	switch rest := p[read:]; {
	case len(rest) == 0:
	case Readable(rest):
		out = append(append(out, mask(rest)...), '\n')
	default:
		out = append(out, hex.Dump(rest[:min(len(rest), maxRest)])...)
	}
	return out
}

// maxRest is how many bytes of an invalid message are shown.
const maxRest = 4 << 10
