package ipc

import (
	"testing"
	"time"

	"porthole/monitor"
)

func TestAgesSurviveClockAdjustments(t *testing.T) {
	const age, step = 5 * time.Minute, 3 * time.Hour
	opened := time.Now().Add(-age)
	agent, window := newClock(), newClock()
	if l := (&monitor.Listener{Since: opened}); agent.toWire(l) != l {
		t.Error("toWire copied a listener although the clock was not adjusted")
	}
	agent.wall, window.wall = agent.wall.Add(step), window.wall.Add(step) // the clock was set after the port was opened
	l := &monitor.Listener{Since: opened}
	sent := *agent.toWire(l)
	if !l.Since.Equal(opened) {
		t.Error("toWire modified its argument")
	}
	sent.Since = sent.Since.Round(0) // as decoded from JSON
	again := sent
	window.fromWire(&sent)
	if got := time.Since(sent.Since); got < age || got > age+time.Minute {
		t.Errorf("got age %v in the window, want %v", got, age)
	}
	window.fromWire(&again)
	if !again.Since.Equal(sent.Since) {
		t.Errorf("two conversions differ: %v and %v", sent.Since, again.Since)
	}
	var zero monitor.Listener
	window.fromWire(&zero)
	window.fromWire(nil)
	if agent.toWire(&zero) != &zero || agent.toWire(nil) != nil || !zero.Since.IsZero() {
		t.Error("a zero time was changed")
	}
}
