package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"porthole/monitor/traffic"
)

// Bounds of what a connection may ask for.
const (
	maxFrame       = 1 << 20 // bytes
	maxFields      = 1 << 20 // bytes of the fields of one message
	maxHeaderTable = 1 << 20 // bytes of the dynamic table of HPACK
	maxStreams     = 10_000  // that last at once
)

// detectHTTP2 recognizes the preface of a client that knows that the server speaks
// HTTP/2 (RFC 9113, section 3.4).
func detectHTTP2(first traffic.First) traffic.Verdict {
	if len(first.ToServer) == 0 && first.ServerFirst {
		if p := first.ToClient; len(p) > 3 && http2.FrameType(p[3]) != http2.FrameSettings {
			return traffic.No
		}
		return traffic.More // a server may send its settings at once
	}
	return begins(first.ToServer, http2.ClientPreface)
}

// http2Conn decodes HTTP/2 (RFC 9113) and the names of gRPC.
type http2Conn struct {
	sink    *traffic.Sink
	sides   [2]http2Side
	preface int // bytes of the preface that were read
	streams map[uint32]*http2Stream
	lost    bool
}

// http2Side is the state of one direction.
type http2Side struct {
	buffer []byte // an incomplete frame
	source bytes.Reader
	framer *http2.Framer
	hpack  *hpack.Decoder
	block  block
}

// block is a header block, which may be continued by further frames.
type block struct {
	stream uint32
	end    bool // the message ends after it
	push   bool // it is the request of a pushed answer
	fields []traffic.Field
	size   int
	wire   int64
}

// http2Stream is a request with its answer.
type http2Stream struct {
	exchange *traffic.Exchange
	ended    [2]bool
	events   *events
}

func newHTTP2(sink *traffic.Sink) traffic.Decoder {
	d := &http2Conn{sink: sink, streams: map[uint32]*http2Stream{}}
	for i := range d.sides {
		s := &d.sides[i]
		s.framer = http2.NewFramer(nil, &s.source)
		s.framer.SetReuseFrames()
		s.framer.SetMaxReadFrameSize(maxFrame)
		s.hpack = hpack.NewDecoder(4096, func(f hpack.HeaderField) { s.block.add(f) })
		s.hpack.SetMaxStringLength(maxFields)
	}
	return d
}

func (b *block) add(f hpack.HeaderField) {
	if b.size += len(f.Name) + len(f.Value); b.size <= maxFields {
		b.fields = append(b.fields, traffic.Field{Name: f.Name, Value: f.Value})
	}
}

// Data implements traffic.Decoder.
func (d *http2Conn) Data(dir traffic.Direction, at time.Time, p []byte) error {
	s := &d.sides[dir]
	if d.lost {
		s.buffer = p
		return errors.New("bytes were lost, without which the header compression cannot be followed")
	}
	if dir == traffic.ToServer && d.preface < len(http2.ClientPreface) {
		n := min(len(p), len(http2.ClientPreface)-d.preface)
		d.preface += n
		p = p[n:]
	}
	if len(s.buffer) > 0 {
		s.buffer = append(s.buffer, p...)
		p = s.buffer
	}
	for len(p) >= 9 {
		size := 9 + int(binary.BigEndian.Uint32(p)>>8)
		if size > 9+maxFrame {
			s.buffer = p
			return fmt.Errorf("a frame has more than %d bytes", maxFrame)
		}
		if len(p) < size {
			break
		}
		if err := d.frame(dir, s, at, p[:size]); err != nil {
			s.buffer = p
			return fmt.Errorf("read a frame: %w", err)
		}
		p = p[size:]
	}
	s.buffer = append(s.buffer[:0], p...)
	return nil
}

