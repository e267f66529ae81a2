package monitor

import "time"

// Sleeper is the Wait, Follow, Wake, Still and Unchanged of a Table whose system gives
// no hints: it looks again after a while. Create it with NewSleeper.
type Sleeper struct {
	wake chan struct{}
}

// NewSleeper returns a Sleeper.
func NewSleeper() Sleeper { return Sleeper{make(chan struct{}, 1)} }

// Follow does nothing: nobody tells.
func (s Sleeper) Follow([]int) {}

// Still knows nothing.
func (s Sleeper) Still() bool { return false }

// Unchanged knows nothing.
func (s Sleeper) Unchanged(bool) bool { return false }

// Wait returns after d or after Wake. It has no hints.
func (s Sleeper) Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.wake:
	}
	return closed, 0
}

// Wake lets Wait return. It may be called from any goroutine.
func (s Sleeper) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
