package lastowner

import (
	"errors"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

var start = time.Date(2026, 3, 10, 14, 0, 0, 0, time.UTC)

func closing(name string, at time.Time) monitor.Event {
	l := &monitor.Listener{ID: "a", Port: 62893, Protocol: monitor.TCP, Since: at.Add(-time.Minute), Owners: []monitor.Owner{{PID: 7, Name: name}}}
	return monitor.Event{At: at, Kind: monitor.Closed, Listener: l}
}

func tenure(name string, to time.Time) history.Tenure {
	return history.Tenure{Owner: history.Owner{PID: 7, Name: name}, From: to.Add(-time.Minute), To: to}
}

func TestBook(t *testing.T) {
	port := Port{monitor.TCP, 62893}
	type answer struct {
		tenure history.Tenure
		known  bool
		err    error
	}
	for _, c := range []struct {
		what    string
		events  []monitor.Event
		after   time.Duration // since start
		answer  answer
		asked   bool
		name    string // "" for unknown
		never   bool
		changed bool
	}{
		{"in the history", nil, 0, answer{tenure: tenure("postgres", start), known: true}, true, "postgres", false, true},
		{"never open", nil, 0, answer{}, true, "", true, true},
		{"unreadable history", nil, 0, answer{err: errors.New("no")}, true, "", false, false},
		{"just closed", []monitor.Event{closing("node", start)}, 0, answer{tenure: tenure("postgres", start.Add(-time.Hour)), known: true}, false, "node", false, false},
		{"the history lags behind", []monitor.Event{closing("node", start)}, HistoryDelay, answer{tenure: tenure("postgres", start.Add(-time.Hour)), known: true}, true, "node", false, false},
		{"the history knows it better", []monitor.Event{closing("node", start)}, HistoryDelay, answer{tenure: tenure("deno", start), known: true}, true, "deno", false, true},
		{"not stored", []monitor.Event{closing("node", start)}, HistoryDelay, answer{}, true, "node", false, false},
	} {
		asked, changed := false, false
		b := New(func(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error)) {
			number, single := ports.Single()
			asked = single && Port{protocol, number} == port
			done(c.answer.tenure, c.answer.known, c.answer.err)
		}, func() { changed = true })
		b.Observe(c.events)
		last, never := b.Last(port, start.Add(c.after))
		name := ""
		if last != nil {
			name = last.Owner.Name
		}
		if name != c.name || never != c.never || asked != c.asked || changed != c.changed {
			t.Errorf("%s: got %q, never %t, asked %t, changed %t, want %q, %t, %t, %t", c.what, name, never, asked, changed, c.name, c.never, c.asked, c.changed)
		}
		asked = false
		if b.Last(port, start.Add(c.after)); asked {
			t.Errorf("%s: asked again although nothing has changed", c.what)
		}
	}
}

// A tenure begins when its owner took the port, not when the port opened.
func TestTenureBeginsWithItsOwner(t *testing.T) {
	end := closing("node", start)
	b := New(nil, func() {})
	b.Observe([]monitor.Event{{At: start.Add(-10 * time.Second), Kind: monitor.OwnerChanged, Listener: end.Listener, Before: end.Listener}, end})
	if last, _ := b.Last(Port{monitor.TCP, 62893}, start); last == nil || !last.From.Equal(start.Add(-10*time.Second)) {
		t.Errorf("got %+v, want the time of the change of owner", last)
	}
}

// The last owner of several ports is that of the port that closed last, also if the history does
// not contain its end yet. However many ports there are, the history is asked once.
func TestLastOfSeveralPorts(t *testing.T) {
	asked := ""
	b := New(func(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error)) {
		asked += string(protocol) + " " + ports.String() + ";"
		last := tenure("deno", start.Add(-time.Hour))
		last.Port = 40002
		done(last, ports.Contains(40002), nil)
	}, func() {})
	ports := monitor.Ports{{First: 40000, Last: 49999}, {First: 62893, Last: 62893}}
	for range 2 {
		if last, never := b.LastOf(monitor.TCP, ports, start); never || last == nil || last.Owner.Name != "deno" || last.Port != 40002 {
			t.Errorf("from the history: got %+v, never %t, want deno on 40002", last, never)
		}
	}
	if asked != "tcp 40000-49999, 62893;" {
		t.Errorf("asked the history for %q, want once for all ports", asked)
	}
	b.Observe([]monitor.Event{closing("node", start)})
	if last, _ := b.LastOf(monitor.TCP, ports, start); last == nil || last.Owner.Name != "node" || last.Port != 62893 {
		t.Errorf("just closed: got %+v, want node on 62893", last)
	}
	if last, _ := b.LastOf(monitor.UDP, ports, start); last == nil || last.Owner.Name != "deno" {
		t.Errorf("another protocol: got %+v, want what the history has", last)
	}
	if last, never := b.LastOf(monitor.TCP, monitor.Ports{{First: 1, Last: 1000}}, start); last != nil || !never {
		t.Errorf("ports that were never open: got %+v, never %t", last, never)
	}
}

func TestErasedHistory(t *testing.T) {
	known := true
	b := New(func(_ monitor.Protocol, _ monitor.Ports, done func(history.Tenure, bool, error)) {
		done(tenure("postgres", start), known, nil)
	}, func() {})
	port := Port{monitor.TCP, 62893}
	b.Last(port, start)
	known = false
	if last, _ := b.Last(port, start); last == nil {
		t.Error("the last owner is forgotten although nobody asked again")
	}
	b.Recheck()
	if last, never := b.Last(port, start); last != nil || never {
		t.Errorf("after Recheck: got %+v, never %t, want that it is unknown", last, never)
	}
	b.Observe([]monitor.Event{closing("node", start)})
	b.Recheck()
	if last, _ := b.Last(port, start); last == nil || last.Owner.Name != "node" {
		t.Errorf("just closed: got %+v, want node, because the history lags behind", last)
	}
}

func TestForgottenPortIsAskedAgain(t *testing.T) {
	var answers []func(history.Tenure, bool, error)
	b := New(func(_ monitor.Protocol, _ monitor.Ports, done func(history.Tenure, bool, error)) {
		answers = append(answers, done)
	}, func() {})
	port := Port{monitor.TCP, 62893}
	b.Last(port, start)
	b.Keep(func(Port) bool { return false })
	answers[0](tenure("postgres", start), true, nil) // late
	if len(b.ports) != 0 {
		t.Error("a late answer brought a forgotten port back")
	}
	if b.Last(port, start); len(answers) != 2 {
		t.Errorf("got %d questions, want 2", len(answers))
	}
}
