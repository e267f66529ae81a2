package decode

import (
	"bytes"
	"time"

	"porthole/monitor/traffic"
)

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
