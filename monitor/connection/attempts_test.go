package connection

import (
	"testing"
	"time"

	"porthole/monitor"
)

func TestAttempts(t *testing.T) {
	ports := monitor.Ports{{First: 3000, Last: 3001}}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var a Attempts
	a.Add(at(0), 3000, true) // "localhost": ::1 and 127.0.0.1
	a.Add(at(0), 3000, false)
	a.Add(at(1), 3000, false)
	a.Add(at(50), 3000, false)
	a.Add(at(50), 3001, true)
	check := func(what string, got []Burst, want ...Burst) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: got %+v, want %+v", what, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: got %+v, want %+v", what, got[i], want[i])
			}
		}
	}
	current, ended := a.Take(at(50), ports)
	check("current", current, Burst{3000, at(0), at(50), 3, 3}, Burst{3001, at(50), at(50), 1, 1})
	check("ended", ended)
	current, _ = a.Take(at(100), ports)
	check("half a minute later", current, Burst{3000, at(0), at(50), 3, 1}, Burst{3001, at(50), at(50), 1, 1})
	current, ended = a.Take(at(100), ports[:0])
	check("no longer closed", current)
	check("no longer closed", ended, Burst{3000, at(0), at(50), 3, 1}, Burst{3001, at(50), at(50), 1, 1})
	if !a.Empty() {
		t.Error("ended bursts are kept")
	}
	a.Add(at(200), 3000, false)
	_, ended = a.Take(at(261), ports)
	check("after a pause", ended, Burst{3000, at(200), at(200), 1, 0})
	for s := 300; s < 300+2*3600; s += 30 {
		a.Add(at(s), 3000, false)
		if _, ended = a.Take(at(s), ports); len(ended) > 0 {
			check("after an hour", ended, Burst{3000, at(300), at(s), 122, 3})
			break
		}
	}
}
