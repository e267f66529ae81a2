package decode

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// http1 decodes HTTP/1.x (RFC 9112). Answers belong to the requests in their order.
type http1 struct {
	sink  *traffic.Sink
	sides [2]side
	// waiting are the exchanges whose answers are not complete, in their order.
	waiting []*traffic.Exchange
	// upgrade is what continues the connection after the answer that is being read.
	upgrade bool
	events  *events // decodes the body of the answer that is being read; nil if it is no stream of events
	// lastRequest and lastAnswer are the last heads.
	lastRequest requestHead
	lastAnswer  answerHead
}

// part is the part of a message that comes next.
type part uint8

const (
	head      part = iota
	body           // left bytes
	chunkSize      // a line with the size of a chunk
	chunk          // left bytes, then a line end
	chunkEnd       // the line end after a chunk
	trailer        // fields, then an empty line
	untilEnd       // a body that ends with the connection
	resync         // unknown bytes until a head begins
)

// side is the state of one direction.
type side struct {
	part     part
	exchange *traffic.Exchange // whose message is being read; nil before its head
	left     int64             // bytes of the body or chunk that follow
	buffer   []byte            // an incomplete head or line
	searched int               // bytes of buffer without the end of the head
	closed   bool
	last     time.Time
}

func newHTTP1(sink *traffic.Sink) traffic.Decoder { return &http1{sink: sink} }

// Data implements traffic.Decoder.
func (d *http1) Data(dir traffic.Direction, at time.Time, p []byte) error {
	s := &d.sides[dir]
	s.last = at
	if s.part == resync && len(s.buffer) > 0 {
		p, s.buffer = append(s.buffer, p...), nil
	}
	for len(p) > 0 {
		if d.upgrade {
			s.buffer = append(s.buffer, p...) // for the next decoder
			return nil
		}
		n, err := d.read(dir, s, at, p)
		if err != nil {
			s.buffer = append(s.buffer, p[n:]...)
			return err
		}
		p = p[n:]
	}
	return nil
}

// read reads the part that comes next from p and returns how many bytes it took.
func (d *http1) read(dir traffic.Direction, s *side, at time.Time, p []byte) (int, error) {
	switch s.part {
	case head:
		return d.readHead(dir, s, at, p)
	case body, chunk:
		n := int(min(s.left, int64(len(p))))
		d.body(dir, s, p[:n])
		s.left -= int64(n)
		if s.left == 0 && s.part == chunk {
			s.part = chunkEnd
		} else if s.left == 0 {
			d.complete(dir, s)
		}
		return n, nil
	case untilEnd:
		d.body(dir, s, p)
		return len(p), nil
	case resync:
		return d.resync(dir, s, p), nil
	default:
		return d.readLine(dir, s, p)
	}
}

// complete ends the message of a direction, and the exchange if it was the answer.
func (d *http1) complete(dir traffic.Direction, s *side) {
	e := s.exchange
	s.exchange, s.part, s.left = nil, head, 0
	if dir == traffic.ToServer {
		d.sink.Changed(e)
		return
	}
	d.waiting = slices.Delete(d.waiting, 0, 1)
	if upload := &d.sides[traffic.ToServer]; upload.exchange == e {
		// The server answered without waiting for the whole body.
		e.Problem = "The answer came before the whole request."
		d.drop(upload)
	}
	d.sink.End(e, s.last)
}

// drop forgets the message of a direction, whose exchange has ended.
func (d *http1) drop(s *side) { *s = side{part: resync, closed: s.closed, last: s.last} }

// switchProtocol hands the connection to the decoder of the protocol that follows.
func (d *http1) switchProtocol(s *side, header http.Header) {
	e := s.exchange
	d.upgrade = true
	e.Upgrade = strings.ToLower(header.Get("Upgrade"))
	d.waiting = slices.Delete(d.waiting, 0, 1)
	s.exchange = nil
	d.sink.End(e, s.last)
	if e.Upgrade == "websocket" {
		extensions := strings.Join(header.Values("Sec-WebSocket-Extensions"), ",")
		d.sink.Handover(func(sink *traffic.Sink) traffic.Decoder { return newWebSocket(sink, e, extensions) })
		return
	}
	d.sink.Redetect()
}

// End implements traffic.Decoder.
func (d *http1) End(dir traffic.Direction, at time.Time, err error) {
	s := &d.sides[dir]
	s.closed = true
	if s.part == untilEnd && err == nil {
		s.last = at
		d.complete(dir, s)
		return
	}
	if dir == traffic.ToServer && err == nil && s.exchange == nil {
		return // a half-closed connection: the answers may follow
	}
	for _, e := range d.waiting {
		e.Problem = unfinished(e, dir, err)
		d.sink.End(e, at)
	}
	d.waiting = nil
	d.drop(&d.sides[traffic.ToServer])
	d.drop(&d.sides[traffic.ToClient])
}

// unfinished says why an exchange has no complete answer.
func unfinished(e *traffic.Exchange, dir traffic.Direction, err error) string {
	how := "closed the connection"
	if err != nil {
		how = "broke the connection (" + err.Error() + ")"
	}
	if e.Answered.IsZero() {
		return "No answer: the " + sideName(dir) + " " + how + "."
	}
	return "The answer is incomplete: the " + sideName(dir) + " " + how + "."
}

// Unread implements traffic.Decoder.
func (d *http1) Unread(dir traffic.Direction) []byte { return d.sides[dir].buffer }
