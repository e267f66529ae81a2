package watch

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
)

// Kind is the kind of an alert.
type Kind string

// The kinds of alerts.
const (
	Opened       Kind = "opened"
	Closed       Kind = "closed"
	Crashed      Kind = "crashed"       // closed because its owner failed
	Restarted    Kind = "restarted"     // closed and opened again by the same service within the grace period
	Moved        Kind = "moved"         // restarted on another port
	OwnerChanged Kind = "owner_changed" // another process or service owns it; Before is the last state of the previous one
	Exposed      Kind = "exposed"       // became reachable from the network, or from the internet through a tunnel
	NewlyExposed Kind = "newly_exposed" // exposed to the network or the internet and not familiar; not caused by a rule
	Attempted    Kind = "attempted"     // the port is closed, and something tried to connect at least Count times in the last minute
	Connected    Kind = "connected"     // Client connected for the first time
	Unhealthy    Kind = "unhealthy"     // it failed its health checks
	Healthy      Kind = "healthy"       // it passes them again
	Flapping     Kind = "flapping"      // the last of Count events, some of which were not reported one by one
)

// Alert is an event to notify the user about.
type Alert struct {
	Kind     Kind
	At       time.Time
	Listener *monitor.Listener
	Before   *monitor.Listener // for Restarted, Moved, OwnerChanged and Exposed, if there was one
	Rule     Rule
	Count    int // for Flapping and Attempted
	// LastOwner is, for Attempted, the last owner of the port as text; "" if it is unknown.
	LastOwner string
	// Client is, for Connected, the client, cleaned.
	Client monitor.Client
	// Health is, for Unhealthy and Healthy, the last answer, and Lasted is, for Healthy, how
	// long the server was unhealthy.
	Health monitor.HealthAnswer
	Lasted time.Duration
	ByUser bool // for Closed, Restarted and Moved: the user stopped the owners; set by the notifier
	// NowClosed means, for Flapping, that the port is closed; set by the notifier.
	NowClosed bool
	// Exit is, for Closed, Crashed, Restarted and Moved, how the owner of the closed
	// listener ended, if that is known.
	Exit monitor.Exit
}

// DefaultGrace is how long a close waits for the service to come back.
const DefaultGrace = 3 * time.Second

// CrashDelay is how long a crash waits for the news that the user stopped the process,
// which comes after the signal, and for a supervisor that starts it again at once.
const CrashDelay = 300 * time.Millisecond

// Rate limits for alerts about one port or one followed service. Further events
// are counted. A summary with their number and the present state follows when they
// stop, and at the end of the minute if there were more.
const (
	minute                = time.Minute
	maxPerMinute          = 4
	maxRestartsPerMinute  = 1
	maxSummariesPerMinute = 2 // besides the one at its end
	minSettleTime         = 5 * time.Second
)

// Watcher turns events into alerts. It keeps pending state: closes, which may
// become restarts within the grace period; opened listeners whose owner is not
// known yet although a rule's pattern depends on it; and subjects that exceeded
// the rate limit. Its methods must be called from one goroutine, which passes the
// current time.
type Watcher struct {
	// Stopped reports whether the user stopped the owners of a listener that has closed:
	// that is no crash. nil means never.
	Stopped func(*monitor.Listener) bool

	rules         Rules
	grace         time.Duration
	pendingCloses []pendingClose
	unidentified  map[string]monitor.Event // opened listeners that a pattern may match once the owner is known, by listener ID
	limits        map[subject]*rateLimit
}

// pendingClose is a close that may become a restart.
type pendingClose struct {
	event monitor.Event
	rule  Rule
	due   time.Time
	crash time.Time // when to report a crash; zero if there is none, or it was reported
	told  bool      // the crash was reported
}

// subject is the unit of rate limiting: a port, or the service that a rule
// follows.
type subject struct {
	port uint16
	rule string
}

// NewWatcher returns a Watcher for the active rules.
func NewWatcher(rules Rules, grace time.Duration) *Watcher {
	return &Watcher{rules: rules.Active(), grace: grace, unidentified: map[string]monitor.Event{}, limits: map[subject]*rateLimit{}}
}

