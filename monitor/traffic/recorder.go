package traffic

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"porthole/monitor"
)

// Bounds of the bytes that wait for a decoder.
const (
	maxPending    = 4 << 20  // bytes of one connection
	maxAllPending = 64 << 20 // bytes of all connections
	urgent        = 64 << 10 // bytes of one connection that are decoded without delay
)

// pace is how long bytes may wait so that more of them are decoded at once: a goroutine
// that wakes up for each answer costs the source more than the decoding.
const pace = time.Millisecond

// Recorder decodes the bytes of connections into exchanges. Its methods are safe for
// concurrent use and never wait for a decoder.
type Recorder struct {
	store     *Store
	protocols []Protocol

	connections atomic.Uint64
	pending     atomic.Int64 // bytes that wait for decoders
	undecoded   atomic.Int64

	mu      sync.Mutex
	wake    *sync.Cond // queue is not empty, or closed
	idle    *sync.Cond // nothing is queued or being decoded
	queue   []*stream
	waiting int // workers that wait for wake
	running int // streams that are being decoded
	hurry   chan struct{}
	closed  bool
	workers sync.WaitGroup
}

// ConnID identifies a connection of a Recorder. The zero value stands for none: what is
// recorded for it is ignored.
type ConnID struct{ stream *stream }

// NewRecorder returns a recorder that publishes in store. The first of the protocols
// that detects itself in a connection decodes it; if none does, it is shown as text.
// Close ends its goroutines.
func NewRecorder(store *Store, protocols []Protocol) *Recorder {
	r := &Recorder{store: store, protocols: protocols, hurry: make(chan struct{}, 1)}
	r.wake, r.idle = sync.NewCond(&r.mu), sync.NewCond(&r.mu)
	for range min(runtime.GOMAXPROCS(0), 4) {
		r.workers.Go(r.work)
	}
	return r
}

// Open starts a connection.
func (r *Recorder) Open(c Conn) ConnID {
	connection := &Connection{Conn: c, ID: r.connections.Add(1)}
	s := &stream{recorder: r}
	s.sink = Sink{store: r.store, conn: connection, limits: r.store.limits}
	return ConnID{s}
}

// Identify names the client of a connection. It may be called at any time.
func (r *Recorder) Identify(id ConnID, p Process) {
	if id.stream != nil {
		id.stream.sink.conn.SetProcess(p)
	}
}

// Data records bytes that were sent at a time. It copies p.
func (r *Recorder) Data(id ConnID, dir Direction, at time.Time, p []byte) {
	if id.stream != nil && len(p) > 0 {
		id.stream.data(dir, at, p)
	}
}

// Lost records that n bytes were sent that the source could not read.
func (r *Recorder) Lost(id ConnID, dir Direction, at time.Time, n int64) {
	if id.stream != nil && n > 0 {
		id.stream.add(event{kind: lost, dir: dir, at: at, n: n})
		r.undecoded.Add(n)
	}
}

// Close records that a direction was closed, by its sender if err is nil. After both
// are closed, nothing more is recorded for the connection.
func (r *Recorder) Close(id ConnID, dir Direction, at time.Time, err error) {
	if id.stream != nil {
		id.stream.add(event{kind: end, dir: dir, at: at, err: err})
	}
}

// Undecoded returns how many bytes were not decoded because decoders were too slow or
// the source lost them.
func (r *Recorder) Undecoded() int64 { return r.undecoded.Load() }

// Flush waits until everything that was recorded before is published.
func (r *Recorder) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 || r.running > 0 {
		r.signal()
		r.idle.Wait()
	}
}

// Shutdown publishes everything that was recorded before and ends the goroutines of the
// recorder. Nothing is recorded afterwards.
func (r *Recorder) Shutdown() {
	r.mu.Lock()
	r.closed = true
	r.wake.Broadcast()
	r.signal()
	r.mu.Unlock()
	r.workers.Wait()
}

// schedule queues s for a worker.
func (r *Recorder) schedule(s *stream, now bool) {
	r.mu.Lock()
	r.queue = append(r.queue, s)
	if r.waiting > 0 {
		r.wake.Signal()
	}
	if now {
		r.signal()
	}
	r.mu.Unlock()
}

// signal makes a worker continue that gathers bytes.
func (r *Recorder) signal() {
	select {
	case r.hurry <- struct{}{}:
	default:
	}
}

// work decodes the streams in the queue.
func (r *Recorder) work() {
	timer := time.NewTimer(pace)
	defer timer.Stop()
	for {
		s := r.take()
		if s == nil {
			return
		}
		s.decode()
		r.mu.Lock()
		r.running--
		if r.running == 0 && len(r.queue) == 0 {
			r.idle.Broadcast()
		}
		rest := len(r.queue) > 0
		closed := r.closed
		r.mu.Unlock()
		if !rest && !closed {
			timer.Reset(pace)
			select {
			case <-timer.C:
			case <-r.hurry:
			}
		}
	}
}

// take returns the next stream, or nil after Shutdown.
func (r *Recorder) take() *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 {
		if r.closed {
			return nil
		}
		r.waiting++
		r.wake.Wait()
		r.waiting--
	}
	s := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	r.running++
	return s
}

// panicked says that a decoder panicked.
func panicked(reason any) string {
	return fmt.Sprintf("Porthole could not decode this: %s.", monitor.Clean(fmt.Sprint(reason), 200))
}

// sentence makes a sentence of an error of a decoder.
func sentence(err error) string { return "Not decoded: " + monitor.Clean(err.Error(), 200) + "." }
