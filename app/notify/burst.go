package notify

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// Times and limits of a burst.
const (
	burstWindow    = 3 * time.Second        // alerts this soon after another belong to the same burst
	maxBurstTime   = 10 * time.Second       // after this time a burst gets another notification: desktops hide popups about then
	updateInterval = time.Second            // between updates of a notification
	ownerWait      = 300 * time.Millisecond // how long a new notification waits for owners that are being searched
	maxBurst       = 1000                   // ports of a burst
	manyChanges    = 4                      // changes of one port in a burst from which on they are only counted
)

// burst is a series of alerts with little time between them. One notification
// shows it.
type burst struct {
	entries             []entry // oldest first
	key                 string  // of the notification that shows it; "" until then
	summaryKey          string
	title, body         string    // of that notification
	begin, last, shown  time.Time // of the first alert, of the last one, and of the last update
	changed, identified bool      // since the last update: by alerts, by owners
}

// entry is what a burst contains about one port: the newest alert, and the number
// of alerts.
type entry struct {
	watch.Alert
	changes int
}

// same reports whether two alerts are about the same port.
func same(a, b *watch.Alert) bool {
	return a.Listener.Port == b.Listener.Port && a.Listener.Protocol == b.Listener.Protocol ||
		a.Kind == watch.Moved && a.Before.Port == b.Listener.Port && a.Before.Protocol == b.Listener.Protocol
}

// statesOpen reports whether the text for a states that the port is open.
func statesOpen(a watch.Alert) bool {
	return a.Kind != watch.Closed && a.Kind != watch.Crashed && !a.NowClosed
}

// add adds an alert. It replaces an earlier one about the same port.
func (b *burst) add(a watch.Alert) {
	e := entry{a, max(a.Count, 1)}
	for i := len(b.entries) - 1; i >= 0; i-- { // a moved service ends two entries
		old := &b.entries[i]
		if !same(&a, &old.Alert) {
			continue
		}
		e.changes += old.changes
		if old.Kind == watch.Exposed && (a.Kind == watch.Opened || a.Kind == watch.Restarted) && a.Listener.Exposure.IsExposed() {
			e.Kind = watch.Exposed // a restart must not hide it
		}
		b.entries = slices.Delete(b.entries, i, i+1)
	}
	b.entries = append(b.entries, e)
	b.changed = true
}

// alert returns the alert to show for e: the newest, or the number of changes.
func (e entry) alert() watch.Alert {
	a := e.Alert
	if e.changes >= manyChanges && a.Kind != watch.Exposed && a.Kind != watch.NewlyExposed && a.Kind != watch.OwnerChanged {
		a.NowClosed = !statesOpen(a)
		a.Kind, a.Count = watch.Flapping, e.changes
	}
	return a
}

// drop removes entries and reports whether there were any.
func (b *burst) drop(outdated func(watch.Alert) bool) bool {
	before := len(b.entries)
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool { return outdated(e.Alert) })
	b.changed = b.changed || len(b.entries) < before
	return len(b.entries) < before
}

// contains reports whether all ports of old are in b, which is newer.
func (b *burst) contains(old *burst) bool {
	return !slices.ContainsFunc(old.entries, func(o entry) bool {
		return !slices.ContainsFunc(b.entries, func(e entry) bool { return same(&e.Alert, &o.Alert) })
	})
}

// identify sets the owner of alerts about l without one.
func (b *burst) identify(l *monitor.Listener) {
	for i := range b.entries {
		if e := &b.entries[i]; e.Listener.ID == l.ID && len(e.Listener.Owners) == 0 && statesOpen(e.Alert) {
			e.Listener, b.identified = l, true
		}
	}
}

// due returns when to show what has changed.
func (b *burst) due() time.Time {
	switch {
	case b.key != "":
		return b.shown.Add(updateInterval)
	case slices.ContainsFunc(b.entries, func(e entry) bool { return statesOpen(e.Alert) && !watch.OwnerSettled(e.Listener) }):
		return b.begin.Add(ownerWait)
	}
	return b.begin
}

// notification returns the notification that shows the burst, which must not be
// empty.
func (b *burst) notification() Notification {
	var n Notification
	if len(b.entries) == 1 {
		n = forAlert(b.entries[0].alert())
	} else {
		n = summarize(b.alerts())
		n.Key = b.summaryKey
	}
	if b.key != n.Key {
		n.ReplacesKey = b.key
	}
	n.Correction = b.key != "" && !b.changed
	return n
}

