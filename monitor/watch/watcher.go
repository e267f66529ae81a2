package watch

import (
	"cmp"
	"slices"
	"time"

	"porthole/monitor"
)

// Kind says what an alert tells.
type Kind string

// The kinds of alerts.
const (
	Opened       Kind = "opened"
	Closed       Kind = "closed"
	Restarted    Kind = "restarted" // closed, and open again within the grace time by the same service
	Moved        Kind = "moved"     // restarted on another port
	OwnerChanged Kind = "changed"   // another process or service has it: Before had it
	Exposed      Kind = "exposed"   // it can be reached from the network now
	Flapping     Kind = "flapped"   // Count more changes, which were not told one by one
)

// Alert is something that the user wants to hear.
type Alert struct {
	Kind     Kind
	At       time.Time
	Listener *monitor.Listener
	Before   *monitor.Listener // for Restarted, Moved, Changed and Exposed, where there was one
	Rule     Rule
	Count    int  // for Flapped
	ByUser   bool // of a Closed: the user stopped its owners; who tells it sets this
}

// DefaultGrace is how long a close waits for the service to come back.
const DefaultGrace = 3 * time.Second

// How much is told of one port, or of one service that is followed: the rest
// is counted, and told as a number when the minute is over.
const (
	minute               = time.Minute
	maxPerMinute         = 4
	maxRestartsPerMinute = 1
)

// Watcher turns changes into alerts. It keeps what waits: closes, for which a
// restart may come within the grace time; opened listeners whose owner is not
// known yet, where a rule asks for one; and ports that change too often. Its
// methods are called by one goroutine, which brings the clock along.
type Watcher struct {
	rules         Rules
	grace         time.Duration
	pendingCloses []pendingClose
	unidentified  map[string]monitor.Event // opened, and asked of by a pattern, by the listener's id
	limits        map[subject]*rateLimit
}

// pendingClose is a close that may become a restart.
type pendingClose struct {
	change monitor.Event
	rule   Rule
	due    time.Time
}

// subject is what is told of at most so often: a port, or a service that a
// rule follows.
type subject struct {
	port uint16
	rule string
}

// rateLimit is what was told of a subject in the last minute.
type rateLimit struct {
	begin      time.Time // of the minute
	sent       int
	restarts   int
	urgent     int
	suppressed int   // since then, which are just counted
	last       Alert // of those
}

// NewWatcher returns a Watcher by rules.
func NewWatcher(rules Rules, grace time.Duration) *Watcher {
	return &Watcher{rules: rules.Active(), grace: grace, unidentified: map[string]monitor.Event{}, limits: map[subject]*rateLimit{}}
}

// SetRules lets other rules hold from now on. What waits is told by the rules
// that it waits for, where they still hold.
func (w *Watcher) SetRules(rules Rules, grace time.Duration) {
	w.rules, w.grace = rules.Active(), grace
	w.pendingCloses = slices.DeleteFunc(w.pendingCloses, func(c pendingClose) bool {
		return !slices.ContainsFunc(w.rules, c.rule.Equal)
	})
}

// Handle returns what is to be told of changes at once. Each change is told by
// one rule, the first that is about it and tells of such. That more was learned
// of a listener, and what was open before anyone looked, is never told.
func (w *Watcher) Handle(now time.Time, changes []monitor.Event) []Alert {
	var alerts []Alert
	for _, c := range changes {
		alerts = append(alerts, w.handleChange(now, c)...)
	}
	return w.limit(now, alerts)
}

func (w *Watcher) handleChange(now time.Time, c monitor.Event) []Alert {
	switch c.Kind {
	case monitor.Updated, monitor.OwnerChanged, monitor.ExposureChanged:
		w.followSockets(c)
		if opened, waits := w.unidentified[c.Listener.ID]; waits && ownerSettled(c.Listener) {
			delete(w.unidentified, c.Listener.ID)
			opened.Listener = c.Listener
			return w.opened(now, opened)
		}
	}
	switch c.Kind {
	case monitor.Opened:
		return w.opened(now, c)
	case monitor.Closed:
		return w.closed(now, c)
	case monitor.OwnerChanged:
		return w.firstMatch(OnOwnerChange, Alert{Kind: OwnerChanged, At: c.At, Listener: c.Listener, Before: c.Before})
	case monitor.ExposureChanged:
		if c.Listener.Exposure == monitor.ExposureNetwork {
			return w.firstMatch(OnExposed, Alert{Kind: Exposed, At: c.At, Listener: c.Listener, Before: c.Before})
		}
	case monitor.Unlisted:
		delete(w.unidentified, c.Listener.ID)
	}
	return nil
}

