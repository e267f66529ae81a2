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

// Source looks up the last tenure of any of ports in the history. known is false if the history has
// no event of them. It calls done once, on the goroutine of the Book, immediately or later.
type Source func(protocol monitor.Protocol, ports monitor.Ports, done func(tenure history.Tenure, known bool, err error))

// Book has the last owners of ports. Create it with New. It is not safe for concurrent use.
type Book struct {
	source  Source // nil if no history is kept
	changed func() // called when an answer of source has changed a last owner
	ports   map[Port]*entry
	ranges  map[rangeKey]*entry
	handed  map[string]time.Time // when a listener last changed its owner, by listener ID
}

// rangeKey identifies several ports.
type rangeKey struct {
	protocol monitor.Protocol
	ports    string // as monitor.Ports formats them
}

// entry is what is known of a port or of several.
type entry struct {
	tenure *history.Tenure // nil if unknown
	never  bool            // the history has no event of it
	askAt  time.Time       // ask the history then; zero: it has been asked
	gone   bool            // Keep has forgotten it
	// recheck means that the history contains the tenure unless it was erased.
	recheck bool
}

// New returns an empty Book. source may be nil. changed is called after a later answer of
// source has changed what Last returns.
func New(source Source, changed func()) *Book {
	return &Book{source: source, changed: changed, ports: map[Port]*entry{}, ranges: map[rangeKey]*entry{}, handed: map[string]time.Time{}}
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
			b.ports[Port{e.Listener.Protocol, e.Listener.Port}] = &entry{tenure: &tenure, askAt: e.At.Add(HistoryDelay)}
		}
	}
}

// Last returns the last tenure of a port; nil while it is unknown. never reports that the history
// has no event of the port. Last asks the history if needed; its answer may come later.
func (b *Book) Last(p Port, now time.Time) (tenure *history.Tenure, never bool) {
	e := b.ports[p]
	if e == nil {
		e = &entry{askAt: now}
		b.ports[p] = e
	}
	b.askIfDue(e, p.Protocol, monitor.Ports{{First: p.Number, Last: p.Number}}, now)
	return e.tenure, e.never
}

// LastOf returns the latest tenure of any of ports, which is that of the port that closed last; nil
// while it is unknown. never reports that the history has no event of any of them.
func (b *Book) LastOf(protocol monitor.Protocol, ports monitor.Ports, now time.Time) (latest *history.Tenure, never bool) {
	if port, single := ports.Single(); single {
		return b.Last(Port{protocol, port}, now)
	}
	key := rangeKey{protocol, ports.String()}
	e := b.ranges[key]
	if e == nil {
		e = &entry{askAt: now}
		b.ranges[key] = e
	}
	b.askIfDue(e, protocol, ports, now)
	latest = e.tenure
	for p, of := range b.ports { // what closed after the history was asked
		if p.Protocol == protocol && of.tenure != nil && ports.Contains(p.Number) && (latest == nil || endOf(of.tenure).After(endOf(latest))) {
			latest = of.tenure
		}
	}
	return latest, e.never && latest == nil
}

// endOf returns the end of a tenure, or its begin if the end is unknown.
func endOf(t *history.Tenure) time.Time {
	if t.To.IsZero() {
		return t.From
	}
	return t.To
}

// Keep forgets all single ports but those that keep returns true for.
func (b *Book) Keep(keep func(Port) bool) {
	for p, e := range b.ports {
		if !keep(p) {
			e.gone = true
			delete(b.ports, p)
		}
	}
}

// Recheck makes Last ask the history about every port again, because it may have been erased.
// Until it answers, Last returns what it returned before.
func (b *Book) Recheck() {
	recheck := func(e *entry) {
		if e.askAt.IsZero() { // otherwise the history may lag behind
			e.askAt, e.recheck = time.Unix(0, 0), true
		}
	}
	for _, e := range b.ports {
		recheck(e)
	}
	for _, e := range b.ranges {
		recheck(e)
	}
}

// askIfDue looks the last tenure of ports up in the history if it has not been asked or has
// changed.
func (b *Book) askIfDue(e *entry, protocol monitor.Protocol, ports monitor.Ports, now time.Time) {
	if e.askAt.IsZero() || now.Before(e.askAt) {
		return
	}
	e.askAt = time.Time{}
	if b.source == nil {
		return
	}
	b.source(protocol, ports, func(tenure history.Tenure, known bool, err error) {
		switch {
		case err != nil || e.gone:
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
		b.changed()
	})
}

// isOlder reports whether the history's tenure a is older than b, which was seen to end: the
// history lags behind, and rounds times.
func isOlder(a history.Tenure, b *history.Tenure) bool {
	return b != nil && (a.To.IsZero() || a.To.Before(b.To.Add(-time.Second)))
}
