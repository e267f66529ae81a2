package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// maxHead bounds the head of a message. Go's and Node's servers accept less.
const maxHead = 1 << 20

// detectHTTP1 recognizes a request line, or a status line where the request was missed
// (RFC 9112, section 3 and 4).
func detectHTTP1(first traffic.First) traffic.Verdict {
	if first.ServerFirst {
		return begins(first.ToClient, "HTTP/1.")
	}
	return requestLine(first.ToServer)
}

// requestLine reports whether p begins with a request line of HTTP/1.
func requestLine(p []byte) traffic.Verdict {
	p = bytes.TrimLeft(p, "\r\n") // RFC 9112, section 2.2
	for i, c := range p {
		switch {
		case c == ' ' && i > 0:
			line, _, complete := bytes.Cut(p, []byte("\n"))
			if !complete {
				return traffic.More
			}
			if bytes.Contains(line, []byte(" HTTP/1.")) {
				return traffic.Yes
			}
			return traffic.No
		case i > 24 || !('A' <= c && c <= 'Z' || c == '-' || c == '_'):
			return traffic.No
		}
	}
	return traffic.More
}

// http1 decodes HTTP/1.x (RFC 9112). Answers belong to the requests in their order.
type http1 struct {
	sink  *traffic.Sink
	sides [2]side
	// waiting are the exchanges whose answers are not complete, in their order.
	waiting []*traffic.Exchange
	// upgrade is what continues the connection after the answer that is being read.
	upgrade bool
	events  *events // decodes the body of the answer that is being read; nil if it is no stream of events
	parser  parser
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

// resync reads bytes of unknown messages until a head begins.
func (d *http1) resync(dir traffic.Direction, s *side, p []byte) int {
	verdict := requestLine(p)
	if dir == traffic.ToClient {
		verdict = begins(p, "HTTP/1.")
	}
	switch {
	case verdict == traffic.Yes:
		s.part = head
		return 0
	case verdict == traffic.More && len(p) < maxLine:
		s.buffer = bytes.Clone(p)
	}
	return len(p)
}

// maxLine is how long a request line may be where bytes were lost.
const maxLine = 8 << 10

// body adds bytes to the body of the message.
func (d *http1) body(dir traffic.Direction, s *side, p []byte) {
	m := s.exchange.Message(dir)
	m.Size += int64(len(p))
	d.sink.AppendBody(m, p)
	d.sink.Changed(s.exchange)
	if dir == traffic.ToClient && d.events != nil {
		d.events.add(s.last, p)
	}
}

// readHead reads a head. The end of the head may be in a later call.
func (d *http1) readHead(dir traffic.Direction, s *side, at time.Time, p []byte) (int, error) {
	if len(s.buffer) == 0 {
		if n := len(p) - len(bytes.TrimLeft(p, "\r\n")); n > 0 {
			return n, nil // empty lines between messages (RFC 9112, section 2.2)
		}
		if n := headEnd(p, 0); n > 0 {
			if err := d.head(dir, s, at, p[:n]); err != nil {
				return 0, err
			}
			return n, nil
		}
	}
	before := len(s.buffer)
	s.buffer = append(s.buffer, p...)
	n := headEnd(s.buffer, s.searched)
	if n == 0 {
		if s.searched = max(0, len(s.buffer)-3); len(s.buffer) > maxHead {
			s.buffer = s.buffer[:before]
			return 0, fmt.Errorf("the head is longer than %d bytes", maxHead)
		}
		return len(p), nil
	}
	whole := s.buffer[:n]
	err := d.head(dir, s, at, whole)
	if err != nil {
		s.buffer = s.buffer[:before]
		return 0, err
	}
	s.buffer, s.searched = nil, 0
	return n - before, nil
}

// headEnd returns the length of the head that p begins with, or 0 if p has only a part
// of it. The first bytes of p are known not to have its end.
func headEnd(p []byte, from int) int {
	for {
		i := bytes.IndexByte(p[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := p[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// head begins the message whose head is p.
func (d *http1) head(dir traffic.Direction, s *side, at time.Time, p []byte) error {
	if dir == traffic.ToServer {
		return d.request(s, at, p)
	}
	return d.answer(s, at, p)
}

// parser reads heads with net/http. It is used again to save memory.
type parser struct {
	source bytes.Reader
	buffer *bufio.Reader
}

func (r *parser) reader(p []byte) *bufio.Reader {
	r.source.Reset(p)
	if r.buffer == nil {
		r.buffer = bufio.NewReader(&r.source)
	} else {
		r.buffer.Reset(&r.source)
	}
	return r.buffer
}

func (d *http1) request(s *side, at time.Time, p []byte) error {
	req, err := http.ReadRequest(d.parser.reader(p))
	if err != nil {
		return fmt.Errorf("read the request: %w", clean(err))
	}
	e := d.sink.Begin(traffic.Exchange{
		Protocol: req.Proto, Method: req.Method, Path: req.RequestURI, Host: req.Host, Started: at,
		Request: traffic.Message{Head: bytes.Clone(p), Size: int64(len(p))},
	})
	d.waiting = append(d.waiting, e)
	s.exchange = e
	d.frame(traffic.ToServer, s, req.ContentLength, req.TransferEncoding)
	return nil
}

func (d *http1) answer(s *side, at time.Time, p []byte) error {
	method := ""
	if len(d.waiting) > 0 {
		method = d.waiting[0].Method
	}
	answer, err := http.ReadResponse(d.parser.reader(p), &http.Request{Method: method})
	if err != nil {
		return fmt.Errorf("read the answer: %w", clean(err))
	}
	if len(d.waiting) == 0 {
		e := d.sink.Begin(traffic.Exchange{Protocol: answer.Proto, Started: at, Problem: "The request was not seen."})
		d.waiting = append(d.waiting, e)
	}
	e := d.waiting[0]
	if e.Answered.IsZero() {
		e.Answered = at
	}
	e.Answer.Size += int64(len(p))
	d.sink.Changed(e)
	if answer.StatusCode/100 == 1 && answer.StatusCode != http.StatusSwitchingProtocols {
		return nil // an interim answer: the final one follows (RFC 9110, section 15.2)
	}
	e.Answer.Head = bytes.Clone(p)
	e.Code, e.Status = answer.StatusCode, strings.TrimSpace(strings.TrimPrefix(answer.Status, strconv.Itoa(answer.StatusCode)))
	e.Failed = e.Code >= 400
	s.exchange = e
	if answer.StatusCode == http.StatusSwitchingProtocols || method == http.MethodConnect && answer.StatusCode/100 == 2 {
		d.switchProtocol(s, answer)
		return nil
	}
	d.events = newEvents(d.sink, e, answer.Header.Get("Content-Type"), answer.Header.Get("Content-Encoding"))
	if method == http.MethodHead || e.Code == http.StatusNoContent || e.Code == http.StatusNotModified {
		d.complete(traffic.ToClient, s) // whatever its header says about a body
		return nil
	}
	d.frame(traffic.ToClient, s, answer.ContentLength, answer.TransferEncoding)
	return nil
}

// frame sets how the body ends (RFC 9112, section 6.3).
func (d *http1) frame(dir traffic.Direction, s *side, length int64, coding []string) {
	switch {
	case slices.Contains(coding, "chunked"):
		s.part = chunkSize
	case length > 0:
		s.part, s.left = body, length
	case length == 0 || dir == traffic.ToServer:
		d.complete(dir, s)
	default:
		s.part = untilEnd
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

// readLine reads a line of the chunked transfer coding (RFC 9112, section 7.1).
func (d *http1) readLine(dir traffic.Direction, s *side, p []byte) (int, error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		if len(s.buffer)+len(p) > maxHead {
			return 0, errors.New("a line between chunks is too long")
		}
		s.buffer = append(s.buffer, p...)
		return len(p), nil
	}
	line := p[:i]
	if len(s.buffer) > 0 {
		line = append(s.buffer, line...)
	}
	m := s.exchange.Message(dir)
	m.Size += int64(len(line) + 1)
	if err := d.line(dir, s, m, bytes.TrimSuffix(line, []byte("\r"))); err != nil {
		return 0, err
	}
	s.buffer = s.buffer[:0]
	return i + 1, nil
}

func (d *http1) line(dir traffic.Direction, s *side, m *traffic.Message, line []byte) error {
	switch s.part {
	case chunkEnd:
		if len(line) > 0 {
			return errors.New("a chunk is longer than its size")
		}
		s.part = chunkSize
	case chunkSize:
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimRight(size, " \t")), 16, 63)
		if err != nil {
			return errors.New("the size of a chunk is not a number")
		}
		if s.part, s.left = chunk, int64(n); n == 0 {
			s.part = trailer
		}
	case trailer:
		if len(line) == 0 {
			d.complete(dir, s)
			return nil
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && len(m.Trailer) < 100 {
			m.Trailer = append(m.Trailer, traffic.Field{Name: string(name), Value: string(bytes.TrimSpace(value))})
		}
	}
	return nil
}

// switchProtocol hands the connection to the decoder of the protocol that follows.
func (d *http1) switchProtocol(s *side, answer *http.Response) {
	e := s.exchange
	d.upgrade = true
	e.Upgrade = strings.ToLower(answer.Header.Get("Upgrade"))
	d.waiting = slices.Delete(d.waiting, 0, 1)
	s.exchange = nil
	d.sink.End(e, s.last)
	if e.Upgrade == "websocket" {
		extensions := strings.Join(answer.Header.Values("Sec-WebSocket-Extensions"), ",")
		d.sink.Handover(func(sink *traffic.Sink) traffic.Decoder { return newWebSocket(sink, e, extensions) })
		return
	}
	d.sink.Redetect()
}

// Skippable implements traffic.Skipper: a body of known length, after the part that is
// kept.
func (d *http1) Skippable(dir traffic.Direction) int64 {
	s := &d.sides[dir]
	if s.part == body && len(s.exchange.Message(dir).Body) >= d.sink.Limits().Body {
		return s.left
	}
	return 0
}

// Skip implements traffic.Skipper.
func (d *http1) Skip(dir traffic.Direction, at time.Time, n int64) {
	s := &d.sides[dir]
	s.last = at
	if s.exchange == nil || s.part != body {
		return
	}
	m := s.exchange.Message(dir)
	m.Size += n
	m.BodySize += n
	d.sink.Changed(s.exchange)
	if s.left -= n; s.left <= 0 {
		d.complete(dir, s)
	}
}

// Lost implements traffic.Decoder. Bytes of a body whose length is known can be missed;
// otherwise decoding goes on with the next head.
func (d *http1) Lost(dir traffic.Direction, at time.Time, n int64) {
	s := &d.sides[dir]
	s.last = at
	if e := s.exchange; e != nil {
		e.Message(dir).Lost += n
		d.sink.Changed(e)
		switch {
		case s.part == untilEnd, s.part == chunk && n < s.left:
			s.left -= min(n, s.left)
			return
		case s.part == body && n <= s.left:
			if s.left -= n; s.left == 0 {
				d.complete(dir, s)
			}
			return
		}
	}
	// It is unknown which message comes next, so the exchanges that wait cannot be
	// matched with their answers.
	for _, e := range d.waiting {
		if e.Message(dir).Lost == 0 {
			e.Message(dir).Lost = n
		}
		e.Problem = "Bytes were lost, so the end is unknown."
		d.sink.End(e, at)
	}
	d.waiting = nil
	d.drop(s)
	if other := &d.sides[dir.Other()]; other.exchange != nil {
		d.drop(other)
	}
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

// clean makes an error of net/http end with what is wrong.
func clean(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is incomplete")
	}
	return err
}