// SetRules replaces the rules. A pending close is kept if its rule still exists.
func (w *Watcher) SetRules(rules Rules, grace time.Duration) {
	w.rules, w.grace = rules.Active(), grace
	w.pendingCloses = slices.DeleteFunc(w.pendingCloses, func(c pendingClose) bool {
		return !slices.ContainsFunc(w.rules, c.rule.Equal)
	})
}

// Handle returns the alerts that events cause immediately. Each event is
// reported by one rule: the first that matches it and includes its kind. New
// information about a listener, and listeners that were open before the first
// poll, cause no alert.
func (w *Watcher) Handle(now time.Time, events []monitor.Event) []Alert {
	var alerts []Alert
	for _, c := range events {
		alerts = append(alerts, w.handleEvent(now, c)...)
	}
	return w.limit(now, alerts)
}

// Attempted returns the alert about refused attempts to connect to a closed port, count
// in the last minute, if a rule includes them.
func (w *Watcher) Attempted(now time.Time, port uint16, count int) []Alert {
	for _, rule := range w.rules {
		if rule.NotifiesOn(OnAttempt) && rule.CoversTCP(port) {
			return w.limit(now, []Alert{{Kind: Attempted, At: now, Listener: monitor.ClosedPort(port), Rule: rule, Count: count}})
		}
	}
	return nil
}

// Connected returns the alert that a client of l connected for the first time, which rule
// includes.
func (w *Watcher) Connected(now time.Time, l *monitor.Listener, rule Rule, client monitor.Client) []Alert {
	return w.limit(now, []Alert{{Kind: Connected, At: now, Listener: l, Rule: rule, Client: client}})
}

// Checked returns the alert that l failed its health checks or passes them again, e, if a rule
// with the path that was asked for includes that.
func (w *Watcher) Checked(now time.Time, e monitor.Event) []Alert {
	kind := Unhealthy
	if e.Kind == monitor.Healthy {
		kind = Healthy
	}
	for _, rule := range w.rules {
		if rule.Health == e.Health.Path && rule.NotifiesOn(OnUnhealthy) && rule.Matches(e.Listener) {
			return w.limit(now, []Alert{{Kind: kind, At: e.At, Listener: e.Listener, Rule: rule, Health: e.Health, Lasted: e.Lasted}})
		}
	}
	return nil
}

