package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"

	"porthole/monitor/traffic"
)

// websocket decodes the messages of a WebSocket (RFC 6455).
type websocket struct {
	sink   *traffic.Sink
	parent *traffic.Exchange
	sides  [2]webSide
}

// webSide is the state of one direction.
type webSide struct {
	buffer  []byte            // an incomplete frame header
	header  ws.Header         // of the frame that is being read
	left    int64             // bytes of its payload that follow
	offset  int               // bytes of its payload that were read
	message *traffic.Exchange // a data message; its frames may be interleaved with control frames
	control *traffic.Exchange
	deflate *inflater // nil without permessage-deflate
	packed  bool      // message is compressed
}

// newWebSocket returns a decoder for the connection that parent opened with the
// answered extensions (Sec-WebSocket-Extensions).
func newWebSocket(sink *traffic.Sink, parent *traffic.Exchange, extensions string) traffic.Decoder {
	d := &websocket{sink: sink, parent: parent}
	if strings.Contains(extensions, "permessage-deflate") {
		d.sides[traffic.ToServer].deflate = &inflater{reset: strings.Contains(extensions, "client_no_context_takeover")}
		d.sides[traffic.ToClient].deflate = &inflater{reset: strings.Contains(extensions, "server_no_context_takeover")}
	}
	return d
}

// Data implements traffic.Decoder.
func (d *websocket) Data(dir traffic.Direction, at time.Time, p []byte) error {
	s := &d.sides[dir]
	for len(p) > 0 {
		if s.left == 0 {
			n, err := d.readHeader(dir, s, at, p)
			if err != nil {
				return err
			}
			p = p[n:]
			continue
		}
		n := int(min(s.left, int64(len(p))))
		d.payload(dir, s, p[:n])
		if s.left -= int64(n); s.left == 0 {
			d.endFrame(dir, s, at)
		}
		p = p[n:]
	}
	return nil
}

// readHeader reads a frame header, which may continue in a later call, and returns how
// many bytes of p it took.
func (d *websocket) readHeader(dir traffic.Direction, s *webSide, at time.Time, p []byte) (int, error) {
	before := len(s.buffer)
	s.buffer = append(s.buffer, p[:min(len(p), ws.MaxHeaderSize-before)]...)
	source := bytes.NewReader(s.buffer)
	header, err := ws.ReadHeader(source)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return len(s.buffer) - before, nil
	}
	if err == nil && (header.OpCode.IsReserved() || header.OpCode.IsControl() && header.Length > ws.MaxControlFramePayloadSize) {
		err = fmt.Errorf("frame type %d", header.OpCode)
	}
	if err != nil {
		s.buffer = append(s.buffer[:before], p...)
		return 0, fmt.Errorf("read a WebSocket frame: %w", err)
	}
	size := len(s.buffer) - source.Len()
	s.buffer = s.buffer[:0]
	s.header, s.left, s.offset = header, header.Length, 0
	e := d.begin(dir, s, at)
	e.Message(dir).Size += int64(size)
	if s.left == 0 {
		d.endFrame(dir, s, at)
	}
	return size - before, nil
}

var opNames = map[ws.OpCode]string{ws.OpText: "text", ws.OpBinary: "binary", ws.OpPing: "ping", ws.OpPong: "pong", ws.OpClose: "close", ws.OpContinuation: "continuation"}

// begin returns the exchange that the frame belongs to.
func (d *websocket) begin(dir traffic.Direction, s *webSide, at time.Time) *traffic.Exchange {
	e := &s.message
	if s.header.OpCode.IsControl() {
		e = &s.control
	}
	if *e == nil {
		*e = d.sink.Begin(traffic.Exchange{
			Parent: d.parent.ID, Kind: traffic.Event, Direction: dir, Protocol: "WebSocket",
			Method: opNames[s.header.OpCode], Host: d.parent.Host, Started: at,
		})
		if !s.header.OpCode.IsControl() {
			s.packed = s.deflate != nil && s.header.Rsv1()
		}
	}
	return *e
}

// current returns the exchange of the frame that is being read.
func (s *webSide) current() *traffic.Exchange {
	if s.header.OpCode.IsControl() {
		return s.control
	}
	return s.message
}

// payload adds bytes of the payload.
func (d *websocket) payload(dir traffic.Direction, s *webSide, p []byte) {
	e := s.current()
	m := e.Message(dir)
	m.Size += int64(len(p))
	before := len(m.Body)
	d.sink.AppendBody(m, p)
	if s.header.Masked {
		ws.Cipher(m.Body[before:], s.header.Mask, s.offset)
	}
	s.offset += len(p)
	d.sink.Changed(e)
}

