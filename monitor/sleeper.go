package monitor

import "time"

// Sleeper implements Wait and Wake for a Table whose system reports no events.
// Create it with NewSleeper.
type Sleeper struct {
	wake chan struct{}
}

// NewSleeper returns a Sleeper.
func NewSleeper() Sleeper { return Sleeper{make(chan struct{}, 1)} }

// Wait returns after d or after Wake, without a hint.
func (s Sleeper) Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.wake:
	}
	return closed, 0
}

// Wake makes Wait return. It is safe for concurrent use.
func (s Sleeper) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