func (w *Watcher) handleEvent(now time.Time, c monitor.Event) []Alert {
	switch c.Kind {
	case monitor.Updated, monitor.OwnerChanged, monitor.ExposureChanged:
		w.followSockets(c)
		if opened, pending := w.unidentified[c.Listener.ID]; pending && OwnerSettled(c.Listener) {
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
		if widened(c.Before, c.Listener) {
			return w.firstMatch(OnExposed, Alert{Kind: Exposed, At: c.At, Listener: c.Listener, Before: c.Before})
		}
	case monitor.Unlisted:
		delete(w.unidentified, c.Listener.ID)
	}
	return nil
}

// followSockets moves an unidentified listener along with its sockets: a listener
// that was merged into another is no longer unidentified by itself, and one that
// was split off an unidentified listener is unidentified too.
func (w *Watcher) followSockets(c monitor.Event) {
	if c.Before == nil || c.Before.ID == c.Listener.ID {
		return
	}
	opened, pending := w.unidentified[c.Before.ID]
	if !pending {
		return
	}
	if containsSockets(c.Before, c.Listener) {
		delete(w.unidentified, c.Before.ID)
	}
	if _, has := w.unidentified[c.Listener.ID]; !has && containsSockets(c.Listener, c.Before) {
		w.unidentified[c.Listener.ID] = opened
	}
}

// widened reports whether more clients can reach l than before, which may be nil.
func widened(before, l *monitor.Listener) bool {
	return l.Exposure.IsExposed() && (before == nil || l.Exposure.WiderThan(before.Exposure))
}

// containsSockets reports whether all sockets of a are in b.
func containsSockets(a, b *monitor.Listener) bool {
	return !slices.ContainsFunc(a.Sockets, func(s monitor.HeldSocket) bool {
		return !slices.ContainsFunc(b.Sockets, func(t monitor.HeldSocket) bool { return s.ID == t.ID })
	})
}

// OwnerSettled reports whether the owner of l is known, or known to be
// inaccessible.
func OwnerSettled(l *monitor.Listener) bool { return len(l.Owners) > 0 || l.OwnerUnknown != "" }

// firstMatch returns a as an alert of the first rule that matches its listener
// and includes the event.
func (w *Watcher) firstMatch(of NotifyOn, a Alert) []Alert {
	for _, rule := range w.rules {
		if rule.NotifiesOn(of) && (rule.Matches(a.Listener) || (a.Before != nil && rule.Matches(a.Before))) {
			a.Rule = rule
			return []Alert{a}
		}
	}
	return nil
}

func (w *Watcher) opened(now time.Time, c monitor.Event) []Alert {
	i := slices.IndexFunc(w.pendingCloses, func(k pendingClose) bool { return k.endedBy(c.Listener) })
	if !OwnerSettled(c.Listener) && (i >= 0 || !w.rules.Matches(c.Listener)) {
		if slices.ContainsFunc(w.rules, func(rule Rule) bool { return rule.mayMatch(c.Listener) }) {
			w.unidentified[c.Listener.ID] = c // restarts and patterns depend on the owner
		}
		return nil
	}
	if i >= 0 {
		before := w.pendingCloses[i]
		w.pendingCloses = slices.Delete(w.pendingCloses, i, i+1)
		return w.reopened(before, c)
	}
	open := Alert{Kind: Opened, At: c.At, Listener: c.Listener}
	if alerts := w.firstMatch(OnOpen, open); alerts != nil {
		return alerts
	}
	if c.Listener.Exposure.IsExposed() {
		open.Kind = Exposed
		return w.firstMatch(OnExposed, open)
	}
	return nil
}

// mayMatch is Matches for a listener whose owner is not known yet.
func (rule Rule) mayMatch(l *monitor.Listener) bool {
	rule.Match = Pattern{}
	return rule.Matches(l)
}

// endedBy reports whether l may be the restart that the close waits for: a
// listener on the same port, or the same service if the rule follows it.
func (k pendingClose) endedBy(l *monitor.Listener) bool {
	before := k.event.Listener
	return before.Port == l.Port && before.Protocol == l.Protocol || k.rule.FollowsService() && k.rule.Matches(l) && SameService(before, l)
}

// crashed reports whether the close is a crash that was not reported yet.
func (w *Watcher) crashed(k pendingClose) bool {
	return !k.crash.IsZero() && (w.Stopped == nil || !w.Stopped(k.event.Listener))
}

// reopened returns the alerts for a listener that closed and opened again.
func (w *Watcher) reopened(k pendingClose, opened monitor.Event) []Alert {
	closed, before, l := k.event, k.event.Listener, opened.Listener
	a := Alert{Kind: Restarted, At: opened.At, Listener: l, Before: before, Exit: closed.Exit}
	events := OnOpen | OnClose
	if w.crashed(k) {
		events |= OnCrash
	}
	switch {
	case !SameService(before, l):
		a.Kind = OwnerChanged
		if alerts := w.firstMatch(OnOwnerChange, a); alerts != nil {
			return alerts
		}
		return append(w.reportClose(k),
			w.firstMatch(OnOpen, Alert{Kind: Opened, At: opened.At, Listener: l})...)
	case widened(before, l):
		a.Kind = Exposed
		if alerts := w.firstMatch(OnExposed, a); alerts != nil {
			return alerts
		}
		a.Kind = Restarted
	case before.Port != l.Port:
		a.Kind = Moved
	}
	return w.firstMatch(events, a)
}

// reportClose returns the alert for a listener that closed and has not opened again.
func (w *Watcher) reportClose(k pendingClose) []Alert {
	a := Alert{Kind: Closed, At: k.event.At, Listener: k.event.Listener, Exit: k.event.Exit}
	switch {
	case k.told:
		return nil
	case w.crashed(k):
		a.Kind = Crashed
		return w.firstMatch(OnClose|OnCrash, a)
	}
	return w.firstMatch(OnClose, a)
}

// closed keeps a close pending for the grace period. A crash is reported before its end.
func (w *Watcher) closed(now time.Time, c monitor.Event) []Alert {
	delete(w.unidentified, c.Listener.ID)
	for _, rule := range w.rules {
		if rule.Matches(c.Listener) {
			k := pendingClose{event: c, rule: rule, due: now.Add(w.grace)}
			if c.Exit.Crashed() {
				k.crash = now.Add(min(CrashDelay, w.grace))
			}
			w.pendingCloses = append(w.pendingCloses, k)
			break
		}
	}
	return nil
}

// SameService reports whether two listeners belong to the same service, so that
// one is the restart of the other: same user, program and folder and, if the program
// is an interpreter, the same script, module or archive. If these are not known, the
// unit or container is the same.
func SameService(a, b *monitor.Listener) bool {
	p, q := a.Owners, b.Owners
	if len(p) > 0 && len(q) > 0 {
		return sameUser(p[0], q[0]) && p[0].Name == q[0].Name && p[0].Program == q[0].Program && p[0].Folder == q[0].Folder &&
			interpreted(p[0]) == interpreted(q[0])
	}
	return len(p) == len(q) && a.User == b.User && a.Unit == b.Unit && a.ContainerID == b.ContainerID
}

// sameUser reports whether p and q run as the same user. A service of systemd opens its
// port as root and becomes another user a little later.
func sameUser(p, q monitor.Owner) bool {
	return p.User == q.User ||
		(p.User == "root" || q.User == "root") && strings.HasSuffix(p.Unit, ".service") && p.Unit == q.Unit
}

// Due returns the pending alerts that are due now.
func (w *Watcher) Due(now time.Time) []Alert {
	alerts := w.crashes(now)
	w.pendingCloses = slices.DeleteFunc(w.pendingCloses, func(k pendingClose) bool {
		if now.Before(k.due) {
			return false
		}
		alerts = append(alerts, w.reportClose(k)...)
		return true
	})
	alerts = w.limit(now, alerts)
	for s, t := range w.limits {
		if now.Before(t.due()) {
			continue
		}
		if t.suppressed > 0 {
			alerts = append(alerts, t.summary())
		}
		switch {
		case now.Before(t.begin.Add(minute)):
			t.suppressed, t.summaries = 0, t.summaries+1
		case t.suppressed == 0:
			delete(w.limits, s)
		default:
			*t = rateLimit{begin: now, sent: 1, restarts: maxRestartsPerMinute, lastAt: t.lastAt, gaps: t.gaps}
		}
	}
	slices.SortStableFunc(alerts, func(a, b Alert) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Listener.Port, b.Listener.Port)) })
	return alerts
}

