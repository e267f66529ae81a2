package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

// newListener returns a listener of a program, such as "node" in /home/a/shop.
func newListener(id string, port uint16, program, folder string) *monitor.Listener {
	l := listener("127.0.0.1", port)
	l.ID = id
	if program != "" {
		l.Owners = []monitor.Owner{{PID: 7, Start: 7, Name: program, Program: "/bin/" + program, Folder: folder, Command: []string{program, "serve"}, User: "a"}}
	}
	return l
}

func exposed(l *monitor.Listener) *monitor.Listener {
	open := *l
	open.Addresses, open.Exposure = listener("0.0.0.0", l.Port).Addresses, monitor.ExposureNetwork
	return &open
}

func eventOf(kind monitor.Kind, l *monitor.Listener) monitor.Event {
	return monitor.Event{Kind: kind, Listener: l}
}

// alertsText formats alerts as "kind port", with the previous port if it differs.
func alertsText(alerts []Alert) string {
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

// script is a Watcher with a clock that the test controls.
type script struct {
	*testing.T
	w   *Watcher
	now time.Time
}

func newScript(t *testing.T, rules ...Rule) *script {
	return &script{t, NewWatcher(rules, DefaultGrace), time.Unix(1000, 0)}
}

// events passes events to the watcher and fails if the alerts are not want.
func (p *script) events(want string, events ...monitor.Event) {
	p.Helper()
	for i := range events {
		events[i].At = p.now
	}
	if got := alertsText(p.w.Handle(p.now, events)); got != want {
		p.Errorf("at %v: got %q, want %q", p.now.Sub(time.Unix(1000, 0)), got, want)
	}
}

// after advances the clock as the agent does: it calls Due at the times that NextDue
// returns.
func (p *script) after(d time.Duration, want string) {
	p.Helper()
	var got []string
	for end := p.now.Add(d); ; {
		next := p.w.NextDue()
		if next.IsZero() || next.After(end) {
			p.now = end
			break
		}
		if next.After(p.now) {
			p.now = next
		}
		if words := alertsText(p.w.Due(p.now)); words != "" {
			got = append(got, words)
		}
	}
	if text := strings.Join(got, ", "); text != want {
		p.Errorf("until %v: got %q, want %q", p.now.Sub(time.Unix(1000, 0)), text, want)
	}
}

func patternRule(t *testing.T, pattern, ports string) Rule {
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

func TestOpenAlertsImmediatelyCloseAfterGrace(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	p.events("opened 3000", eventOf(monitor.Opened, node))
	p.after(10*time.Second, "")
	p.events("", eventOf(monitor.Closed, node))
	p.after(DefaultGrace-time.Millisecond, "")
	p.after(time.Millisecond, "closed 3000")
	p.after(time.Hour, "")
	if !p.w.NextDue().IsZero() {
		t.Error("NextDue never becomes zero")
	}
}

func TestRestartIsOneAlert(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	p.events("", eventOf(monitor.Closed, newListener("a", 3000, "node", "/shop")))
	p.after(2*time.Second, "")
	p.events("restarted 3000", eventOf(monitor.Opened, newListener("b", 3000, "node", "/shop")))
	p.after(time.Hour, "")
}

func TestCloseAndOpenInOneUpdateIsRestart(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	p.events("restarted 3000", eventOf(monitor.Closed, newListener("a", 3000, "node", "/shop")), eventOf(monitor.Opened, newListener("b", 3000, "node", "/shop")))
}

func TestRestartWaitsForOwner(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	p.events("", eventOf(monitor.Closed, newListener("a", 3000, "node", "/shop")))
	p.events("", eventOf(monitor.Opened, newListener("b", 3000, "", "")))
	p.events("restarted 3000", eventOf(monitor.Updated, newListener("b", 3000, "node", "/shop")))
	p.events("", eventOf(monitor.Updated, newListener("b", 3000, "node", "/shop")))
	p.after(time.Hour, "")
}

func TestOtherServiceIsOwnerChange(t *testing.T) {
	p := newScript(t, rule(t, "", "5432"))
	p.events("", eventOf(monitor.Closed, newListener("a", 5432, "postgres", "/")))
	p.events("owner_changed 5432", eventOf(monitor.Opened, newListener("b", 5432, "python3", "/")))
	closesOnly := rule(t, "", "5432")
	closesOnly.NotifyOn = OnClose
	p = newScript(t, closesOnly)
	p.events("", eventOf(monitor.Closed, newListener("a", 5432, "postgres", "/")))
	p.events("closed 5432", eventOf(monitor.Opened, newListener("b", 5432, "python3", "/")))
}

func TestRestartWithOtherExposure(t *testing.T) {
	p := newScript(t, rule(t, "", "8080"))
	node := newListener("a", 8080, "node", "/shop")
	p.events("", eventOf(monitor.Closed, node))
	p.events("exposed 8080", eventOf(monitor.Opened, exposed(newListener("b", 8080, "node", "/shop"))))
	p.events("", eventOf(monitor.Closed, exposed(newListener("b", 8080, "node", "/shop"))))
	p.events("restarted 8080", eventOf(monitor.Opened, newListener("c", 8080, "node", "/shop")))
	p.events("exposed 8080", monitor.Event{Kind: monitor.ExposureChanged, Listener: exposed(node), Before: node})
	p.events("", monitor.Event{Kind: monitor.ExposureChanged, Listener: node, Before: exposed(node)})
}

func TestNotifyOn(t *testing.T) {
	node, python := newListener("a", 3000, "node", "/shop"), newListener("a", 3000, "python3", "/shop")
	events := map[string]monitor.Event{
		"open":       eventOf(monitor.Opened, node),
		"close":      eventOf(monitor.Closed, node),
		"owner":      {Kind: monitor.OwnerChanged, Listener: python, Before: node},
		"exposure":   {Kind: monitor.ExposureChanged, Listener: exposed(node), Before: node},
		"at once":    eventOf(monitor.Opened, exposed(node)),
		"discovered": eventOf(monitor.Discovered, node),
		"unlisted":   eventOf(monitor.Unlisted, node),
		"updated":    {Kind: monitor.Updated, Listener: node, Before: node},
		"udp":        eventOf(monitor.Opened, &monitor.Listener{Protocol: monitor.UDP, Port: 3000, Addresses: node.Addresses}),
		"lan":        eventOf(monitor.Opened, listener("192.168.1.2", 3000)),
	}
	for notifyOn, want := range map[NotifyOn]string{
		0:             "open opened, close closed, owner owner_changed, exposure exposed, at once opened",
		OnOpen:        "open opened, at once opened",
		OnClose:       "close closed",
		OnOwnerChange: "owner owner_changed",
		OnExposed:     "exposure exposed, at once exposed",
	} {
		var got []string
		for _, name := range []string{"open", "close", "owner", "exposure", "at once", "discovered", "unlisted", "updated", "udp", "lan"} {
			r := rule(t, "", "3000")
			r.NotifyOn = notifyOn
			w := NewWatcher(Rules{r}, time.Second)
			now := time.Unix(1000, 0)
			for _, a := range append(w.Handle(now, []monitor.Event{events[name]}), w.Due(now.Add(time.Second))...) {
				got = append(got, fmt.Sprint(name, " ", a.Kind))
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("notify_on %b: got %s, want %s", notifyOn, text, want)
		}
	}
}

func TestOverlappingRulesAlertOnce(t *testing.T) {
	opens := rule(t, "first", "3000")
	opens.NotifyOn = OnOpen
	off := rule(t, "off", "3000-3999")
	off.Off = true
	w := NewWatcher(Rules{off, opens, rule(t, "second", "3000-3999")}, 0)
	now := time.Unix(1000, 0)
	node := newListener("a", 3000, "node", "/")
	opened := w.Handle(now, []monitor.Event{eventOf(monitor.Opened, node)})
	w.Handle(now, []monitor.Event{eventOf(monitor.Closed, node)})
	closed := w.Due(now)
	if len(opened) != 1 || opened[0].Rule.Name != "first" || len(closed) != 1 || closed[0].Rule.Name != "second" {
		t.Errorf("got opened by %+v, closed by %+v; want the first rule with that event, once", opened, closed)
	}
}

func TestFollowedServiceMoves(t *testing.T) {
	p := newScript(t, patternRule(t, "vite ~?/shop", ""))
	p.events("", eventOf(monitor.Opened, newListener("x", 4000, "postgres", "/shop")))
	p.events("", eventOf(monitor.Opened, newListener("a", 63101, "", ""))) // the owner comes later
	p.events("opened 63101", eventOf(monitor.Updated, newListener("a", 63101, "vite", "/home/a/shop")))
	p.after(time.Hour, "")
	p.events("", eventOf(monitor.Closed, newListener("a", 63101, "vite", "/home/a/shop")))
	p.events("moved 63102<63101", eventOf(monitor.Opened, newListener("b", 63102, "vite", "/home/a/shop")))
	p.after(time.Hour, "")
	p.events("", eventOf(monitor.Closed, newListener("b", 63102, "vite", "/home/a/shop")))
	p.events("", eventOf(monitor.Opened, newListener("c", 63103, "vite", "/home/b/blog")))
	p.after(time.Hour, "closed 63102")
}

func TestPatternNarrowsPort(t *testing.T) {
	p := newScript(t, patternRule(t, "node", "3000"))
	p.events("", eventOf(monitor.Opened, newListener("a", 3000, "python3", "/")))
	p.events("", eventOf(monitor.Opened, newListener("b", 3001, "node", "/")))
	p.events("opened 3000", eventOf(monitor.Opened, newListener("c", 3000, "node", "/")))
	p.events("", eventOf(monitor.Opened, newListener("d", 3000, "", "")))
	p.events("", eventOf(monitor.Closed, newListener("d", 3000, "", ""))) // before the owner was known
	p.events("", eventOf(monitor.Updated, newListener("d", 3000, "node", "/")))
	p.after(time.Hour, "")
}

func TestFlappingPortAlertsOnceThenCounts(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := func() *monitor.Listener { return newListener("a", 3000, "node", "/shop") }
	p.events("restarted 3000", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, node()))
	for range 29 {
		p.after(time.Second, "")
		p.events("", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, node()))
	}
	p.after(31*time.Second, "flapping 3000 x30")
	p.after(time.Hour, "")
	p.events("restarted 3000", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, node()))
}

