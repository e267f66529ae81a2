// Package label applies what the user has noted about listeners: names and notes for
// ports and services, and rules that hide what is familiar. It is pure: it has no files
// and no goroutines of its own.
package label

import (
	"slices"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// The longest name and note, in characters; longer ones are cut.
const (
	MaxName = 60
	MaxNote = 200
)

// Label is a name and a note for a port, or for a service wherever it listens.
type Label struct {
	On   watch.Rule `json:"on"` // only its ports, protocol and words
	Name string     `json:"name"`
	Note string     `json:"note,omitempty"`
}

// Cleaned returns the label with a name and a note that are safe to show and not too
// long.
func (b Label) Cleaned() Label {
	b.Name, b.Note = monitor.Clean(b.Name, MaxName), monitor.Clean(b.Note, MaxNote)
	return b
}

// Equal reports whether both labels are written identically.
func (b Label) Equal(c Label) bool { return b.On.Equal(c.On) && b.Name == c.Name && b.Note == c.Note }

// OfPort returns a label for the port of l, whoever listens there.
func OfPort(l *monitor.Listener) Label {
	on := watch.Rule{Ports: monitor.Ports{{First: l.Port, Last: l.Port}}}
	if l.Protocol == monitor.UDP {
		on.Protocol = monitor.UDP
	}
	return Label{On: on}
}

// OfService returns a label for the service of l, wherever it listens: the words are its
// program and its project. It returns false if the owner is unknown.
func OfService(l *monitor.Listener) (Label, bool) {
	o, ok := l.Principal()
	pattern, err := watch.Exactly(o.Name, l.Project)
	if !ok || o.Name == "" || err != nil {
		return Label{}, false
	}
	return Label{On: watch.Rule{Match: pattern}}, true
}

// specific returns how specific a label is: one for a service on a port comes before one
// for a port, and that before one for a service.
func (b Label) specific() int {
	n := 0
	if len(b.On.Ports) > 0 {
		n += 2
	}
	if !b.On.Match.IsZero() {
		n++
	}
	return n
}

// Rules are all labels and hiding rules, in the user's order. The zero value names and
// hides nothing.
type Rules struct {
	Labels []Label
	Hidden []Hidden
}

// Of returns the label of l, the most specific one that is about l and otherwise the
// first; false if there is none.
func (r Rules) Of(l *monitor.Listener) (best Label, ok bool) {
	for _, b := range r.Labels {
		if (!ok || b.specific() > best.specific()) && b.On.IsAbout(l) {
			best, ok = b, true
		}
	}
	return best, ok
}

// NameOf returns the name of the label of l; "" without one.
func (r Rules) NameOf(l *monitor.Listener) string {
	b, _ := r.Of(l)
	return b.Name
}

// Describe sets the label and the note of l, and whether it is hidden.
func (r Rules) Describe(l *monitor.Listener) {
	b, _ := r.Of(l)
	l.Label, l.Note = b.Name, b.Note
	l.Hidden = slices.ContainsFunc(r.Hidden, func(h Hidden) bool { return h.Hides(l) })
}

// Equal reports whether both have the same labels and rules in the same order.
func (r Rules) Equal(s Rules) bool {
	return slices.EqualFunc(r.Labels, s.Labels, Label.Equal) && slices.EqualFunc(r.Hidden, s.Hidden, Hidden.Equal)
}

// Resembles reports whether b may be an edited version of c: they are about the same
// ports or words.
func (b Label) Resembles(c Label) bool { return b.On.Resembles(c.On) }