func (b *burst) alerts() []watch.Alert {
	alerts := make([]watch.Alert, len(b.entries))
	for i, e := range b.entries {
		alerts[i] = e.alert()
		alerts[i].Count = e.changes
	}
	return alerts
}

// addAlerts adds alerts to the current burst, or begins one.
func (w *Worker) addAlerts(ctx context.Context, alerts []watch.Alert) {
	now := time.Now()
	if b := w.current; b != nil && now.Sub(b.begin) >= maxBurstTime {
		w.show(ctx, b)
		w.current = nil
	}
	if w.current == nil {
		w.bursts++
		w.current = &burst{summaryKey: "burst " + strconv.Itoa(w.bursts), begin: now}
	}
	b := w.current
	for _, a := range alerts {
		b.add(a)
	}
	b.last = now
	if over := len(b.entries) - maxBurst; over > 0 {
		w.log.Warn("too many alerts at once; the oldest are dropped", "dropped", over)
		b.entries = slices.Delete(b.entries, 0, over)
	}
}

// showDue shows the current burst if that is due, and ends it some time after its
// last alert. It returns the time until it must be called again.
func (w *Worker) showDue(ctx context.Context) time.Duration {
	b := w.current
	if b == nil {
		return time.Hour
	}
	if len(b.entries) == 0 { // all of its ports have closed
		w.forget(ctx, b)
		w.current = nil
		return time.Hour
	}
	if b.changed || b.identified {
		if wait := time.Until(b.due()); wait > 0 {
			return wait
		}
		w.show(ctx, b)
	}
	end := b.last.Add(burstWindow)
	if limit := b.begin.Add(maxBurstTime); limit.Before(end) {
		end = limit
	}
	if wait := time.Until(end); wait > 0 {
		return wait
	}
	w.current = nil
	return time.Hour
}

// show shows what has changed in b.
func (w *Worker) show(ctx context.Context, b *burst) {
	if len(b.entries) == 0 || !b.changed && !b.identified {
		return
	}
	n := b.notification()
	n.Sound = b.key == "" && n.SoundName != watch.NoSound && (n.SoundName != "" || w.sound.Load())
	b.changed, b.identified = false, false
	if b.key == n.Key && b.title == n.Title && b.body == n.Body {
		return
	}
	b.shown = time.Now()
	for _, old := range slices.Clone(w.shown) {
		if old != b && old.key != n.Key && b.contains(old) {
			w.forget(ctx, old)
		}
	}
	w.shown = slices.DeleteFunc(w.shown, func(old *burst) bool { return old == b || old.key == n.Key })
	if w.deliver(ctx, n) != nil {
		return // onResult has reported it
	}
	b.key, b.title, b.body = n.Key, n.Title, n.Body
	w.shown = append(w.shown, b)
	w.shown = slices.Delete(w.shown, 0, max(0, len(w.shown)-maxShown))
}

// forget withdraws the notification of b, if there is one.
func (w *Worker) forget(ctx context.Context, b *burst) {
	w.shown = slices.DeleteFunc(w.shown, func(other *burst) bool { return other == b })
	if b.key != "" {
		w.withdraw(ctx, b.key)
	}
}

// dropClosed removes alerts that state that these listeners are open, and
// withdraws notifications that contained nothing else.
func (w *Worker) dropClosed(ctx context.Context, listeners []*monitor.Listener) {
	closed := map[port]bool{}
	for _, l := range listeners {
		closed[portOf(l)] = true
	}
	outdated := func(a watch.Alert) bool { return statesOpen(a) && closed[portOf(a.Listener)] }
	if w.current != nil {
		w.current.drop(outdated)
	}
	for _, b := range slices.Clone(w.shown) {
		if b != w.current && b.drop(outdated) && len(b.entries) == 0 {
			w.forget(ctx, b)
		}
	}
}

// port identifies a port.
type port struct {
	protocol monitor.Protocol
	number   uint16
}

func portOf(l *monitor.Listener) port { return port{cmp.Or(l.Protocol, monitor.TCP), l.Port} }

// correct adds the owners of listeners to the notifications about them.
func (w *Worker) correct(ctx context.Context, listeners []*monitor.Listener) {
	all := w.shown
	if w.current != nil {
		all = append(slices.Clone(w.shown), w.current)
	}
	for _, b := range slices.Clone(all) {
		for _, l := range listeners {
			b.identify(l)
		}
		if b != w.current && b.identified {
			b.changed = false // closes alone are no reason to show an old notification again
			w.show(ctx, b)
		}
	}
}
