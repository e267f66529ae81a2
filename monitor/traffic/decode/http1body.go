package decode

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"time"

	"porthole/monitor/traffic"
)

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
