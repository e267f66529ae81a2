package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"porthole/monitor/traffic"
)

// maxHead bounds the head of a message. Go's and Node's servers accept less.
const maxHead = 1 << 20

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

// requestHead is what net/http reads in the head of a request.
type requestHead struct {
	raw                       []byte
	proto, method, path, host string
	length                    int64    // of the body; negative if unknown
	coding                    []string // of the transfer
}

// answerHead is what net/http reads in the head of an answer.
type answerHead struct {
	raw    []byte
	method string // of the request, on which the meaning depends
	proto  string
	code   int
	status string // without the code
	header http.Header
	length int64
	coding []string
}

// parser reads heads with net/http.
type parser struct {
	source bytes.Reader
	buffer *bufio.Reader
}

// parsers are shared by all connections, most of which wait.
var parsers = sync.Pool{New: func() any { return &parser{buffer: bufio.NewReader(nil)} }}

// parse calls read with a reader of p.
func parse[T any](p []byte, read func(*bufio.Reader) (T, error)) (T, error) {
	r := parsers.Get().(*parser)
	defer parsers.Put(r)
	r.source.Reset(p)
	r.buffer.Reset(&r.source)
	return read(r.buffer)
}

// parseRequest reads the head of a request.
func parseRequest(p []byte) (requestHead, error) {
	req, err := parse(p, http.ReadRequest)
	if err != nil {
		return requestHead{}, fmt.Errorf("read the request: %w", clean(err))
	}
	return requestHead{bytes.Clone(p), req.Proto, req.Method, req.RequestURI, req.Host, req.ContentLength, req.TransferEncoding}, nil
}

// parseAnswer reads the head of the answer to a request with a method.
func parseAnswer(p []byte, method string) (answerHead, error) {
	a, err := parse(p, func(r *bufio.Reader) (*http.Response, error) {
		return http.ReadResponse(r, &http.Request{Method: method})
	})
	if err != nil {
		return answerHead{}, fmt.Errorf("read the answer: %w", clean(err))
	}
	status := strings.TrimSpace(strings.TrimPrefix(a.Status, strconv.Itoa(a.StatusCode)))
	return answerHead{bytes.Clone(p), method, a.Proto, a.StatusCode, status, a.Header, a.ContentLength, a.TransferEncoding}, nil
}

// request begins an exchange. Clients that keep their connections often send the same head
// again, which is then read once, and kept once.
func (d *http1) request(s *side, at time.Time, p []byte) error {
	if !bytes.Equal(p, d.lastRequest.raw) {
		h, err := parseRequest(p)
		if err != nil {
			return err
		}
		d.lastRequest = h
	}
	h := &d.lastRequest
	e := d.sink.Begin(traffic.Exchange{
		Protocol: h.proto, Method: h.method, Path: h.path, Host: h.host, Started: at,
		Request: traffic.Message{Head: h.raw, Size: int64(len(p))},
	})
	d.waiting = append(d.waiting, e)
	s.exchange = e
	d.frame(traffic.ToServer, s, h.length, h.coding)
	return nil
}

// answer begins the answer to the request that waits first.
func (d *http1) answer(s *side, at time.Time, p []byte) error {
	method := ""
	if len(d.waiting) > 0 {
		method = d.waiting[0].Method
	}
	if !bytes.Equal(p, d.lastAnswer.raw) || method != d.lastAnswer.method {
		h, err := parseAnswer(p, method)
		if err != nil {
			return err
		}
		d.lastAnswer = h
	}
	h := &d.lastAnswer
	if len(d.waiting) == 0 {
		e := d.sink.Begin(traffic.Exchange{Protocol: h.proto, Started: at, Problem: "The request was not seen."})
		d.waiting = append(d.waiting, e)
	}
	e := d.waiting[0]
	if e.Answered.IsZero() {
		e.Answered = at
	}
	e.Answer.Size += int64(len(p))
	d.sink.Changed(e)
	if h.code/100 == 1 && h.code != http.StatusSwitchingProtocols {
		return nil // an interim answer: the final one follows (RFC 9110, section 15.2)
	}
	e.Answer.Head = h.raw
	e.Code, e.Status, e.Failed = h.code, h.status, h.code >= 400
	s.exchange = e
	if h.code == http.StatusSwitchingProtocols || method == http.MethodConnect && h.code/100 == 2 {
		d.switchProtocol(s, h.header)
		return nil
	}
	d.events = newEvents(d.sink, e, h.header.Get("Content-Type"), h.header.Get("Content-Encoding"))
	if method == http.MethodHead || h.code == http.StatusNoContent || h.code == http.StatusNotModified {
		d.complete(traffic.ToClient, s) // whatever its header says about a body
		return nil
	}
	d.frame(traffic.ToClient, s, h.length, h.coding)
	return nil
}

// clean makes an error of net/http end with what is wrong.
func clean(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is incomplete")
	}
	return err
}
