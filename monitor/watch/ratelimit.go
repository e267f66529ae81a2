package watch

import (
	"time"
)

// rateLimit counts the alerts about one subject in the current minute.
type rateLimit struct {
	begin      time.Time // start of the minute
	changes    int       // all alerts
	sent       int
	restarts   int
	urgent     int
	summaries  int              // sent before the end of the minute
	suppressed int              // alerts held back since the last summary
	last       Alert            // the newest of those held back
	lastAt     time.Time        // of the newest alert
	gaps       [2]time.Duration // between the newest three alerts
}

// count counts an alert.
func (t *rateLimit) count(now time.Time) {
	if !t.lastAt.IsZero() {
		t.gaps = [2]time.Duration{t.gaps[1], now.Sub(t.lastAt)}
	}
	t.changes, t.lastAt = t.changes+1, now
}

// due returns when to send a summary of suppressed alerts, or to start a new
// minute: at the end of the minute, or when no alert has followed for twice the time
// that was between the newest ones.
func (t *rateLimit) due() time.Time {
	end := t.begin.Add(minute)
	if t.suppressed == 0 || t.summaries >= maxSummariesPerMinute {
		return end
	}
	if settled := t.lastAt.Add(max(minSettleTime, 2*t.gaps[0], 2*t.gaps[1])); settled.Before(end) {
		return settled
	}
	return end
}

// summary returns the last of the suppressed alerts, as the state after all changes
// if there were several.
func (t *rateLimit) summary() Alert {
	last := t.last
	if t.suppressed > 1 { // a single one is reported as itself
		last.Kind, last.Count = Flapping, t.changes
	}
	return last
}
