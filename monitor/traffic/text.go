package traffic

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// text shows what no other decoder reads. An exchange is what the client sent and what
// the server sent after it, until the client sends again.
type text struct {
	sink    *Sink
	turn    *Exchange
	last    time.Time // the last byte of turn
	closed  [2]bool
	labeled bool
}

// NewText returns the decoder for what no other decoder reads.
func NewText(s *Sink) Decoder { return &text{sink: s} }

// Data implements Decoder.
func (t *text) Data(dir Direction, at time.Time, p []byte) error {
	m := t.take(dir, at, int64(len(p)))
	t.sink.AppendBody(m, p)
	t.label()
	return nil
}

// Lost implements Decoder.
func (t *text) Lost(dir Direction, at time.Time, n int64) { t.take(dir, at, 0).Lost += n }

// End implements Decoder.
func (t *text) End(dir Direction, at time.Time, err error) {
	t.closed[dir] = true
	if t.turn != nil && err != nil && t.turn.Problem == "" {
		t.turn.Problem = closedBy(dir, err)
	}
	if t.closed != [2]bool{true, true} {
		return
	}
	if t.turn == nil && err != nil && !t.sink.used { // such as a server that refused the connection
		t.turn, t.last = t.sink.Begin(Exchange{Kind: Info, Protocol: "TCP", Started: t.sink.conn.Opened, Problem: "The connection failed: " + err.Error() + "."}), at
	}
	if t.turn != nil {
		t.finish()
	}
}

// Unread implements Decoder.
func (t *text) Unread(Direction) []byte { return nil }

// take counts n bytes and returns the message that they belong to.
func (t *text) take(dir Direction, at time.Time, n int64) *Message {
	if t.turn != nil && dir == ToServer && !t.turn.Answered.IsZero() {
		t.finish()
	}
	if t.turn == nil {
		t.turn = t.sink.Begin(Exchange{Protocol: "Text", Started: at})
		t.labeled = false
	}
	if dir == ToClient && t.turn.Answered.IsZero() {
		t.turn.Answered = at
	}
	t.last = at
	m := t.turn.Message(dir)
	m.Size += n
	t.sink.Changed(t.turn)
	return m
}

func (t *text) finish() {
	t.sink.End(t.turn, t.last)
	t.turn = nil
}

// maxLine is how many bytes of a line represent it in the list.
const maxLine = 256

// label describes the turn by its first line.
func (t *text) label() {
	if t.labeled {
		return
	}
	body := t.turn.Request.Body
	if len(body) == 0 {
		body = t.turn.Answer.Body
	}
	line, _, complete := bytes.Cut(body[:min(len(body), maxLine)], []byte("\n"))
	t.labeled = complete || len(body) >= maxLine
	if !Readable(line) {
		t.turn.Protocol, t.turn.Path = "Binary", ""
		return
	}
	t.turn.Protocol, t.turn.Path = "Text", string(bytes.TrimRight(line, "\r"))
}

// Readable reports whether p is text: valid UTF-8 (which may be cut off at the end)
// without control characters other than white space.
func Readable(p []byte) bool {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && size <= 1:
			return len(p) < utf8.UTFMax && !utf8.FullRune(p)
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f', r == 0x7f:
			return false
		}
		p = p[size:]
	}
	return true
}

// closedBy says that a connection broke.
func closedBy(dir Direction, err error) string {
	side := "The client's"
	if dir == ToClient {
		side = "The server's"
	}
	return side + " side of the connection broke: " + err.Error() + "."
}