// crashes returns the alerts about the crashes that are due.
func (w *Watcher) crashes(now time.Time) (alerts []Alert) {
	for i := range w.pendingCloses {
		k := &w.pendingCloses[i]
		if k.crash.IsZero() || now.Before(k.crash) {
			continue
		}
		if w.crashed(*k) {
			alerts = append(alerts, w.reportClose(*k)...)
			k.told = true
		}
		k.crash = time.Time{}
	}
	return alerts
}

// NextDue returns the earliest time at which Due may return something; the zero
// time if nothing is pending.
func (w *Watcher) NextDue() time.Time {
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, k := range w.pendingCloses {
		earlier(k.due)
		if !k.crash.IsZero() {
			earlier(k.crash)
		}
	}
	for _, t := range w.limits {
		earlier(t.due())
	}
	return next
}

// limit holds back alerts beyond the rate limit of a subject. An owner change or
// exposure is urgent and has its own limit, so that other alerts cannot crowd it
// out.
func (w *Watcher) limit(now time.Time, alerts []Alert) []Alert {
	var passed []Alert
	for _, a := range alerts {
		s := subjectOf(a)
		t := w.limits[s]
		if t == nil {
			t = &rateLimit{begin: now}
			w.limits[s] = t
		}
		t.count(now)
		if urgent := a.Kind == OwnerChanged || a.Kind == Exposed; urgent && t.urgent < maxPerMinute {
			t.urgent++
			passed = append(passed, a)
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
		passed = append(passed, a)
	}
	return passed
}

// subjectOf returns the subject that the limit of a counts for.
func subjectOf(a Alert) subject {
	if a.Rule.FollowsService() {
		return subject{rule: a.Rule.Name + "\x00" + a.Rule.Match.text}
	}
	return subject{port: a.Listener.Port}
}
