// Package redis decodes the protocol of Redis and Valkey, RESP2 and RESP3.
package redis

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// Name is the name of the protocol in exchanges.
const Name = "Redis"

// Protocol detects and decodes connections to Redis.
func Protocol() traffic.Protocol { return traffic.Protocol{Name: Name, Detect: detect, New: New} }

// inlineCommands are those that people type, and that health checks and benchmarks send.
var inlineCommands = []string{"PING", "INFO", "AUTH", "SELECT", "COMMAND", "DBSIZE", "MONITOR", "QUIT"}

// detect recognises a command that is an array of strings, or a few inline commands.
func detect(f traffic.First) traffic.Verdict {
	if f.ServerFirst {
		return traffic.No
	}
	b := f.ToServer
	if len(b) == 0 {
		return traffic.More
	}
	if b[0] != '*' {
		return detectInline(b)
	}
	line, rest, complete := bytes.Cut(b[1:], []byte("\r\n"))
	digits := bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(digits) > len("1048576") || len(bytes.Trim(digits, "0123456789")) > 0: // more arguments than Redis takes
		return traffic.No
	case !complete || len(rest) == 0:
		return traffic.More
	case len(digits) > 0 && rest[0] == '$':
		return traffic.Yes
	}
	return traffic.No
}

func detectInline(b []byte) traffic.Verdict {
	verdict := traffic.No
	for _, command := range inlineCommands {
		n := min(len(b), len(command))
		if !strings.EqualFold(string(b[:n]), command[:n]) {
			continue
		}
		switch {
		case len(b) <= len(command):
			verdict = traffic.More
		case b[len(command)] == '\r' || b[len(command)] == '\n' || command == "AUTH" && b[len(command)] == ' ' || command == "SELECT" && b[len(command)] == ' ':
			return traffic.Yes
		}
	}
	return verdict
}

// errLost ends the decoding of a connection: there is no way to find the next value.
var errLost = errors.New("bytes are missing, so the next value can't be found")

// maxQueue limits the commands that wait for an answer.
const maxQueue = 100_000

// decoder decodes one connection.
type decoder struct {
	sink    *traffic.Sink
	at      time.Time
	lost    bool
	request commands
	answer  replies

	queue      []*command // commands without an answer
	subscribed bool
	monitoring bool
	silent     bool // CLIENT REPLY OFF
	skipNext   bool // CLIENT REPLY SKIP
}

// command is a command that waits for its answer.
type command struct {
	exchange *traffic.Exchange
	verb     string // in upper case
	second   string // the first argument, in upper case
}

// New returns a decoder.
func New(s *traffic.Sink) traffic.Decoder {
	d := &decoder{sink: s}
	d.request = commands{d: d}
	d.request.tokens = tokens{to: &d.request, inlines: true, inside: func() bool { return d.request.args > 0 }}
	d.answer = replies{d: d}
	d.answer.tokens = tokens{to: &d.answer, inside: func() bool { return false }}
	d.answer.render.write = d.answer.append
	return d
}

// Data implements traffic.Decoder.
func (d *decoder) Data(dir traffic.Direction, at time.Time, p []byte) error {
	if d.lost {
		return errLost
	}
	d.at = at
	if dir == traffic.ToServer {
		return d.request.feed(p)
	}
	return d.answer.feed(p)
}

// Lost implements traffic.Decoder.
func (d *decoder) Lost(dir traffic.Direction, _ time.Time, n int64) {
	d.lost = true
	e := d.request.exchange
	if dir == traffic.ToClient || e == nil {
		if len(d.queue) == 0 {
			return
		}
		e = d.queue[0].exchange
	}
	e.Message(dir).Lost += n
	d.sink.Changed(e)
}

// End implements traffic.Decoder.
func (d *decoder) End(_ traffic.Direction, at time.Time, err error) {
	if err == nil {
		return
	}
	for _, c := range d.queue {
		c.exchange.Problem = "The connection broke before the answer: " + err.Error() + "."
		d.sink.End(c.exchange, at)
	}
	d.queue = nil
}

// Unread implements traffic.Decoder.
func (d *decoder) Unread(dir traffic.Direction) []byte {
	if dir == traffic.ToServer {
		return d.request.line
	}
	return d.answer.line
}

// enqueue adds a command whose answer will come.
func (d *decoder) enqueue(c *command) {
	switch {
	case c.verb == "MONITOR":
		d.monitoring = true
	case c.verb == "CLIENT" && c.second == "REPLY":
		d.reply(c)
		return
	case d.skipNext:
		d.skipNext = false
		d.sink.End(c.exchange, d.at)
		return
	case d.silent:
		d.sink.End(c.exchange, d.at)
		return
	}
	if len(d.queue) >= maxQueue {
		d.sink.End(d.queue[0].exchange, d.at)
		d.queue = d.queue[1:]
	}
	d.queue = append(d.queue, c)
}

// reply follows CLIENT REPLY ON, OFF and SKIP, of which only ON has an answer.
func (d *decoder) reply(c *command) {
	switch {
	case strings.Contains(strings.ToUpper(c.exchange.Path), "REPLY OFF"):
		d.silent = true
	case strings.Contains(strings.ToUpper(c.exchange.Path), "REPLY SKIP"):
		d.skipNext = !d.silent
	default:
		d.silent = false
		d.queue = append(d.queue, c)
		return
	}
	d.sink.End(c.exchange, d.at)
}
