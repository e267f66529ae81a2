package monitor

import (
	"slices"
	"sync"
)

// maxPending limits the events waiting for a slow subscriber. Beyond it the queue
// is replaced by the difference between two snapshots: memory stays bounded, and
// the snapshot is right.
const maxPending = 10_000

// Subscription receives the monitor's updates for one consumer. A slow consumer
// gets the newest snapshot and all events, merged into one update; the monitor
// never waits for it.
type Subscription struct {
	// C receives a value when Take has an update to return.
	C <-chan struct{}

	c       chan struct{}
	mu      sync.Mutex
	waiting bool
	hasBase bool // base is set
	update  Update
	base    Snapshot // the last snapshot that the consumer took
	owner   *subscribers
}

// Take returns what was published since the last call of Take, and false if
// nothing was. The listeners of the first snapshot were open before, so it comes
// without events. Take is safe for concurrent use.
func (s *Subscription) Take() (Update, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting {
		return Update{}, false
	}
	u := s.update
	s.base, s.waiting = u.Snapshot, false
	s.update.Events = nil
	return u, true
}

// Close ends the subscription.
func (s *Subscription) Close() { s.owner.remove(s) }

func (s *Subscription) put(u Update) {
	s.mu.Lock()
	if !s.hasBase {
		s.base, s.hasBase = u.Snapshot, u.Ready
	}
	u.Events = append(s.update.Events, u.Events...)
	if len(u.Events) > maxPending {
		u.Events = Coalesce(s.base, u.Snapshot, u.Events)
	}
	s.update, s.waiting = u, true
	s.mu.Unlock()
	select {
	case s.c <- struct{}{}:
	default:
	}
}

// subscribers is the set of subscriptions.
type subscribers struct {
	mu      sync.Mutex
	all     []*Subscription
	started bool
	last    Update // without its events
}

func (b *subscribers) add() *Subscription {
	c := make(chan struct{}, 1)
	s := &Subscription{C: c, c: c, owner: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, s)
	if b.started {
		s.put(b.last)
	}
	return s
}

func (b *subscribers) remove(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = slices.DeleteFunc(b.all, func(x *Subscription) bool { return x == s })
}

func (b *subscribers) publish(u Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.all {
		s.put(u)
	}
	b.started, b.last = true, u
	b.last.Events = nil
}