// followSockets lets what waits for a name follow its sockets into another row: a row
// that was taken in by another waits no more, one that came out of a waiting row
// waits too.
func (w *Watcher) followSockets(c monitor.Event) {
	if c.Before == nil || c.Before.ID == c.Listener.ID {
		return
	}
	opened, waits := w.unidentified[c.Before.ID]
	if !waits {
		return
	}
	if containsSockets(c.Before, c.Listener) {
		delete(w.unidentified, c.Before.ID)
	}
	if _, has := w.unidentified[c.Listener.ID]; !has && containsSockets(c.Listener, c.Before) {
		w.unidentified[c.Listener.ID] = opened
	}
}

// containsSockets reports whether all sockets of a are in b.
func containsSockets(a, b *monitor.Listener) bool {
	return !slices.ContainsFunc(a.Sockets, func(s monitor.HeldSocket) bool {
		return !slices.ContainsFunc(b.Sockets, func(t monitor.HeldSocket) bool { return s.ID == t.ID })
	})
}

// ownerSettled reports whether it is known whose l is, or known that it cannot be.
func ownerSettled(l *monitor.Listener) bool { return len(l.Owners) > 0 || l.OwnerUnknown != "" }

// firstMatch tells a by the first rule about its listener that tells of it.
func (w *Watcher) firstMatch(of NotifyOn, a Alert) []Alert {
	for _, rule := range w.rules {
		if rule.notifiesOn(of) && (rule.Matches(a.Listener) || (a.Before != nil && rule.Matches(a.Before))) {
			a.Rule = rule
			return []Alert{a}
		}
	}
	return nil
}

func (w *Watcher) opened(now time.Time, c monitor.Event) []Alert {
	i := slices.IndexFunc(w.pendingCloses, func(k pendingClose) bool { return k.endedBy(c.Listener) })
	if !ownerSettled(c.Listener) && (i >= 0 || !w.rules.Matches(c.Listener)) {
		if slices.ContainsFunc(w.rules, func(rule Rule) bool { return rule.mayMatch(c.Listener) }) {
			w.unidentified[c.Listener.ID] = c // a restart, and a pattern, are told by whose it is
		}
		return nil
	}
	if i >= 0 {
		before := w.pendingCloses[i].change
		w.pendingCloses = slices.Delete(w.pendingCloses, i, i+1)
		return w.reopened(before, c)
	}
	open := Alert{Kind: Opened, At: c.At, Listener: c.Listener}
	if told := w.firstMatch(OnOpen, open); told != nil {
		return told
	}
	if c.Listener.Exposure == monitor.ExposureNetwork {
		open.Kind = Exposed
		return w.firstMatch(OnExposed, open)
	}
	return nil
}

// mayMatch is About before it is known whose l is.
func (rule Rule) mayMatch(l *monitor.Listener) bool {
	rule.Match = Pattern{}
	return rule.Matches(l)
}

// endedBy reports whether l is what the close may have waited for: a listener
// on the same port, or the same service where the rule follows it.
func (k pendingClose) endedBy(l *monitor.Listener) bool {
	before := k.change.Listener
	return before.Port == l.Port && before.Protocol == l.Protocol || k.rule.FollowsService() && k.rule.Matches(l) && SameService(before, l)
}

