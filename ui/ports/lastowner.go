package ports

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/words"
)

// lastOwners knows the last owners of ports: from the events of this window, or from the history.
// Cards and the empty page ask the same one, so that they agree.
type lastOwners struct {
	history History // nil if no history is kept
	changed func()  // called when a last owner has become known
	ports   map[portKey]pastOwner
	handed  map[string]time.Time // when a listener last changed its owner, by listener ID
}

// portKey identifies a port.
type portKey struct {
	protocol monitor.Protocol
	number   uint16
}

// pastOwner is the last owner of a port.
type pastOwner struct {
	tenure *history.Tenure // nil if unknown
	never  bool            // the history has no event of the port
	askAt  time.Time       // ask the history then; zero: it has been asked
}

// historyDelay is the time after which the agent has stored an event.
const historyDelay = 3 * time.Second

func newLastOwners(store History, changed func()) *lastOwners {
	return &lastOwners{history: store, changed: changed, ports: map[portKey]pastOwner{}, handed: map[string]time.Time{}}
}

// observe takes the last owners from events: the history has them only some seconds later.
func (o *lastOwners) observe(events []monitor.Event) {
	for _, e := range events {
		switch e.Kind {
		case monitor.OwnerChanged:
			o.handed[e.Listener.ID] = e.At
		case monitor.Closed:
			tenure := history.NewEvent(e, "").Tenure()
			if at, ok := o.handed[e.Listener.ID]; ok {
				tenure.From, tenure.AlreadyOpen = at, false
				delete(o.handed, e.Listener.ID)
			}
			o.ports[portKey{e.Listener.Protocol, e.Listener.Port}] = pastOwner{tenure: &tenure, askAt: e.At.Add(historyDelay)}
		}
	}
}

// text returns the last owner of a port as text; "" while it is unknown. It asks the history if
// needed.
func (o *lastOwners) text(protocol monitor.Protocol, number uint16, now time.Time) string {
	of := portKey{protocol, number}
	past, known := o.ports[of]
	if !known || !past.askAt.IsZero() && !now.Before(past.askAt) {
		o.ask(of)
		past = o.ports[of]
	}
	switch {
	case past.tenure != nil:
		return words.LastOwner(*past.tenure, now)
	case past.never:
		return lang.L("never seen open")
	}
	return ""
}

// sentence is like text, for a line of its own.
func (o *lastOwners) sentence(protocol monitor.Protocol, number uint16, now time.Time) string {
	text := o.text(protocol, number, now)
	if text != "" && o.ports[portKey{protocol, number}].tenure == nil {
		return lang.L("Never seen open")
	}
	return text
}

// ask looks the last owner of a port up in the history.
func (o *lastOwners) ask(of portKey) {
	past := o.ports[of]
	past.askAt = time.Time{}
	o.ports[of] = past
	if o.history == nil {
		return
	}
	o.history.LastOwner(of.protocol, of.number, func(tenure history.Tenure, known bool, err error) {
		past := o.ports[of]
		switch {
		case err != nil:
			return
		case !known && past.tenure == nil:
			past.never = true
		case known && !isOlder(tenure, past.tenure):
			past.tenure, past.never = &tenure, false
		default:
			return
		}
		o.ports[of] = past
		o.changed()
	})
}

// isOlder reports whether the history's tenure a is older than b, which was seen to end: the
// history lags behind, and rounds times.
func isOlder(a history.Tenure, b *history.Tenure) bool {
	return b != nil && (a.To.IsZero() || a.To.Before(b.To.Add(-time.Second)))
}
