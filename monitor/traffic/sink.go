package traffic

import (
	"slices"
	"time"
)

// Sink takes the exchanges of one connection from its decoder. It belongs to the
// goroutine that runs the decoder.
type Sink struct {
	store    *Store
	conn     *Connection
	limits   Limits
	open     []lasting
	next     func(*Sink) Decoder // set by Handover
	redetect bool
	used     bool // there was an exchange
}

// lasting is an exchange that lasts.
type lasting struct {
	exchange *Exchange
	changed  bool
}

// Begin starts an exchange. The decoder may change what Begin returns until it calls
// End. Changes are published after Changed, together with those that follow at once.
func (s *Sink) Begin(e Exchange) *Exchange {
	e.ID, e.Conn = s.store.nextID(), s.conn
	s.used = true
	exchange := &e
	s.open = append(s.open, lasting{exchange, true})
	return exchange
}

// Changed publishes the state of e soon.
func (s *Sink) Changed(e *Exchange) {
	for i := range s.open {
		if s.open[i].exchange == e {
			s.open[i].changed = true
		}
	}
}

// End publishes e, which must not be changed afterwards. Later calls have no effect.
func (s *Sink) End(e *Exchange, at time.Time) {
	i := slices.IndexFunc(s.open, func(o lasting) bool { return o.exchange == e })
	if i < 0 {
		return
	}
	s.open = slices.Delete(s.open, i, i+1)
	e.Ended = at
	s.store.put(e)
}

// Handover makes the decoder that create returns decode all bytes that follow. The
// decoder that calls it gets no more. Its Unread bytes are passed on.
func (s *Sink) Handover(create func(*Sink) Decoder) { s.next = create }

// Redetect makes the bytes that follow be detected like those of a new connection. The
// Unread bytes are passed on.
func (s *Sink) Redetect() { s.redetect = true }

// AppendBody adds bytes of a body to m, as far as the limit permits, and counts them.
func (s *Sink) AppendBody(m *Message, p []byte) {
	m.BodySize += int64(len(p))
	if room := s.limits.Body - len(m.Body); room > 0 {
		m.Body = append(m.Body, p[:min(room, len(p))]...)
	}
}

// flush publishes the changed exchanges that last.
func (s *Sink) flush() {
	for i := range s.open {
		if s.open[i].changed {
			s.open[i].changed = false
			e := *s.open[i].exchange
			s.store.put(&e)
		}
	}
}

// endAll ends the exchanges that last, with a problem if they have none.
func (s *Sink) endAll(at time.Time, problem string) {
	for len(s.open) > 0 {
		e := s.open[0].exchange
		if e.Problem == "" {
			e.Problem = problem
		}
		s.End(e, at)
	}
}

// Limits returns what is kept of exchanges.
func (s *Sink) Limits() Limits { return s.limits }