// reopened tells of what closed and is open again.
func (w *Watcher) reopened(closed, opened monitor.Event) []Alert {
	before, l := closed.Listener, opened.Listener
	a := Alert{Kind: Restarted, At: opened.At, Listener: l, Before: before}
	switch {
	case !SameService(before, l):
		a.Kind = OwnerChanged
		if told := w.firstMatch(OnOwnerChange, a); told != nil {
			return told
		}
		return append(w.firstMatch(OnClose, Alert{Kind: Closed, At: closed.At, Listener: before}),
			w.firstMatch(OnOpen, Alert{Kind: Opened, At: opened.At, Listener: l})...)
	case before.Exposure != monitor.ExposureNetwork && l.Exposure == monitor.ExposureNetwork:
		a.Kind = Exposed
		if told := w.firstMatch(OnExposed, a); told != nil {
			return told
		}
		a.Kind = Restarted
	case before.Port != l.Port:
		a.Kind = Moved
	}
	return w.firstMatch(OnOpen|OnClose, a)
}

// closed lets a close wait for the grace time.
func (w *Watcher) closed(now time.Time, c monitor.Event) []Alert {
	delete(w.unidentified, c.Listener.ID)
	for _, rule := range w.rules {
		if rule.Matches(c.Listener) {
			w.pendingCloses = append(w.pendingCloses, pendingClose{c, rule, now.Add(w.grace)})
			break
		}
	}
	return nil
}

// SameService reports whether two listeners are of the same service, so that
// one is the other after a restart: the same program in the same folder, or,
// where those are not known, the same name, unit or container, and the same
// user.
func SameService(a, b *monitor.Listener) bool {
	p, q := a.Owners, b.Owners
	if len(p) > 0 && len(q) > 0 {
		return p[0].User == q[0].User && p[0].Name == q[0].Name && p[0].Program == q[0].Program && p[0].Folder == q[0].Folder
	}
	return len(p) == len(q) && a.User == b.User && a.Unit == b.Unit && a.ContainerID == b.ContainerID
}

// Due returns what is to be told now of what waited.
func (w *Watcher) Due(now time.Time) []Alert {
	var alerts []Alert
	w.pendingCloses = slices.DeleteFunc(w.pendingCloses, func(k pendingClose) bool {
		if now.Before(k.due) {
			return false
		}
		alerts = append(alerts, w.firstMatch(OnClose, Alert{Kind: Closed, At: k.change.At, Listener: k.change.Listener})...)
		return true
	})
	alerts = w.limit(now, alerts)
	for s, t := range w.limits {
		if now.Before(t.begin.Add(minute)) {
			continue
		}
		if t.suppressed == 0 {
			delete(w.limits, s)
			continue
		}
		last := t.last
		if t.suppressed > 1 { // one is told as what it is
			last.Kind, last.Count = Flapping, t.suppressed
		}
		alerts = append(alerts, last)
		*t = rateLimit{begin: now, sent: 1, restarts: maxRestartsPerMinute}
	}
	slices.SortStableFunc(alerts, func(a, b Alert) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Listener.Port, b.Listener.Port)) })
	return alerts
}

// NextDue returns when Due has something to tell at the earliest; zero where
// nothing waits.
func (w *Watcher) NextDue() time.Time {
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, k := range w.pendingCloses {
		earlier(k.due)
	}
	for _, t := range w.limits {
		earlier(t.begin.Add(minute))
	}
	return next
}

// limit holds back what is too much of one subject within a minute. That it
// changed hands or is exposed is an alarm, which nothing else may crowd out.
func (w *Watcher) limit(now time.Time, alerts []Alert) []Alert {
	var tell []Alert
	for _, a := range alerts {
		s := subjectOf(a)
		t := w.limits[s]
		if t == nil {
			t = &rateLimit{begin: now}
			w.limits[s] = t
		}
		if alarm := a.Kind == OwnerChanged || a.Kind == Exposed; alarm && t.urgent < maxPerMinute {
			t.urgent++
			tell = append(tell, a)
			continue
		}
		restart := a.Kind == Restarted || a.Kind == Moved
		if t.sent >= maxPerMinute || t.suppressed > 0 || (restart && t.restarts >= maxRestartsPerMinute) {
			t.suppressed, t.last = t.suppressed+1, a
			continue
		}
		t.sent++
		if restart {
			t.restarts++
		}
		tell = append(tell, a)
	}
	return tell
}

func subjectOf(a Alert) subject {
	if a.Rule.FollowsService() {
		return subject{rule: a.Rule.Name + "\x00" + a.Rule.Match.text}
	}
	return subject{port: a.Listener.Port}
}