func TestSummaryFollowsSoonAfterAPortStopsFlapping(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	restart := []monitor.Event{eventOf(monitor.Closed, node), eventOf(monitor.Opened, node)}
	p.events("restarted 3000", restart...)
	for range 5 {
		p.after(time.Second, "")
		p.events("", restart...)
	}
	p.after(minSettleTime-time.Second, "")
	p.after(time.Second, "flapping 3000 x6")
	p.events("", restart...) // within the same minute
	p.after(2*minSettleTime, "restarted 3000")
	p.after(time.Hour, "")
}

// A service that crashes at intervals has not stopped while its next crash is due.
func TestSummaryWaitsForTwiceTheIntervalOfTheChanges(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	restart := []monitor.Event{eventOf(monitor.Closed, node), eventOf(monitor.Opened, node)}
	p.events("restarted 3000", restart...)
	for range 3 {
		p.after(12*time.Second, "")
		p.events("", restart...)
	}
	p.after(23*time.Second, "") // 59 s
	p.after(time.Second, "flapping 3000 x4")
	for range 4 {
		p.after(12*time.Second, "")
		p.events("", restart...)
	}
	p.after(12*time.Second, "flapping 3000 x4")
	p.after(time.Hour, "")
}

func TestRateLimitPerPort(t *testing.T) {
	p := newScript(t, rule(t, "", "3000-3001"))
	total := 0
	for range 60 { // slower than the grace period: each is an open and a close
		total += len(p.w.Handle(p.now, []monitor.Event{eventOf(monitor.Opened, newListener("a", 3000, "node", "/"))}))
		p.w.Handle(p.now, []monitor.Event{eventOf(monitor.Closed, newListener("a", 3000, "node", "/"))})
		p.now = p.now.Add(5 * time.Second)
		total += len(p.w.Due(p.now))
	}
	if total > 25 { // five minutes
		t.Errorf("got %d alerts in five minutes, want at most five per minute", total)
	}
	p.events("opened 3001", eventOf(monitor.Opened, newListener("b", 3001, "node", "/")))
}

