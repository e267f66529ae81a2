package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

// of is a listener of a program, "node" in /home/a/shop, say.
func of(id string, port uint16, program, folder string) *monitor.Listener {
	l := listener("127.0.0.1", port)
	l.ID = id
	if program != "" {
		l.Owners = []monitor.Owner{{PID: 7, Start: 7, Name: program, Program: "/bin/" + program, Folder: folder, Command: []string{program, "serve"}, User: "a"}}
	}
	return l
}

func exposed(l *monitor.Listener) *monitor.Listener {
	open := *l
	open.Addresses, open.Reach = listener("0.0.0.0", l.Port).Addresses, monitor.TheNetwork
	return &open
}

func on(kind monitor.Kind, l *monitor.Listener) monitor.Change {
	return monitor.Change{Kind: kind, Listener: l}
}

// toldWords writes alerts as "kind port", with the port before where it is another.
func toldWords(alerts []Alert) string {
	var words []string
	for _, a := range alerts {
		w := fmt.Sprint(a.Kind, " ", a.Listener.Port)
		if a.Before != nil && a.Before.Port != a.Listener.Port {
			w += fmt.Sprint("<", a.Before.Port)
		}
		if a.Count > 0 {
			w += fmt.Sprint(" x", a.Count)
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

// play is a Watcher with a clock that a test moves.
type play struct {
	*testing.T
	w   *Watcher
	now time.Time
}

func newPlay(t *testing.T, rules ...Rule) *play {
	return &play{t, NewWatcher(rules, DefaultGrace), time.Unix(1000, 0)}
}

// see takes changes and fails where something else is told.
func (p *play) see(want string, changes ...monitor.Change) {
	p.Helper()
	for i := range changes {
		changes[i].At = p.now
	}
	if got := toldWords(p.w.Take(p.now, changes)); got != want {
		p.Errorf("at %v told %q, want %q", p.now.Sub(time.Unix(1000, 0)), got, want)
	}
}

// later lets time pass as the agent does: Due is called when Next says.
func (p *play) later(d time.Duration, want string) {
	p.Helper()
	var got []string
	for end := p.now.Add(d); ; {
		next := p.w.Next()
		if next.IsZero() || next.After(end) {
			p.now = end
			break
		}
		if next.After(p.now) {
			p.now = next
		}
		if words := toldWords(p.w.Due(p.now)); words != "" {
			got = append(got, words)
		}
	}
	if words := strings.Join(got, ", "); words != want {
		p.Errorf("until %v told %q, want %q", p.now.Sub(time.Unix(1000, 0)), words, want)
	}
}

func matching(t *testing.T, pattern, ports string) Rule {
	t.Helper()
	r := rule(t, pattern, "1")
	r.Ports = nil
	if ports != "" {
		r = rule(t, pattern, ports)
	}
	var err error
	if r.Match, err = ParsePattern(pattern); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnOpeningIsToldAtOnceAndACloseAfterTheGrace(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	node := of("a", 3000, "node", "/shop")
	p.see("opened 3000", on(monitor.Opened, node))
	p.later(10*time.Second, "")
	p.see("", on(monitor.Closed, node))
	p.later(DefaultGrace-time.Millisecond, "")
	p.later(time.Millisecond, "closed 3000")
	p.later(time.Hour, "")
	if !p.w.Next().IsZero() {
		t.Error("something waits for ever")
	}
}

func TestARestartIsOneAlert(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	p.see("", on(monitor.Closed, of("a", 3000, "node", "/shop")))
	p.later(2*time.Second, "")
	p.see("restarted 3000", on(monitor.Opened, of("b", 3000, "node", "/shop")))
	p.later(time.Hour, "")
}

func TestClosedAndOpenedInOneUpdateIsARestart(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	p.see("restarted 3000", on(monitor.Closed, of("a", 3000, "node", "/shop")), on(monitor.Opened, of("b", 3000, "node", "/shop")))
}

func TestARestartWaitsUntilItIsKnownWhoseItIs(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	p.see("", on(monitor.Closed, of("a", 3000, "node", "/shop")))
	p.see("", on(monitor.Opened, of("b", 3000, "", "")))
	p.see("restarted 3000", on(monitor.Updated, of("b", 3000, "node", "/shop")))
	p.see("", on(monitor.Updated, of("b", 3000, "node", "/shop")))
	p.later(time.Hour, "")
}

func TestAnotherServiceOnThePortIsAChangeOfHands(t *testing.T) {
	p := newPlay(t, rule(t, "", "5432"))
	p.see("", on(monitor.Closed, of("a", 5432, "postgres", "/")))
	p.see("changed 5432", on(monitor.Opened, of("b", 5432, "python3", "/")))
	closesOnly := rule(t, "", "5432")
	closesOnly.Tell = Closes
	p = newPlay(t, closesOnly)
	p.see("", on(monitor.Closed, of("a", 5432, "postgres", "/")))
	p.see("closed 5432", on(monitor.Opened, of("b", 5432, "python3", "/")))
}

func TestTheSameServiceWithAnotherReach(t *testing.T) {
	p := newPlay(t, rule(t, "", "8080"))
	node := of("a", 8080, "node", "/shop")
	p.see("", on(monitor.Closed, node))
	p.see("exposed 8080", on(monitor.Opened, exposed(of("b", 8080, "node", "/shop"))))
	p.see("", on(monitor.Closed, exposed(of("b", 8080, "node", "/shop"))))
	p.see("restarted 8080", on(monitor.Opened, of("c", 8080, "node", "/shop")))
	p.see("exposed 8080", monitor.Change{Kind: monitor.ReachChanged, Listener: exposed(node), Before: node})
	p.see("", monitor.Change{Kind: monitor.ReachChanged, Listener: node, Before: exposed(node)})
}

func TestWhatARuleTellsOf(t *testing.T) {
	node, python := of("a", 3000, "node", "/shop"), of("a", 3000, "python3", "/shop")
	changes := map[string]monitor.Change{
		"open":    on(monitor.Opened, node),
		"close":   on(monitor.Closed, node),
		"hands":   {Kind: monitor.OwnerChanged, Listener: python, Before: node},
		"reach":   {Kind: monitor.ReachChanged, Listener: exposed(node), Before: node},
		"at once": on(monitor.Opened, exposed(node)),
		"found":   on(monitor.Found, node),
		"dropped": on(monitor.Dropped, node),
		"updated": {Kind: monitor.Updated, Listener: node, Before: node},
		"udp":     on(monitor.Opened, &monitor.Listener{Protocol: monitor.UDP, Port: 3000, Addresses: node.Addresses}),
		"lan":     on(monitor.Opened, listener("192.168.1.2", 3000)),
	}
	for tell, want := range map[Tell]string{
		0:       "open opened, close closed, hands changed, reach exposed, at once opened",
		Opens:   "open opened, at once opened",
		Closes:  "close closed",
		Hands:   "hands changed",
		Network: "reach exposed, at once exposed",
	} {
		var got []string
		for _, name := range []string{"open", "close", "hands", "reach", "at once", "found", "dropped", "updated", "udp", "lan"} {
			r := rule(t, "", "3000")
			r.Tell = tell
			w := NewWatcher(Rules{r}, time.Second)
			now := time.Unix(1000, 0)
			for _, a := range append(w.Take(now, []monitor.Change{changes[name]}), w.Due(now.Add(time.Second))...) {
				got = append(got, fmt.Sprint(name, " ", a.Kind))
			}
		}
		if words := strings.Join(got, ", "); words != want {
			t.Errorf("tell %b: %s; want %s", tell, words, want)
		}
	}
}

func TestOverlappingRulesTellOnce(t *testing.T) {
	opens := rule(t, "first", "3000")
	opens.Tell = Opens
	off := rule(t, "off", "3000-3999")
	off.Off = true
	w := NewWatcher(Rules{off, opens, rule(t, "second", "3000-3999")}, 0)
	now := time.Unix(1000, 0)
	node := of("a", 3000, "node", "/")
	opened := w.Take(now, []monitor.Change{on(monitor.Opened, node)})
	w.Take(now, []monitor.Change{on(monitor.Closed, node)})
	closed := w.Due(now)
	if len(opened) != 1 || opened[0].Rule.Name != "first" || len(closed) != 1 || closed[0].Rule.Name != "second" {
		t.Errorf("opened by %+v, closed by %+v; want the first rule that tells of it, once", opened, closed)
	}
}

func TestAFollowedServiceMoves(t *testing.T) {
	p := newPlay(t, matching(t, "vite ~?/shop", ""))
	p.see("", on(monitor.Opened, of("x", 4000, "postgres", "/shop")))
	p.see("", on(monitor.Opened, of("a", 63101, "", ""))) // whose it is comes later
	p.see("opened 63101", on(monitor.Updated, of("a", 63101, "vite", "/home/a/shop")))
	p.later(time.Hour, "")
	p.see("", on(monitor.Closed, of("a", 63101, "vite", "/home/a/shop")))
	p.see("moved 63102<63101", on(monitor.Opened, of("b", 63102, "vite", "/home/a/shop")))
	p.later(time.Hour, "")
	p.see("", on(monitor.Closed, of("b", 63102, "vite", "/home/a/shop")))
	p.see("", on(monitor.Opened, of("c", 63103, "vite", "/home/b/blog")))
	p.later(time.Hour, "closed 63102")
}

func TestAPatternNarrowsAPort(t *testing.T) {
	p := newPlay(t, matching(t, "node", "3000"))
	p.see("", on(monitor.Opened, of("a", 3000, "python3", "/")))
	p.see("", on(monitor.Opened, of("b", 3001, "node", "/")))
	p.see("opened 3000", on(monitor.Opened, of("c", 3000, "node", "/")))
	p.see("", on(monitor.Opened, of("d", 3000, "", "")))
	p.see("", on(monitor.Closed, of("d", 3000, "", ""))) // before anyone knew whose
	p.see("", on(monitor.Updated, of("d", 3000, "node", "/")))
	p.later(time.Hour, "")
}

func TestAFlappingPortIsToldOnceAndThenCounted(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	node := func() *monitor.Listener { return of("a", 3000, "node", "/shop") }
	p.see("restarted 3000", on(monitor.Closed, node()), on(monitor.Opened, node()))
	for range 29 {
		p.later(time.Second, "")
		p.see("", on(monitor.Closed, node()), on(monitor.Opened, node()))
	}
	p.later(31*time.Second, "flapped 3000 x29")
	p.later(time.Hour, "")
	p.see("restarted 3000", on(monitor.Closed, node()), on(monitor.Opened, node()))
}

func TestAtMostAFewAMinuteForOnePort(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000-3001"))
	total := 0
	for range 60 { // slower than the grace time: each is an opening and a close
		total += len(p.w.Take(p.now, []monitor.Change{on(monitor.Opened, of("a", 3000, "node", "/"))}))
		p.w.Take(p.now, []monitor.Change{on(monitor.Closed, of("a", 3000, "node", "/"))})
		p.now = p.now.Add(5 * time.Second)
		total += len(p.w.Due(p.now))
	}
	if total > 25 { // five minutes
		t.Errorf("%d alerts in five minutes, want at most five a minute", total)
	}
	p.see("opened 3001", on(monitor.Opened, of("b", 3001, "node", "/")))
}

func TestRulesThatChangeWhileACloseWaits(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	p.see("", on(monitor.Closed, of("a", 3000, "node", "/")))
	p.w.SetRules(Rules{rule(t, "", "3001")}, DefaultGrace)
	p.later(time.Hour, "")
}

func TestAHiddenOwnersRestart(t *testing.T) {
	p := newPlay(t, rule(t, "", "631"))
	cups := func(id string) *monitor.Listener {
		l := listener("127.0.0.1", 631)
		l.ID, l.User, l.Hidden, l.Origin = id, "root", monitor.HiddenForeign, monitor.Origin{Unit: "cups.service"}
		return l
	}
	p.see("", on(monitor.Closed, cups("a")))
	p.see("restarted 631", on(monitor.Opened, cups("b")))
	other := cups("c")
	other.Unit = "evil.service"
	p.later(time.Hour, "")
	p.see("", on(monitor.Closed, cups("b")))
	p.see("changed 631", on(monitor.Opened, other))
}

func TestAnAlarmIsNotCrowdedOut(t *testing.T) {
	p := newPlay(t, rule(t, "", "3000"))
	node := func() *monitor.Listener { return of("a", 3000, "node", "/shop") }
	p.see("restarted 3000", on(monitor.Closed, node()), on(monitor.Opened, node()))
	for range 10 {
		p.see("", on(monitor.Closed, node()), on(monitor.Opened, node()))
	}
	p.see("changed 3000", on(monitor.Closed, node()), on(monitor.Opened, of("b", 3000, "evil", "/tmp")))
	p.see("exposed 3000", monitor.Change{Kind: monitor.ReachChanged, Listener: exposed(node()), Before: node()})
	p.later(time.Minute, "flapped 3000 x10")
	for range 10 { // but those are limited too
		p.w.Take(p.now, []monitor.Change{{Kind: monitor.OwnerChanged, Listener: node(), Before: node()}})
	}
	p.see("", monitor.Change{Kind: monitor.OwnerChanged, Listener: node(), Before: node()})
}

// withSockets is l with these sockets: a server on two addresses is two rows
// until its owner is found.
func withSockets(l *monitor.Listener, ids ...monitor.SocketID) *monitor.Listener {
	k := *l
	for _, id := range ids {
		k.Sockets = append(k.Sockets, monitor.HeldSocket{Socket: monitor.Socket{ID: id}})
	}
	return &k
}

func TestRowsThatJoinWhenTheirOwnerIsFoundAreToldOnce(t *testing.T) {
	p := newPlay(t, matching(t, "node", ""))
	a, b := withSockets(of("a", 3000, "", ""), 1), withSockets(of("b", 3000, "", ""), 2)
	p.see("", on(monitor.Opened, a), on(monitor.Opened, b))
	both := withSockets(of("a", 3000, "node", "/shop"), 1, 2)
	p.see("opened 3000",
		monitor.Change{Kind: monitor.Updated, Listener: both, Before: b}, monitor.Change{Kind: monitor.Updated, Listener: both, Before: a})
	if len(p.w.nameless) > 0 {
		t.Errorf("%d rows wait for a name for ever", len(p.w.nameless))
	}
}

func TestARowThatJoinsOneThatWasToldIsNoOpening(t *testing.T) {
	p := newPlay(t, matching(t, "node", ""))
	a, b := withSockets(of("a", 3000, "node", "/shop"), 1), withSockets(of("b", 3000, "", ""), 2)
	p.see("opened 3000", on(monitor.Opened, a), on(monitor.Opened, b))
	both := withSockets(of("a", 3000, "node", "/shop"), 1, 2)
	p.see("", monitor.Change{Kind: monitor.Updated, Listener: both, Before: b}, monitor.Change{Kind: monitor.Updated, Listener: both, Before: a})
	if len(p.w.nameless) > 0 {
		t.Errorf("%d rows wait for a name for ever", len(p.w.nameless))
	}
}

func TestRowsThatSplitWhenTheirOwnersAreFoundAreBothTold(t *testing.T) {
	p := newPlay(t, matching(t, "node", ""))
	both := withSockets(of("a", 3000, "", ""), 1, 2)
	p.see("", on(monitor.Opened, both))
	a, b := withSockets(of("a", 3000, "node", "/shop"), 1), withSockets(of("b", 3000, "node", "/blog"), 2)
	p.see("opened 3000, opened 3000",
		monitor.Change{Kind: monitor.Updated, Listener: b, Before: both}, monitor.Change{Kind: monitor.Updated, Listener: a, Before: both})
}

func TestAnOwnerThatIsFoundAsTheReachChangesIsToldAsAnOpening(t *testing.T) {
	p := newPlay(t, matching(t, "node", ""))
	a := of("a", 3000, "", "")
	p.see("", on(monitor.Opened, a))
	p.see("opened 3000", monitor.Change{Kind: monitor.ReachChanged, Listener: exposed(of("a", 3000, "node", "/shop")), Before: a})
}