// frame decodes one frame.
func (d *http2Conn) frame(dir traffic.Direction, s *http2Side, at time.Time, p []byte) error {
	s.source.Reset(p)
	frame, err := s.framer.ReadFrame()
	if err != nil {
		if errors.As(err, new(http2.StreamError)) {
			return nil
		}
		return err
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if size, ok := f.Value(http2.SettingHeaderTableSize); ok && !f.IsAck() {
			d.sides[dir.Other()].hpack.SetAllowedMaxDynamicTableSize(min(size, maxHeaderTable))
		}
	case *http2.HeadersFrame:
		s.block = block{stream: f.StreamID, end: f.StreamEnded()}
		return d.fragment(dir, s, at, f.HeaderBlockFragment(), f.HeadersEnded(), len(p))
	case *http2.PushPromiseFrame:
		s.block = block{stream: f.PromiseID, push: true}
		return d.fragment(dir, s, at, f.HeaderBlockFragment(), f.HeadersEnded(), len(p))
	case *http2.ContinuationFrame:
		return d.fragment(dir, s, at, f.HeaderBlockFragment(), f.HeadersEnded(), len(p))
	case *http2.DataFrame:
		d.data(dir, at, f, len(p))
	case *http2.RSTStreamFrame:
		d.reset(dir, at, f)
	case *http2.GoAwayFrame:
		d.goAway(dir, at, f)
	}
	return nil
}

// fragment decodes a part of a header block.
func (d *http2Conn) fragment(dir traffic.Direction, s *http2Side, at time.Time, p []byte, last bool, wire int) error {
	s.block.wire += int64(wire)
	if _, err := s.hpack.Write(p); err != nil {
		return err
	}
	if !last {
		return nil
	}
	if err := s.hpack.Close(); err != nil {
		return err
	}
	b := s.block
	s.block = block{}
	d.headers(dir, at, b)
	return nil
}

// headers takes a complete header block.
func (d *http2Conn) headers(dir traffic.Direction, at time.Time, b block) {
	pseudo, fields := split(b.fields)
	request := dir == traffic.ToServer || b.push
	st := d.streams[b.stream]
	switch {
	case st == nil && !request || st == nil && len(d.streams) >= maxStreams:
		return // of a stream whose end was seen
	case st == nil:
		st = d.begin(at, b, pseudo, fields)
	case len(pseudo) == 0:
		m := st.exchange.Message(dir)
		m.Trailer = append(m.Trailer, fields...)
		m.Size += b.wire
	case dir == traffic.ToClient:
		st.answer(d.sink, at, b, pseudo, fields)
	}
	if strings.HasPrefix(st.exchange.Protocol, "gRPC") {
		st.grpcStatus(fields)
	}
	d.sink.Changed(st.exchange)
	if b.end || b.push {
		end := dir
		if b.push {
			end = traffic.ToServer
		}
		d.end(b.stream, st, end, at)
	}
}

// split parts the pseudo-fields, whose names begin with ":", from the others.
func split(fields []traffic.Field) (map[string]string, []traffic.Field) {
	pseudo := map[string]string{}
	for i, f := range fields {
		if !strings.HasPrefix(f.Name, ":") {
			return pseudo, fields[i:]
		}
		pseudo[f.Name] = f.Value
	}
	return pseudo, nil
}

// begin begins the exchange of a new stream.
func (d *http2Conn) begin(at time.Time, b block, pseudo map[string]string, fields []traffic.Field) *http2Stream {
	e := d.sink.Begin(traffic.Exchange{
		Protocol: "HTTP/2", Method: pseudo[":method"], Path: pseudo[":path"], Host: pseudo[":authority"], Started: at,
		Request: traffic.Message{Fields: fields, Size: b.wire},
	})
	if strings.HasPrefix(e.Request.MediaType(), "application/grpc") {
		e.Protocol = "gRPC"
	}
	st := &http2Stream{exchange: e}
	d.streams[b.stream] = st
	return st
}

// answer takes the header of an answer.
func (st *http2Stream) answer(sink *traffic.Sink, at time.Time, b block, pseudo map[string]string, fields []traffic.Field) {
	e := st.exchange
	if e.Answered.IsZero() {
		e.Answered = at
	}
	e.Answer.Size += b.wire
	code, _ := strconv.Atoi(pseudo[":status"])
	if code/100 == 1 {
		return // an interim answer
	}
	e.Code, e.Status, e.Failed = code, http.StatusText(code), code >= 400
	e.Answer.Fields = fields
	st.events = newEvents(sink, e, e.Answer.Get("Content-Type"), e.Answer.Get("Content-Encoding"))
}

