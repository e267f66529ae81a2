// Package postgres decodes version 3 of PostgreSQL's protocol, which other databases
// speak, too. pgx's pgproto3 parses the messages.
package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"porthole/monitor/traffic"
)

// Name is the name of the protocol in exchanges.
const Name = "PostgreSQL"

// Protocol detects and decodes connections to PostgreSQL.
func Protocol() traffic.Protocol { return traffic.Protocol{Name: Name, Detect: detect, New: New} }

// Codes of messages that have no type, in the place of a version (libpq/pqcomm.h).
const (
	cancelCode = 1234<<16 | 5678
	sslCode    = 1234<<16 | 5679
	gssCode    = 1234<<16 | 5680
)

// Types of messages (https://www.postgresql.org/docs/current/protocol-message-formats.html).
const (
	clientKinds = "QPBEDCSHFdcfpX"
	serverKinds = "RKSZ123tTnDCIsENAGHWdcVv"
)

// detect recognises the startup, or the messages of a connection that was open before.
func detect(f traffic.First) traffic.Verdict {
	b := f.ToServer
	switch {
	case f.ServerFirst:
		return traffic.No
	case len(b) == 0:
		return traffic.More
	case b[0] == 'Q' || b[0] == 'P' || b[0] == 'B':
		return detectTyped(b)
	case b[0] != 0:
		return traffic.No
	case len(b) < 8:
		return traffic.More
	}
	length := binary.BigEndian.Uint32(b)
	switch code := binary.BigEndian.Uint32(b[4:]); {
	case length < 8 || length > maxStartup:
		return traffic.No
	case code == pgproto3.ProtocolVersion30, code == pgproto3.ProtocolVersion32, code == sslCode && length == 8, code == gssCode && length == 8, code == cancelCode:
		return traffic.Yes
	}
	return traffic.No
}

// detectTyped recognises a query of a connection that was open before: text has no zero
// in the place of the length's first byte.
func detectTyped(b []byte) traffic.Verdict {
	if len(b) < 5 {
		for _, c := range b[1:min(len(b), 2)] {
			if c != 0 {
				return traffic.No
			}
		}
		return traffic.More
	}
	length := binary.BigEndian.Uint32(b[1:])
	if length < 5 || length > 16<<20 {
		return traffic.No
	}
	if end := int(length); len(b) > end { // the next message
		if b[0] != 'B' && b[0] != 'P' && b[end] != 0 {
			return traffic.No
		}
		if len(b) > end+1 && !isKind(b[end+1]) {
			return traffic.No
		}
	}
	return traffic.Yes
}

func isKind(c byte) bool {
	for i := range len(clientKinds) {
		if clientKinds[i] == c {
			return true
		}
	}
	return false
}

var errLost = errors.New("bytes are missing, so the next message can't be found")

// decoder decodes one connection.
type decoder struct {
	sink           *traffic.Sink
	at             time.Time
	lost           bool
	started        bool // the startup message has been seen, or was before the recording
	first          bool // no byte of the client was seen yet
	encryption     bool // the server's answer to a request for encryption is awaited
	client, server framer
	startup        *traffic.Exchange // until the server is ready
	password       string            // how the password is sent

	queue      []step
	group      group
	statements map[string]statement
	portals    map[string]portal
}

// New returns a decoder.
func New(s *traffic.Sink) traffic.Decoder {
	return &decoder{sink: s, first: true, client: framer{kinds: clientKinds}, server: framer{kinds: serverKinds},
		statements: make(map[string]statement), portals: make(map[string]portal)}
}

// Data implements traffic.Decoder.
func (d *decoder) Data(dir traffic.Direction, at time.Time, p []byte) error {
	if d.lost {
		return errLost
	}
	d.at = at
	if dir == traffic.ToClient {
		if d.encryption {
			d.encryption = false
			rest, err := d.answerEncryption(p)
			if rest == nil || err != nil {
				return err
			}
			p = rest
		}
		return d.server.feed(p, func(m message) error { return parsed(func() error { return d.fromServer(m) }) })
	}
	if d.first {
		d.first = false
		d.started = p[0] != 0
		d.client.untyp = !d.started
	}
	return d.client.feed(p, func(m message) error { return parsed(func() error { return d.fromClient(m) }) })
}

// parsed returns the error of f. The parsers of pgproto3 trust lengths in some places.
func parsed(f func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("a message is not valid: %v", reason)
		}
	}()
	return f()
}

// Lost implements traffic.Decoder.
func (d *decoder) Lost(dir traffic.Direction, _ time.Time, n int64) {
	d.lost = true
	if e := d.current(); e != nil {
		e.Message(dir).Lost += n
		d.sink.Changed(e)
	}
}

// current returns the exchange that the server is working on, nil if there is none.
func (d *decoder) current() *traffic.Exchange {
	if d.startup != nil {
		return d.startup
	}
	for _, s := range d.queue {
		if s.exchange != nil {
			return s.exchange
		}
	}
	return nil
}

// End implements traffic.Decoder.
func (d *decoder) End(_ traffic.Direction, at time.Time, err error) {
	if err == nil {
		return
	}
	for e := d.current(); e != nil; e = d.current() {
		e.Problem = "The connection broke before the answer: " + err.Error() + "."
		d.sink.End(e, at)
		if e == d.startup {
			d.startup = nil
			continue
		}
		d.queue = d.queue[1:]
	}
}

// Unread implements traffic.Decoder.
func (d *decoder) Unread(dir traffic.Direction) []byte {
	if dir == traffic.ToClient {
		return d.server.unread()
	}
	return d.client.unread()
}

// answerEncryption reads the answer to SSLRequest or GSSENCRequest: S or G, after which
// the connection is encrypted, or N. It returns what follows.
func (d *decoder) answerEncryption(p []byte) ([]byte, error) {
	switch p[0] {
	case 'N':
		d.client.untyp = true
		return p[1:], nil
	case 'S', 'G':
		d.sink.Redetect()
		return nil, nil
	case 'E': // an error of a server that does not know the request
		return p, nil
	}
	return nil, errors.New("the answer to a request for encryption is not valid")
}
