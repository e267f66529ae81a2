package traffic

import (
	"slices"
	"sync"
)

// Store keeps the newest exchanges in bounded memory. It is safe for concurrent use.
type Store struct {
	limits Limits

	mu        sync.Mutex
	ring      []*Exchange // the exchange with ID n is at n%len(ring)
	first     uint64      // the lowest ID that may be kept
	last      uint64      // the highest ID that was assigned
	bodied    uint64      // exchanges with lower IDs have no bodies
	bodies    int64       // bytes of bodies that are kept
	heads     int64       // bytes of headers that are kept
	stats     Stats
	paused    bool
	watchers  []chan struct{}
	followers []*func(*Exchange)
}

// Stats counts what a store has seen since the start or the last Clear.
type Stats struct {
	Exchanges        int    // kept
	Ended            uint64 // whether kept or not
	Bodies           int64  // bytes of bodies that are kept
	DroppedExchanges uint64 // dropped to keep within the limits
	DroppedBodies    uint64 // exchanges whose bodies were dropped
}

// NewStore returns an empty store. Limits that are 0 have their defaults.
func NewStore(limits Limits) *Store {
	if limits.Body == 0 {
		limits.Body = MaxBody
	}
	if limits.Bodies == 0 {
		limits.Bodies = MaxBodies
	}
	if limits.Exchanges == 0 {
		limits.Exchanges = MaxExchanges
	}
	return &Store{limits: limits, ring: make([]*Exchange, limits.Exchanges), first: 1, bodied: 1}
}

// Limits returns the limits that apply.
func (s *Store) Limits() Limits { return s.limits }

// List returns the kept exchanges in the order in which they began.
func (s *Store) List() []*Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Exchange, 0, s.stats.Exchanges)
	for id := s.first; id <= s.last; id++ {
		if e := *s.slot(id); e != nil {
			list = append(list, e)
		}
	}
	return list
}

// Get returns the newest state of the exchange with this ID, or nil if it is not kept.
func (s *Store) Get(id uint64) *Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < s.first || id > s.last {
		return nil
	}
	return *s.slot(id)
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Bodies = s.bodies
	return stats
}

// Add adds exchanges that were not recorded here, such as those of a file. Their IDs are
// replaced, in those of their messages too.
func (s *Store) Add(exchanges ...Exchange) {
	ids := map[uint64]uint64{}
	for _, e := range exchanges {
		id := s.nextID()
		ids[e.ID] = id
		e.ID, e.Parent = id, ids[e.Parent]
		s.put(&e)
	}
}

// Clear removes all exchanges, including those that last.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ring)
	s.first, s.bodied = s.last+1, s.last+1
	s.bodies, s.heads, s.stats = 0, 0, Stats{}
	s.notify()
}

// SetPaused makes the store ignore the exchanges that begin from now on, or ends that.
// Exchanges that began before are completed.
func (s *Store) SetPaused(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = paused
}

// Watch returns a channel that receives a value after changes, many of which may be
// merged into one value. stop ends that.
func (s *Store) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, c)
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers = slices.DeleteFunc(s.watchers, func(w chan struct{}) bool { return w == c })
	}
}

// Follow calls f with each exchange that ends, kept or not. The calls come from the
// goroutines that decode, several at once, and f should return soon: while it does not,
// bytes may be left undecoded. stop ends the calls.
func (s *Store) Follow(f func(*Exchange)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers = append(slices.Clip(s.followers), &f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.followers = slices.DeleteFunc(slices.Clone(s.followers), func(g *func(*Exchange)) bool { return g == &f })
	}
}

// nextID assigns an ID; 0 while the store is paused.
func (s *Store) nextID() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused {
		return 0
	}
	s.last++
	if s.last-s.first >= uint64(len(s.ring)) {
		s.dropFirst()
	}
	return s.last
}

// put stores the newest state of an exchange. e must not be changed afterwards.
func (s *Store) put(e *Exchange) {
	if e.ID == 0 {
		return
	}
	s.mu.Lock()
	followers := s.followers
	if !e.Ended.IsZero() {
		s.stats.Ended++
	}
	if e.ID >= s.first {
		slot := s.slot(e.ID)
		s.account(*slot, -1)
		*slot = e
		s.account(e, 1)
		s.bodied = min(s.bodied, e.ID)
		s.keepLimits()
	}
	s.notify()
	s.mu.Unlock()
	if !e.Ended.IsZero() {
		for _, f := range followers {
			(*f)(e)
		}
	}
}

func (s *Store) slot(id uint64) **Exchange { return &s.ring[id%uint64(len(s.ring))] }

// account adds e to what is kept, or with sign -1 removes it. e may be nil.
func (s *Store) account(e *Exchange, sign int64) {
	if e == nil {
		return
	}
	s.stats.Exchanges += int(sign)
	s.bodies += sign * bodyBytes(e)
	s.heads += sign * headBytes(e)
}

func bodyBytes(e *Exchange) int64 { return int64(cap(e.Request.Body) + cap(e.Answer.Body)) }

func headBytes(e *Exchange) int64 {
	n := len(e.Path) + len(e.Request.Head) + len(e.Answer.Head)
	for _, fields := range [][]Field{e.Request.Fields, e.Request.Trailer, e.Answer.Fields, e.Answer.Trailer} {
		for _, f := range fields {
			n += len(f.Name) + len(f.Value)
		}
	}
	return int64(n)
}

// keepLimits drops the oldest bodies and exchanges that are too many.
func (s *Store) keepLimits() {
	for ; s.bodies > s.limits.Bodies && s.bodied <= s.last; s.bodied++ {
		if slot := s.slot(s.bodied); *slot != nil && bodyBytes(*slot) > 0 {
			e := **slot
			s.bodies -= bodyBytes(&e)
			e.Request.drop()
			e.Answer.drop()
			*slot = &e
			s.stats.DroppedBodies++
		}
	}
	for s.heads > maxHeads && s.first <= s.last {
		s.dropFirst()
	}
}

func (m *Message) drop() {
	m.Dropped = m.Dropped || len(m.Body) > 0
	m.Body = nil
}

// dropFirst drops the oldest exchange.
func (s *Store) dropFirst() {
	slot := s.slot(s.first)
	if *slot != nil {
		s.stats.DroppedExchanges++
	}
	s.account(*slot, -1)
	*slot = nil
	s.first++
	s.bodied = max(s.bodied, s.first)
}

func (s *Store) notify() {
	for _, w := range s.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}
