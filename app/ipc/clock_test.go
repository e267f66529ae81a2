package ipc

import (
	"testing"
	"time"

	"porthole/monitor"
)

func TestAgesFollowNoClockThatIsSet(t *testing.T) {
	const age, step = 5 * time.Minute, 3 * time.Hour
	opened := time.Now().Add(-age)
	agent, window := newClock(), newClock()
	if l := (&monitor.Listener{Since: opened}); agent.toWire(l) != l {
		t.Error("a row is copied where nobody set the clock")
	}
	agent.wall, window.wall = agent.wall.Add(step), window.wall.Add(step) // somebody set it after the port was opened
	l := &monitor.Listener{Since: opened}
	told := *agent.toWire(l)
	if !l.Since.Equal(opened) {
		t.Error("a listener of a snapshot was changed")
	}
	told.Since = told.Since.Round(0) // as it comes out of JSON
	again := told
	window.fromWire(&told)
	if got := time.Since(told.Since); got < age || got > age+time.Minute {
		t.Errorf("the window says that it is open for %v, want %v", got, age)
	}
	window.fromWire(&again)
	if !again.Since.Equal(told.Since) {
		t.Errorf("told twice it is %v and %v", told.Since, again.Since)
	}
	var none monitor.Listener
	window.fromWire(&none)
	window.fromWire(nil)
	if agent.toWire(&none) != &none || agent.toWire(nil) != nil || !none.Since.IsZero() {
		t.Error("no time became one")
	}
}
