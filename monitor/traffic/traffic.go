// Package traffic turns the bytes of connections into exchanges: requests with their
// answers, messages and queries.
//
// Data flows one way: a source (a tap or a capture) hands the bytes of both directions
// to a [Recorder]. It feeds one [Decoder] for each connection, and the decoders publish
// immutable exchanges in a [Store], whose memory is bounded. The source never waits for
// a decoder: bytes that a decoder is too slow for are counted as not decoded.
//
// This file contains only types.
package traffic

import (
	"net/netip"
	"time"
)

// Direction is the direction in which bytes flow.
type Direction uint8

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

// String returns "to server" or "to client".
func (d Direction) String() string {
	if d == ToClient {
		return "to client"
	}
	return "to server"
}

// Other returns the opposite direction.
func (d Direction) Other() Direction { return 1 - d }

// Process is a process at one end of a connection.
type Process struct {
	PID  int    // 0 if unknown
	Name string // "" if unknown; unclean, as the system reports it
}

// Conn describes a connection as its source sees it.
type Conn struct {
	Client, Server netip.AddrPort
	Opened         time.Time // when the source first saw it
	// Partial means that the connection was open before, so its first bytes are unknown.
	Partial bool
}

// Field is one field of a header.
type Field struct {
	Name, Value string // as they were sent
}

// Message is what one side sent: a request, an answer, or a message of a stream.
type Message struct {
	// Head is the start line and the header fields of HTTP/1 as they were sent,
	// including the empty line. Use [Message.Header] to read the fields.
	Head []byte
	// Fields are the header fields of other protocols.
	Fields []Field
	// Trailer are the fields after the body.
	Trailer []Field
	// Body holds at most the first MaxBody bytes of the body, without transfer coding
	// and with content coding (see [Message.Content]).
	Body []byte
	// BodySize is the size of the whole body in bytes, of which Body may have a part.
	BodySize int64
	// Size is how many bytes were sent in all, header and framing included.
	Size int64
	// Decoded means that Body has no content coding, although the header may say so.
	Decoded bool
	// Described means that Body is a text that describes the body, as Shown returns it.
	Described bool
	// Dropped means that Body was removed to make room for newer bodies.
	Dropped bool
	// Lost is how many bytes of the message the source or the recorder lost. They are
	// missing in Body, and not counted in Size.
	Lost int64
}

// Kind is what an exchange stands for.
type Kind uint8

// The kinds of exchanges.
const (
	Request Kind = iota // a request and its answer
	Event               // one message of a stream, in Request or in Answer
	Info                // what is known about a connection, such as a TLS handshake
)

// Exchange is a request with its answer, or one message. Published exchanges are
// immutable, except that their Conn may learn the name of the client.
type Exchange struct {
	ID   uint64 // in the order in which exchanges began, from 1; 0 if it is not kept
	Conn *Connection
	// Parent is the ID of the exchange that opened the stream of a message; 0 if none.
	Parent uint64
	Kind   Kind
	// Direction is the direction of a message of a stream (Kind Event).
	Direction Direction
	// Protocol is the name of the protocol: HTTP/1.1, HTTP/2, gRPC, WebSocket, Events,
	// TLS, Redis, PostgreSQL, Text.
	Protocol string
	// Method is the verb: GET, SELECT, PING. Path is what it applies to, or the whole
	// command. Both are as they were sent: unclean and unmasked.
	Method, Path string
	// Host is the server's name as the client wrote it; "" if it did not.
	Host string
	// Code is the status code of HTTP; 0 elsewhere and before the answer.
	Code int
	// Status says how it ended in the protocol's own words: Not Found, OK, INSERT 0 1.
	Status string
	// Failed means that the answer reports an error, such as a status code from 400.
	Failed bool

	Started  time.Time // the first byte
	Answered time.Time // the first byte of the answer; zero if there was none yet
	Ended    time.Time // the last byte; zero while the exchange lasts

	Request, Answer Message
	// Secrets are parts of Path, of fields and of bodies that are secrets by the protocol,
	// such as passwords. Masked replaces them.
	Secrets []string
	// Problem says in one sentence what went wrong outside the protocol: a closed
	// connection, bytes that are not valid. "" if nothing did.
	Problem string
	// Upgrade is the protocol that the connection continues with; "" if none.
	Upgrade string
}

// Duration returns the time from the first byte of the request to the last byte of the
// answer, or to now if the exchange lasts.
func (e *Exchange) Duration(now time.Time) time.Duration {
	if e.Ended.IsZero() {
		return max(now.Sub(e.Started), 0)
	}
	return max(e.Ended.Sub(e.Started), 0)
}

// Lost returns how many bytes of the exchange were lost.
func (e *Exchange) Lost() int64 { return e.Request.Lost + e.Answer.Lost }

// Message returns the message that was sent in direction dir.
func (e *Exchange) Message(dir Direction) *Message {
	if dir == ToClient {
		return &e.Answer
	}
	return &e.Request
}

// Limits bound what is kept.
type Limits struct {
	Body      int   // bytes of one body
	Bodies    int64 // bytes of all bodies; the oldest bodies go first
	Exchanges int   // the oldest exchanges go first
}

// The limits that a zero value of [Limits] stands for.
const (
	MaxBody      = 1 << 20
	MaxBodies    = 64 << 20
	MaxExchanges = 20_000
)

// maxHeads bounds the bytes of all headers, so that large headers make exchanges go
// before there are MaxExchanges.
const maxHeads = 16 << 20
