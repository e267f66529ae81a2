package traffic

import "time"

// Decoder decodes the bytes of one connection. Its methods are called by one goroutine
// at a time, in the order in which the source saw the bytes.
type Decoder interface {
	// Data passes bytes on. p is valid during the call only. After an error, the
	// recorder ends the exchanges that last with the error, and hands what Unread
	// returns to the decoder for plain text.
	Data(dir Direction, at time.Time, p []byte) error
	// Lost says that n bytes are missing.
	Lost(dir Direction, at time.Time, n int64)
	// End says that the direction is closed: by its sender if err is nil.
	End(dir Direction, at time.Time, err error)
	// Unread returns the bytes that the decoder has taken and shown in no exchange.
	Unread(dir Direction) []byte
}

// Skipper is a Decoder that can do without the contents of some bytes.
type Skipper interface {
	Decoder
	// Skippable returns how many of the next bytes in direction dir only need to be
	// counted.
	Skippable(dir Direction) int64
	// Skip is called instead of Data for at most that many bytes.
	Skip(dir Direction, at time.Time, n int64)
}

// Verdict is the result of a detection.
type Verdict uint8

// The verdicts.
const (
	No   Verdict = iota
	More         // with more bytes it may be
	Yes
)

// First are the first bytes of a connection in each direction, at most a few kilobytes.
type First struct {
	ToServer, ToClient []byte
	ServerFirst        bool // the server spoke first
}

// Protocol is a protocol that can be decoded.
type Protocol struct {
	Name string
	// Detect decides by the first bytes of a connection, of which there may be few.
	Detect func(First) Verdict
	New    func(*Sink) Decoder
	// Resumes reports whether p certainly begins a message with which a decoder can begin,
	// where the bytes before p were not seen or not understood. It may be nil.
	Resumes func(dir Direction, p []byte) bool
}
