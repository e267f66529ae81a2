// Package source joins the sources of traffic, taps and captures, with what records it.
package source

import (
	"time"

	"porthole/monitor/traffic"
)

// Recorder records connections. Its methods are safe for concurrent use and do not block.
type Recorder interface {
	// Open starts a connection, before its first byte.
	Open(traffic.Conn) Stream
}

// Stream records one connection. Its methods are safe for concurrent use, do not block and
// keep no bytes.
type Stream interface {
	// Identify names the client, at any time.
	Identify(traffic.Process)
	// Data records bytes that were sent at a time.
	Data(dir traffic.Direction, at time.Time, p []byte)
	// Lost records that n bytes were sent that the source could not read.
	Lost(dir traffic.Direction, at time.Time, n int64)
	// Close records that a direction was closed: by its sender if err is nil.
	Close(dir traffic.Direction, at time.Time, err error)
}

// To returns a Recorder that records in r.
func To(r *traffic.Recorder) Recorder { return recorder{r} }

type recorder struct{ *traffic.Recorder }

// Open implements Recorder.
func (r recorder) Open(c traffic.Conn) Stream { return stream{r.Recorder, r.Recorder.Open(c)} }

type stream struct {
	recorder *traffic.Recorder
	id       traffic.ConnID
}

func (s stream) Identify(p traffic.Process) { s.recorder.Identify(s.id, p) }

func (s stream) Data(dir traffic.Direction, at time.Time, p []byte) {
	s.recorder.Data(s.id, dir, at, p)
}

func (s stream) Lost(dir traffic.Direction, at time.Time, n int64) {
	s.recorder.Lost(s.id, dir, at, n)
}

func (s stream) Close(dir traffic.Direction, at time.Time, err error) {
	s.recorder.Close(s.id, dir, at, err)
}

// Both returns a Recorder that records in a and in b.
func Both(a, b Recorder) Recorder { return both{a, b} }

type both struct{ a, b Recorder }

// Open implements Recorder.
func (r both) Open(c traffic.Conn) Stream { return pair{r.a.Open(c), r.b.Open(c)} }

type pair struct{ a, b Stream }

func (s pair) Identify(p traffic.Process) {
	s.a.Identify(p)
	s.b.Identify(p)
}

func (s pair) Data(dir traffic.Direction, at time.Time, p []byte) {
	s.a.Data(dir, at, p)
	s.b.Data(dir, at, p)
}

func (s pair) Lost(dir traffic.Direction, at time.Time, n int64) {
	s.a.Lost(dir, at, n)
	s.b.Lost(dir, at, n)
}

func (s pair) Close(dir traffic.Direction, at time.Time, err error) {
	s.a.Close(dir, at, err)
	s.b.Close(dir, at, err)
}
