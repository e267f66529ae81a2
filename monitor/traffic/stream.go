package traffic

import (
	"slices"
	"sync"
	"time"
)

// maxFirst is how many bytes of a direction are examined to detect a protocol.
const maxFirst = 8 << 10

// The kinds of events.
const (
	data uint8 = iota
	skip       // bytes that the decoder only counts
	lost
	end
)

// event is something that the source saw.
type event struct {
	at       time.Time
	err      error
	n        int64
	from, to int // in the bytes of the batch, for data
	kind     uint8
	dir      Direction
}

// batch holds events that wait for the decoder.
type batch struct {
	bytes  []byte
	events []event
	sizes  [2]int64 // bytes in each direction: sent, skipped or lost
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// free returns the batch for later use, unless it is large.
func (b *batch) free() {
	if cap(b.bytes) > 2*maxPending {
		return
	}
	clear(b.events)
	b.bytes, b.events, b.sizes = b.bytes[:0], b.events[:0], [2]int64{}
	batches.Put(b)
}

// count adds n bytes of a kind that have no contents, with those before if possible.
func (b *batch) count(e event) {
	b.sizes[e.dir] += e.n
	if i := len(b.events) - 1; i >= 0 && e.kind != end && b.events[i].kind == e.kind && b.events[i].dir == e.dir {
		b.events[i].n += e.n
		b.events[i].at = e.at
		return
	}
	b.events = append(b.events, e)
}

// stream is a recorded connection.
type stream struct {
	recorder *Recorder

	mu        sync.Mutex
	batch     *batch // nil if nothing waits
	scheduled bool   // queued or being decoded
	skippable [2]int64

	// The fields below belong to the worker that decodes.

	sink      Sink
	decoder   Decoder // nil while the protocol is being detected
	first     First
	held      batch // what has come during the detection
	ended     [2]bool
	switching int  // how often the decoder was changed for one event
	searching bool // the decoder is for text, because the beginning of a message was not seen
}

// data adds bytes, as far as there is room.
func (s *stream) data(dir Direction, at time.Time, p []byte) {
	r := s.recorder
	s.mu.Lock()
	b := s.waiting()
	if n := min(s.skippable[dir], int64(len(p))); n > 0 {
		s.skippable[dir] -= n
		b.count(event{kind: skip, dir: dir, at: at, n: n})
		p = p[n:]
	}
	n := len(p)
	switch {
	case n == 0:
	case len(b.bytes)+n > maxPending || r.pending.Load() > maxAllPending:
		b.count(event{kind: lost, dir: dir, at: at, n: int64(n)})
		r.undecoded.Add(int64(n))
	default:
		from := len(b.bytes)
		b.bytes = append(b.bytes, p...)
		b.sizes[dir] += int64(n)
		b.events = append(b.events, event{kind: data, dir: dir, at: at, from: from, to: from + n})
		r.pending.Add(int64(n))
	}
	s.unlock(len(b.bytes) > urgent)
}

// add adds an event without bytes.
func (s *stream) add(e event) {
	s.mu.Lock()
	s.waiting().count(e)
	s.unlock(false)
}

// waiting returns the batch that takes the next event.
func (s *stream) waiting() *batch {
	if s.batch == nil {
		s.batch = batches.Get().(*batch)
	}
	return s.batch
}

// unlock releases the mutex and sees that the stream is decoded, soon or now.
func (s *stream) unlock(now bool) {
	scheduled := s.scheduled
	s.scheduled = true
	s.mu.Unlock()
	if !scheduled {
		s.recorder.schedule(s, now)
	} else if now {
		s.recorder.signal()
	}
}

// decode decodes the batch that waits, and queues the stream again if another waits then.
func (s *stream) decode() {
	s.mu.Lock()
	b := s.batch
	s.batch = nil
	s.mu.Unlock()
	if b != nil {
		for i := range b.events {
			s.handle(&b.events[i], b.bytes[b.events[i].from:b.events[i].to])
		}
		s.recorder.pending.Add(-int64(len(b.bytes)))
		b.free()
	}
	s.sink.flush()

	s.mu.Lock()
	s.setSkippable()
	again := s.batch != nil
	s.scheduled = again
	s.mu.Unlock()
	if again {
		s.recorder.schedule(s, false)
	}
}

// setSkippable asks the decoder how many of the bytes that will come it can do without.
func (s *stream) setSkippable() {
	s.skippable = [2]int64{}
	skipper, ok := s.decoder.(Skipper)
	if !ok {
		return
	}
	for dir := range s.skippable {
		s.skippable[dir] = skipper.Skippable(Direction(dir))
		if s.batch != nil {
			s.skippable[dir] -= s.batch.sizes[dir]
		}
	}
}

// handle passes an event to the decoder. If the decoder panics, the connection goes on
// as text.
func (s *stream) handle(e *event, p []byte) {
	defer func() {
		if reason := recover(); reason != nil {
			s.sink.next, s.sink.redetect = nil, false
			s.sink.endAll(e.at, panicked(reason))
			s.decoder, s.held = NewText(&s.sink), batch{}
		}
	}()
	s.switching = 0
	s.pass(e, p)
	if s.ended[ToServer] && s.ended[ToClient] {
		s.settle(true)
		s.sink.endAll(e.at, "The connection was closed before the end.")
	}
}

// pass hands an event to the decoder, or to the detection.
func (s *stream) pass(e *event, p []byte) {
	if e.kind == end {
		s.ended[e.dir] = true
	}
	if s.decoder == nil {
		s.hold(e, p)
		return
	}
	if s.searching && e.kind == data {
		s.resume(e.dir, e.at, p)
	}
	var err error
	switch e.kind {
	case data:
		err = s.decoder.Data(e.dir, e.at, p)
	case skip:
		if skipper, ok := s.decoder.(Skipper); ok {
			skipper.Skip(e.dir, e.at, e.n)
		} else {
			s.decoder.Lost(e.dir, e.at, e.n)
		}
	case lost:
		s.decoder.Lost(e.dir, e.at, e.n)
		_, isText := s.decoder.(*text)
		s.searching = s.searching || isText
	case end:
		s.decoder.End(e.dir, e.at, e.err)
	}
	if err != nil {
		s.sink.endAll(e.at, sentence(err))
		s.sink.next = NewText
	}
	s.change(e.at)
}

// change changes the decoder if the sink was asked to. The next decoder begins with the
// bytes that this one has not shown.
func (s *stream) change(at time.Time) {
	if s.sink.next == nil && !s.sink.redetect {
		return
	}
	if s.switching++; s.switching > 8 { // no connection changes its protocol so often
		s.sink.next, s.sink.redetect = NewText, false
	}
	s.searching = false
	unread := [2][]byte{slices.Clone(s.decoder.Unread(ToServer)), slices.Clone(s.decoder.Unread(ToClient))}
	s.decoder = nil
	if s.sink.next != nil {
		s.decoder = s.sink.next(&s.sink)
	}
	s.sink.next, s.sink.redetect = nil, false
	s.first = First{}
	for dir, p := range unread {
		if len(p) > 0 {
			s.pass(&event{kind: data, dir: Direction(dir), at: at}, p)
		}
	}
}

// hold keeps an event until the protocol is known.
func (s *stream) hold(e *event, p []byte) {
	if e.kind == data {
		first := &s.first.ToServer
		if e.dir == ToClient {
			first = &s.first.ToClient
			s.first.ServerFirst = s.first.ServerFirst || len(s.first.ToServer) == 0
		}
		if len(s.held.events) == 0 { // most connections are known by their first bytes
			*first = p
			if s.settle(false) {
				s.pass(e, p)
				return
			}
			*first = nil
		}
		*first = append(*first, p[:min(len(p), maxFirst-len(*first))]...)
	}
	held := *e
	held.from = len(s.held.bytes)
	s.held.bytes = append(s.held.bytes, p...)
	held.to = len(s.held.bytes)
	s.held.events = append(s.held.events, held)
	full := len(s.held.bytes) >= maxFirst || e.kind == lost || s.ended[ToServer] && s.ended[ToClient]
	if !s.settle(full) {
		return
	}
	b := s.held
	s.held = batch{}
	for i := range b.events {
		s.pass(&b.events[i], b.bytes[b.events[i].from:b.events[i].to])
	}
}

// settle chooses the decoder by the first bytes, and reports whether there is one. If
// final is set, it does not wait for more bytes.
func (s *stream) settle(final bool) bool {
	if s.decoder != nil {
		return true
	}
	more := false
	for _, p := range s.recorder.protocols {
		switch p.Detect(s.first) {
		case Yes:
			s.decoder = p.New(&s.sink)
			return true
		case More:
			more = true
		}
	}
	if more && !final {
		return false
	}
	s.decoder, s.searching = NewText(&s.sink), s.sink.conn.Partial
	return true
}

// notSeen is the problem of text that ends where a decoder resumes.
const notSeen = "The beginning was not seen: the connection was open before, or bytes were lost."

// resume changes from text to the decoder of a protocol whose message p certainly begins.
func (s *stream) resume(dir Direction, at time.Time, p []byte) {
	for _, protocol := range s.recorder.protocols {
		if protocol.Resumes != nil && protocol.Resumes(dir, p) {
			s.sink.endAll(at, notSeen)
			s.decoder, s.searching = protocol.New(&s.sink), false
			return
		}
	}
}