// endFrame ends the frame, and the message if it was its last.
func (d *websocket) endFrame(dir traffic.Direction, s *webSide, at time.Time) {
	if !s.header.Fin {
		return
	}
	e := s.current()
	m := e.Message(dir)
	switch {
	case s.header.OpCode == ws.OpClose:
		s.control = nil
		if code, reason := ws.ParseCloseFrameData(m.Body); len(m.Body) >= 2 {
			e.Code, e.Status = int(code), reason
			e.Path = strings.TrimSpace(fmt.Sprintf("%d %s", code, reason))
			e.Failed = code != ws.StatusNormalClosure && code != ws.StatusGoingAway
		}
	case s.header.OpCode.IsControl():
		s.control = nil
		e.Path = preview(m.Body)
	default:
		s.message = nil
		if s.packed {
			s.unpack(e, m, d.sink.Limits().Body)
		}
		e.Path = preview(m.Body)
	}
	d.sink.End(e, at)
}

// unpack replaces a compressed body.
func (s *webSide) unpack(e *traffic.Exchange, m *traffic.Message, limit int) {
	if int64(len(m.Body)) < m.BodySize || m.Lost > 0 {
		s.deflate.broken = true
	}
	body, size, err := s.deflate.inflate(m.Body, limit)
	if err != nil {
		e.Problem = "The message is compressed and could not be read: " + err.Error() + "."
		return
	}
	m.Body, m.BodySize = body, size
}

// Lost implements traffic.Decoder. Within a payload, decoding goes on after the gap.
func (d *websocket) Lost(dir traffic.Direction, at time.Time, n int64) {
	s := &d.sides[dir]
	if s.deflate != nil {
		s.deflate.broken = true // later messages refer to what was lost
	}
	if s.left >= n && s.current() != nil {
		s.current().Message(dir).Lost += n
		s.offset += int(n)
		if s.left -= n; s.left == 0 {
			d.endFrame(dir, s, at)
		}
		return
	}
	d.abandon(dir, at, "Bytes were lost, so the messages that follow are shown as they are.")
	d.sink.Handover(traffic.NewText)
}

// abandon ends the messages of a direction that are incomplete.
func (d *websocket) abandon(dir traffic.Direction, at time.Time, problem string) {
	s := &d.sides[dir]
	for _, e := range []*traffic.Exchange{s.control, s.message} {
		if e != nil {
			e.Problem = problem
			d.sink.End(e, at)
		}
	}
	*s = webSide{deflate: s.deflate}
}

// End implements traffic.Decoder.
func (d *websocket) End(dir traffic.Direction, at time.Time, _ error) {
	d.abandon(dir, at, "The connection was closed within the message.")
}

// Unread implements traffic.Decoder.
func (d *websocket) Unread(dir traffic.Direction) []byte { return d.sides[dir].buffer }

// inflater decompresses the messages of one direction (RFC 7692).
type inflater struct {
	reset  bool   // each message is compressed on its own
	window []byte // the last bytes of the messages before
	reader io.ReadCloser
	broken bool // the window is not what the sender has
}

// maxWebWindow is the largest window of DEFLATE (RFC 1951).
const maxWebWindow = 32 << 10

// tail ends a message that RFC 7692, section 7.2.2, sends without its end, and the
// stream.
var tail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// inflate returns at most limit bytes of a message and its whole size.
func (f *inflater) inflate(p []byte, limit int) ([]byte, int64, error) {
	if f.broken && !f.reset {
		return nil, 0, errors.New("a message before it is not known completely")
	}
	source := io.MultiReader(bytes.NewReader(p), bytes.NewReader(tail))
	if f.reader == nil {
		f.reader = flate.NewReaderDict(source, f.window)
	} else if err := f.reader.(flate.Resetter).Reset(source, f.window); err != nil {
		return nil, 0, err
	}
	body, err := io.ReadAll(io.LimitReader(f.reader, int64(max(limit, traffic.MaxContent))))
	if err == nil && len(body) >= traffic.MaxContent {
		err = fmt.Errorf("it has more than %d bytes", traffic.MaxContent)
	}
	if err != nil {
		f.broken = true
		return nil, 0, err
	}
	if !f.reset {
		f.window = append(f.window, body...)
		f.window = bytes.Clone(f.window[max(0, len(f.window)-maxWebWindow):])
	}
	return bytes.Clone(body[:min(len(body), limit)]), int64(len(body)), nil
}
