// Package traffictest helps tests of sources and decoders.
package traffictest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// Records is a source.Recorder that keeps everything. The zero value is ready for use. Its
// methods are safe for concurrent use.
type Records struct {
	mu    sync.Mutex
	conns []*record
}

// Record is what was recorded of a connection. Arrays have one element for each
// traffic.Direction.
type Record struct {
	Conn    traffic.Conn
	Client  traffic.Process
	Sent    [2][]byte
	Missing [2]int64 // bytes that the source lost
	Closed  [2]bool
	Errs    [2]error // why it was closed
}

// record is the source.Stream of a Record.
type record struct {
	r *Records
	Record
}

// maxSent is how many bytes are kept of each direction of a connection.
const maxSent = 256 << 20

// Open implements source.Recorder.
func (r *Records) Open(c traffic.Conn) source.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := &record{r: r, Record: Record{Conn: c}}
	r.conns = append(r.conns, rec)
	return rec
}

func (c *record) Identify(p traffic.Process) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.Client = p
}

func (c *record) Data(d traffic.Direction, _ time.Time, p []byte) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if len(c.Sent[d]) < maxSent {
		c.Sent[d] = append(c.Sent[d], p...)
	}
}

func (c *record) Lost(d traffic.Direction, _ time.Time, n int64) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.Missing[d] += n
}

func (c *record) Close(d traffic.Direction, _ time.Time, err error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.Closed[d], c.Errs[d] = true, err
}

// All returns what has been recorded so far, in the order of opening.
func (r *Records) All() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Record, len(r.conns))
	for i, c := range r.conns {
		all[i] = c.Record
	}
	return all
}

// Ended waits until n connections have been closed in both directions, and returns what has
// been recorded.
func (r *Records) Ended(t testing.TB, n int) []Record {
	t.Helper()
	await.Until(t, fmt.Sprintf("%d connections have ended", n), func() bool {
		ended := 0
		for _, c := range r.All() {
			if c.Closed == [2]bool{true, true} {
				ended++
			}
		}
		return ended >= n
	}, func() any { return fmt.Sprintf("%d connections", len(r.All())) })
	return r.All()
}