func TestSetRulesWithPendingClose(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	p.events("", eventOf(monitor.Closed, newListener("a", 3000, "node", "/")))
	p.w.SetRules(Rules{rule(t, "", "3001")}, DefaultGrace)
	p.after(time.Hour, "")
}

func TestRestartWithUnknownOwner(t *testing.T) {
	p := newScript(t, rule(t, "", "631"))
	cups := func(id string) *monitor.Listener {
		l := listener("127.0.0.1", 631)
		l.ID, l.User, l.OwnerUnknown, l.CgroupInfo = id, "root", monitor.UnknownForeign, monitor.CgroupInfo{Unit: "cups.service"}
		return l
	}
	p.events("", eventOf(monitor.Closed, cups("a")))
	p.events("restarted 631", eventOf(monitor.Opened, cups("b")))
	other := cups("c")
	other.Unit = "evil.service"
	p.after(time.Hour, "")
	p.events("", eventOf(monitor.Closed, cups("b")))
	p.events("owner_changed 631", eventOf(monitor.Opened, other))
}

func TestUrgentAlertIsNotCrowdedOut(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := func() *monitor.Listener { return newListener("a", 3000, "node", "/shop") }
	p.events("restarted 3000", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, node()))
	for range 10 {
		p.events("", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, node()))
	}
	p.events("owner_changed 3000", eventOf(monitor.Closed, node()), eventOf(monitor.Opened, newListener("b", 3000, "evil", "/tmp")))
	p.events("exposed 3000", monitor.Event{Kind: monitor.ExposureChanged, Listener: exposed(node()), Before: node()})
	p.after(time.Minute, "flapping 3000 x13")
	for range 10 { // urgent alerts are limited too
		p.w.Handle(p.now, []monitor.Event{{Kind: monitor.OwnerChanged, Listener: node(), Before: node()}})
	}
	p.events("", monitor.Event{Kind: monitor.OwnerChanged, Listener: node(), Before: node()})
}

