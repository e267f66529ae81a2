// Package lastowner knows who had a port last: from the events of this process, which the
// stored history contains only some seconds later, or else from the history. Window and tray
// use it, so that they agree with each other and with the command line.
package lastowner

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// HistoryDelay is the time after which the history contains an event.
const HistoryDelay = 3 * time.Second

// Port identifies a port.
type Port struct {
	Protocol monitor.Protocol
	Number   uint16
}

// Source looks up the last tenure of a port in the history. known is false if the history has
// no event of the port. It calls done once, on the goroutine of the Book, immediately or later.
type Source func(p Port, done func(tenure history.Tenure, known bool, err error))

// Book has the last owners of ports. Create it with New. It is not safe for concurrent use.
type Book struct {
	source  Source // nil if no history is kept
	changed func() // called when an answer of source has changed a last owner
	ports   map[Port]entry
	handed  map[string]time.Time // when a listener last changed its owner, by listener ID
}

// entry is what is known of a port.
type entry struct {
	tenure *history.Tenure // nil if unknown
	never  bool            // the history has no event of the port
	askAt  time.Time       // ask the history then; zero: it has been asked
	// recheck means that the history contains the tenure unless it was erased.
	recheck bool
}

// New returns an empty Book. source may be nil. changed is called after a later answer of
// source has changed what Last returns.
func New(source Source, changed func()) *Book {
	return &Book{source: source, changed: changed, ports: map[Port]entry{}, handed: map[string]time.Time{}}
}

// Observe takes the last owners from events, which must be complete and in order.
func (b *Book) Observe(events []monitor.Event) {
	for _, e := range events {
		switch e.Kind {
		case monitor.OwnerChanged:
			b.handed[e.Listener.ID] = e.At
		case monitor.Closed:
			tenure := history.NewEvent(e, "").Tenure()
			if at, ok := b.handed[e.Listener.ID]; ok {
				tenure.From, tenure.AlreadyOpen = at, false
				delete(b.handed, e.Listener.ID)
			}
			b.ports[Port{e.Listener.Protocol, e.Listener.Port}] = entry{tenure: &tenure, askAt: e.At.Add(HistoryDelay)}
		}
	}
}

// Last returns the last tenure of a port; nil while it is unknown. never reports that the history
// has no event of the port. Last asks the history if needed; its answer may come later.
func (b *Book) Last(p Port, now time.Time) (tenure *history.Tenure, never bool) {
	known, ok := b.ports[p]
	if !ok || !known.askAt.IsZero() && !now.Before(known.askAt) {
		b.ask(p)
		known = b.ports[p]
	}
	return known.tenure, known.never
}

// LastOf returns the latest of the last tenures of ports of protocol; nil while none is known. never
// reports that the history has no event of any of them.
func (b *Book) LastOf(protocol monitor.Protocol, ports []uint16, now time.Time) (latest *history.Tenure, never bool) {
	never = len(ports) > 0
	for _, port := range ports {
		tenure, isNew := b.Last(Port{protocol, port}, now)
		never = never && isNew
		if tenure != nil && (latest == nil || endOf(tenure).After(endOf(latest))) {
			latest = tenure
		}
	}
	return latest, never
}

// endOf returns the end of a tenure, or its begin if the end is unknown.
func endOf(t *history.Tenure) time.Time {
	if t.To.IsZero() {
		return t.From
	}
	return t.To
}

// Keep forgets all ports but those that keep returns true for.
func (b *Book) Keep(keep func(Port) bool) {
	for p := range b.ports {
		if !keep(p) {
			delete(b.ports, p)
		}
	}
}

// Recheck makes Last ask the history about every port again, because it may have been erased.
// Until it answers, Last returns what it returned before.
func (b *Book) Recheck() {
	for p, e := range b.ports {
		if e.askAt.IsZero() { // otherwise the history may lag behind
			e.askAt, e.recheck = time.Unix(0, 0), true
			b.ports[p] = e
		}
	}
}

// ask looks the last tenure of p up in the history.
func (b *Book) ask(p Port) {
	e := b.ports[p]
	e.askAt = time.Time{}
	b.ports[p] = e
	if b.source == nil {
		return
	}
	b.source(p, func(tenure history.Tenure, known bool, err error) {
		e, ok := b.ports[p]
		switch {
		case err != nil || !ok:
			return
		case !known && e.tenure == nil:
			e.never = true
		case !known && e.recheck:
			e.tenure = nil
		case known && !isOlder(tenure, e.tenure):
			e.tenure, e.never = &tenure, false
		default:
			return
		}
		b.ports[p] = e
		b.changed()
	})
}

// isOlder reports whether the history's tenure a is older than b, which was seen to end: the
// history lags behind, and rounds times.
func isOlder(a history.Tenure, b *history.Tenure) bool {
	return b != nil && (a.To.IsZero() || a.To.Before(b.To.Add(-time.Second)))
}
