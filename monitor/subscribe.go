package monitor

import (
	"slices"
	"sync"
)

// maxPending changes waiting for one slow subscriber are told as what they come
// to: memory stays bounded, and the snapshot right.
const maxPending = 10_000

// Subscription gives one consumer what the monitor sees. A slow consumer gets
// the newest snapshot and all changes, merged; the monitor never waits for it.
type Subscription struct {
	// C receives a value when Take has something to give.
	C <-chan struct{}

	c       chan struct{}
	mu      sync.Mutex
	waiting bool
	hasBase bool // from is set
	update  Update
	base    Snapshot // what the consumer has seen
	owner   *subscribers
}

// Take returns what came since the last Take, and false where nothing did. What
// listens in the first snapshot was open before and is no change. It may be
// called from any goroutine.
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
		u.Events = Diff(s.base, u.Snapshot)
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
	last    Update // without its changes
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