// grpcCodes are the names of the status codes of gRPC, in their order.
var grpcCodes = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// grpcStatus takes the status of a call from its trailer, which is the header if there
// is no message.
func (st *http2Stream) grpcStatus(fields []traffic.Field) {
	e := st.exchange
	for _, f := range fields {
		switch f.Name {
		case "grpc-status":
			code, err := strconv.Atoi(f.Value)
			if err != nil || code < 0 || code >= len(grpcCodes) {
				e.Status, e.Failed = "status "+f.Value, true
				continue
			}
			e.Status, e.Failed = grpcCodes[code], code != 0
		case "grpc-message":
			if text, err := url.PathUnescape(f.Value); err == nil && text != "" {
				e.Status += ": " + text
			}
		}
	}
}

// data takes a part of a body.
func (d *http2Conn) data(dir traffic.Direction, at time.Time, f *http2.DataFrame, wire int) {
	st := d.streams[f.StreamID]
	if st == nil {
		return
	}
	m := st.exchange.Message(dir)
	m.Size += int64(wire)
	d.sink.AppendBody(m, f.Data())
	d.sink.Changed(st.exchange)
	if dir == traffic.ToClient && st.events != nil {
		st.events.add(at, f.Data())
	}
	if f.StreamEnded() {
		d.end(f.StreamID, st, dir, at)
	}
}

// end notes the end of a message, and ends the exchange after both.
func (d *http2Conn) end(id uint32, st *http2Stream, dir traffic.Direction, at time.Time) {
	st.ended[dir] = true
	if st.ended != [2]bool{true, true} {
		return
	}
	delete(d.streams, id)
	d.sink.End(st.exchange, at)
}

// reset ends a stream that one side gave up.
func (d *http2Conn) reset(dir traffic.Direction, at time.Time, f *http2.RSTStreamFrame) {
	st := d.streams[f.StreamID]
	if st == nil {
		return
	}
	delete(d.streams, f.StreamID)
	if !st.ended[traffic.ToClient] || f.ErrCode != http2.ErrCodeNo {
		st.exchange.Problem = "The " + sideName(dir) + " reset the stream: " + f.ErrCode.String() + "."
	}
	d.sink.End(st.exchange, at)
}

// goAway ends the streams that the other side will not process.
func (d *http2Conn) goAway(dir traffic.Direction, at time.Time, f *http2.GoAwayFrame) {
	for id, st := range d.streams {
		if id > f.LastStreamID && (id%2 == 1) == (dir == traffic.ToClient) {
			delete(d.streams, id)
			st.exchange.Problem = "The " + sideName(dir) + " did not process it: " + f.ErrCode.String() + "."
			d.sink.End(st.exchange, at)
		}
	}
}

// sideName returns who sends in direction dir.
func sideName(dir traffic.Direction) string {
	if dir == traffic.ToClient {
		return "server"
	}
	return "client"
}

// Lost implements traffic.Decoder. The header compression of what follows depends on
// all fields before it.
func (d *http2Conn) Lost(dir traffic.Direction, at time.Time, n int64) {
	d.lost = true
	for _, id := range d.sorted() {
		e := d.streams[id].exchange
		e.Message(dir).Lost = n
		e.Problem = "Bytes were lost, so the end is unknown."
		d.sink.End(e, at)
	}
	clear(d.streams)
	d.sides[traffic.ToServer].buffer, d.sides[traffic.ToClient].buffer = nil, nil
}

// End implements traffic.Decoder.
func (d *http2Conn) End(dir traffic.Direction, at time.Time, err error) {
	if dir == traffic.ToServer && err == nil {
		return // a half-closed connection: the answers may follow
	}
	for _, id := range d.sorted() {
		e := d.streams[id].exchange
		e.Problem = unfinished(e, dir, err)
		d.sink.End(e, at)
	}
	clear(d.streams)
}

// sorted returns the IDs of the streams that last, in their order.
func (d *http2Conn) sorted() []uint32 {
	ids := make([]uint32, 0, len(d.streams))
	for id := range d.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Unread implements traffic.Decoder.
func (d *http2Conn) Unread(dir traffic.Direction) []byte { return d.sides[dir].buffer }
