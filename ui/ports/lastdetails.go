package ports

import (
	"reflect"
	"slices"
	"time"

	"porthole/monitor"
)

// lastDetails keeps the details of the selected listener. A probe comes every two seconds,
// and masking the command lines of a process and its parents takes a millisecond, which
// was a fifth of the CPU time of a window in which nothing changed.
type lastDetails struct {
	listener  *monitor.Listener
	ambiguous bool
	live      monitor.ProcessState
	started   string // changes at least as often as everything else that depends on the time
	model     detailsModel
}

// of returns what newDetails returns. The caller may change the result.
func (d *lastDetails) of(l *monitor.Listener, ambiguous bool, live monitor.ProcessState, now time.Time) detailsModel {
	live.Resources = monitor.Resources{} // not among the details
	o, _ := l.Principal()
	started := startedText(o, now)
	if d.listener != l || d.ambiguous != ambiguous || d.started != started || !reflect.DeepEqual(d.live, live) {
		*d = lastDetails{l, ambiguous, live, started, newDetails(l, ambiguous, live, now)}
	}
	m := d.model
	m.facts = slices.Clone(m.facts)
	return m
}
