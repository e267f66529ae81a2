package cli

import (
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

func TestDurationTextRoundsDown(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := history.Event{Kind: monitor.Closed, At: at, OpenedAt: at.Add(-11600 * time.Millisecond), Duration: 11600 * time.Millisecond}
	if got := durationText(e); got != "11s" {
		t.Errorf("11.6 s: got %q, want 11s, as in the notification", got)
	}
}
