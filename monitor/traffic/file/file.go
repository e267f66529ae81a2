// Package file reads traffic that was saved: HAR files, and packets in the format pcapng
// or pcap.
package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	"porthole/monitor/traffic/har"
	"porthole/monitor/traffic/source"
)

// Read reads the file at path into store: packets through r, which publishes there,
// the exchanges of a HAR file directly. The error says what is wrong with the file.
func Read(ctx context.Context, path string, store *traffic.Store, r *traffic.Recorder) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	packets, err := capture.OpenFile(in)
	switch {
	case errors.Is(err, capture.ErrFormat):
		exchanges, err := har.Read(in)
		if err != nil {
			return fmt.Errorf("no HAR, pcapng or pcap file: %w", err)
		}
		store.Add(exchanges...)
		return nil
	case err != nil:
		return err
	}
	err = Packets(ctx, packets, r)
	r.Flush()
	return err
}

// flushEvery is how many bytes are read from a file before they are decoded: unlike a
// network, a file can wait.
const flushEvery = 256 << 10

// Packets records the packets of a file, until its end or that of ctx. Connections that
// are open at its end are ended there.
func Packets(ctx context.Context, file *capture.File, r *traffic.Recorder) error {
	open := &openStreams{Recorder: source.To(r)}
	a := capture.NewAssembler(open, 0, nil)
	var last time.Time
	pending := 0
	var err error
	for ctx.Err() == nil {
		var p capture.Packet
		if p, err = file.Next(); err != nil {
			break
		}
		a.Add(p)
		last = p.At
		if pending += len(p.IP); pending > flushEvery {
			pending = 0
			a.Flush(last.Add(-time.Minute)) // in the time of the file
			r.Flush()
		}
	}
	a.Close()
	open.end(last)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// errFileEnds is the error of connections that are open at the end of a file.
var errFileEnds = errors.New("the file ends here")

// openStreams is a Recorder that knows which streams are open.
type openStreams struct {
	source.Recorder
	mu      sync.Mutex
	streams map[*openStream]struct{}
}

type openStream struct {
	source.Stream
	all    *openStreams
	closed [2]bool
}

// Open implements source.Recorder.
func (o *openStreams) Open(c traffic.Conn) source.Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.streams == nil {
		o.streams = make(map[*openStream]struct{})
	}
	s := &openStream{Stream: o.Recorder.Open(c), all: o}
	o.streams[s] = struct{}{}
	return s
}

// Close implements source.Stream.
func (s *openStream) Close(d traffic.Direction, at time.Time, err error) {
	s.Stream.Close(d, at, err)
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.closed[d] = true; s.closed == [2]bool{true, true} {
		delete(s.all.streams, s)
	}
}

// end closes the streams that are open.
func (o *openStreams) end(at time.Time) {
	for s := range o.streams {
		for d := range s.closed {
			if !s.closed[d] {
				s.Stream.Close(traffic.Direction(d), at, errFileEnds)
			}
		}
	}
}