// withSockets returns l with these sockets: a server on two addresses is two
// listeners until its owner is found.
func withSockets(l *monitor.Listener, ids ...monitor.SocketID) *monitor.Listener {
	k := *l
	for _, id := range ids {
		k.Sockets = append(k.Sockets, monitor.HeldSocket{Socket: monitor.Socket{ID: id, Address: k.Addresses[0]}})
	}
	return &k
}

func TestListenersMergedByOwnerAlertOnce(t *testing.T) {
	p := newScript(t, patternRule(t, "node", ""))
	a, b := withSockets(newListener("a", 3000, "", ""), 1), withSockets(newListener("b", 3000, "", ""), 2)
	p.events("", eventOf(monitor.Opened, a), eventOf(monitor.Opened, b))
	both := withSockets(newListener("a", 3000, "node", "/shop"), 1, 2)
	p.events("opened 3000",
		monitor.Event{Kind: monitor.Updated, Listener: both, Before: b}, monitor.Event{Kind: monitor.Updated, Listener: both, Before: a})
	if len(p.w.unidentified) > 0 {
		t.Errorf("%d listeners stay unidentified forever", len(p.w.unidentified))
	}
}

func TestListenerMergedIntoAlertedOneIsNotAnOpen(t *testing.T) {
	p := newScript(t, patternRule(t, "node", ""))
	a, b := withSockets(newListener("a", 3000, "node", "/shop"), 1), withSockets(newListener("b", 3000, "", ""), 2)
	p.events("opened 3000", eventOf(monitor.Opened, a), eventOf(monitor.Opened, b))
	both := withSockets(newListener("a", 3000, "node", "/shop"), 1, 2)
	p.events("", monitor.Event{Kind: monitor.Updated, Listener: both, Before: b}, monitor.Event{Kind: monitor.Updated, Listener: both, Before: a})
	if len(p.w.unidentified) > 0 {
		t.Errorf("%d listeners stay unidentified forever", len(p.w.unidentified))
	}
}

func TestListenersSplitByOwnerAlertBoth(t *testing.T) {
	p := newScript(t, patternRule(t, "node", ""))
	both := withSockets(newListener("a", 3000, "", ""), 1, 2)
	p.events("", eventOf(monitor.Opened, both))
	a, b := withSockets(newListener("a", 3000, "node", "/shop"), 1), withSockets(newListener("b", 3000, "node", "/blog"), 2)
	p.events("opened 3000, opened 3000",
		monitor.Event{Kind: monitor.Updated, Listener: b, Before: both}, monitor.Event{Kind: monitor.Updated, Listener: a, Before: both})
}

func TestOwnerFoundWithExposureChangeIsAnOpen(t *testing.T) {
	p := newScript(t, patternRule(t, "node", ""))
	a := newListener("a", 3000, "", "")
	p.events("", eventOf(monitor.Opened, a))
	p.events("opened 3000", monitor.Event{Kind: monitor.ExposureChanged, Listener: exposed(newListener("a", 3000, "node", "/shop")), Before: a})
}

// crashed returns the event that l closed because its owner failed.
func crashed(l *monitor.Listener) monitor.Event {
	e := eventOf(monitor.Closed, l)
	e.Exit = monitor.ExitStatus(1)
	return e
}

func TestCrashIsReportedBeforeTheGracePeriod(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	p.events("", crashed(node))
	p.after(CrashDelay, "crashed 3000")
	p.after(time.Hour, "")
}

func TestRestartAfterAReportedCrash(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	p.events("", crashed(node))
	p.after(time.Second, "crashed 3000")
	p.events("restarted 3000", eventOf(monitor.Opened, node))
	p.after(time.Hour, "")
}

// A supervisor that starts the service again at once leaves one alert, which says why.
func TestRestartRightAfterACrash(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	node := newListener("a", 3000, "node", "/shop")
	p.events("", crashed(node))
	alerts := p.w.Handle(p.now, []monitor.Event{eventOf(monitor.Opened, node)})
	if got := alertsText(alerts); got != "restarted 3000" || !alerts[0].Exit.Crashed() {
		t.Errorf("got %q, exit %+v; want a restart after a crash", got, alerts[0].Exit)
	}
	p.after(time.Hour, "")
}

func TestStopByTheUserIsNoCrash(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	p.events("", crashed(newListener("a", 3000, "node", "/shop")))
	p.w.Stopped = func(*monitor.Listener) bool { return true } // the news comes after the close
	p.after(DefaultGrace-time.Millisecond, "")
	p.after(time.Millisecond, "closed 3000")
}

func TestNotifyOnCrash(t *testing.T) {
	for _, c := range []struct {
		on               NotifyOn
		crash, close, up string
	}{
		{OnCrash, "crashed 3000", "", ""},
		{OnClose, "crashed 3000", "closed 3000", "restarted 3000"},
		{OnOpen, "", "", "restarted 3000"},
		{0, "crashed 3000", "closed 3000", "restarted 3000"},
	} {
		r := rule(t, "", "3000")
		r.NotifyOn = c.on
		p := newScript(t, r)
		node := newListener("a", 3000, "node", "/shop")
		p.events("", crashed(node))
		p.after(time.Second, c.crash)
		p.events(c.up, eventOf(monitor.Opened, node))
		p.after(time.Hour, "")
		p.events("", eventOf(monitor.Closed, node))
		p.after(time.Hour, c.close)
	}
}

// A rule about crashes alone also reports one that was followed by a restart at once.
func TestNotifyOnCrashThatRestartsAtOnce(t *testing.T) {
	r := rule(t, "", "3000")
	r.NotifyOn = OnCrash
	p := newScript(t, r)
	node := newListener("a", 3000, "node", "/shop")
	p.events("", crashed(node))
	p.events("restarted 3000", eventOf(monitor.Opened, node))
	p.after(time.Hour, "")
	p.events("", eventOf(monitor.Closed, node))
	p.events("", eventOf(monitor.Opened, node))
}

// Attempts to connect to a closed port are notified only by rules that ask for it.
func TestAttempted(t *testing.T) {
	ports := monitor.Ports{{First: 3000, Last: 3009}}
	p := newScript(t, Rule{Ports: ports}, Rule{Ports: ports, NotifyOn: OnOpen | OnAttempt, Except: monitor.Ports{{First: 3005, Last: 3005}}})
	got := p.w.Attempted(p.now, 3000, 3)
	if alertsText(got) != "attempted 3000 x3" || got[0].Rule.NotifyOn&OnAttempt == 0 {
		t.Errorf("got %+v, want an alert of the second rule", got)
	}
	for _, port := range []uint16{3005, 4000} {
		if got := p.w.Attempted(p.now, port, 3); len(got) != 0 {
			t.Errorf("port %d: got %+v, want no alert", port, got)
		}
	}
	if p := newScript(t, Rule{Ports: ports}); len(p.w.Attempted(p.now, 3000, 3)) != 0 {
		t.Error("a rule without a set of events notifies about attempts")
	}
}

// Only a wider exposure is reported: one that shrinks from the internet to the network is not.
func TestPublicThroughATunnel(t *testing.T) {
	p := newScript(t, rule(t, "", "3000"))
	local := newListener("a", 3000, "node", "/shop")
	public := *exposed(local)
	public.Exposure = monitor.ExposurePublic
	p.events("exposed 3000", monitor.Event{Kind: monitor.ExposureChanged, Listener: &public, Before: local})
	p.events("", monitor.Event{Kind: monitor.ExposureChanged, Listener: exposed(local), Before: &public})
	p.events("exposed 3000", monitor.Event{Kind: monitor.ExposureChanged, Listener: &public, Before: exposed(local)})
	p.events("", monitor.Event{Kind: monitor.ExposureChanged, Listener: local, Before: &public})
}
