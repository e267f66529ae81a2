// Package activity is what Porthole remembers: what opened, closed, changed
// hands or reach, and who had a port before. It holds the types and the
// questions; package store answers them from a file.
package history

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"porthole/monitor"
)

// Event is one change as it is remembered. Times are UTC. What is unknown is
// empty.
type Event struct {
	ID        int64 // later ones are higher, whatever the clock did
	At        time.Time
	Kind      monitor.Kind // Opened, Found, OwnerChanged, ReachChanged or Closed
	Protocol  monitor.Protocol
	Port      uint16
	Addresses []netip.Addr
	Exposure  monitor.Exposure
	Listener  string // its id, which is one within Boot
	Boot      string // the run of the machine; "" where the system has no name for it
	Owner     Owner  // the principal one; for Closed the last

	OwnerBefore    *Owner           // only OwnerChanged: who had it
	ExposureBefore monitor.Exposure // only ReachChanged

	// Unobserved marks a Closed that nobody saw: it ended while Porthole was not
	// running, and At is when that was found.
	Unobserved  bool
	OpenedAt    time.Time     // or, with Older, when Porthole first saw it
	AlreadyOpen bool          // it was open before Porthole looked
	Duration    time.Duration // only Closed: from OpenedAt to At; see Spell
}

// Owner is who held a listener, as it is remembered: the command without its
// secrets, and nothing longer than it is worth.
type Owner struct {
	PID       int
	Name      string
	User      string
	Project   string
	Service   string
	Program   string
	Folder    string
	Command   []string // masked
	Unit      string   // systemd's, where the owner could not be seen
	Container string   // likewise
	Inferred  bool     // the process was not seen to hold it: it is alone in the unit or container
}

// Loopback reports whether a client on this machine could reach it through
// loopback.
func (e Event) Loopback() bool { return slices.ContainsFunc(e.Addresses, monitor.AcceptsLoopback) }

// Tenure is the time for which someone had a port.
type Tenure struct {
	Owner       Owner
	Protocol    monitor.Protocol
	From        time.Time
	AlreadyOpen bool      // it was open before From, which is when Porthole first looked
	To          time.Time // zero where no end is known: it goes on, or Porthole looked there no longer
	Unobserved  bool      // it ended before To, when Porthole was not running
}

// Tenure returns the time for which e's owner had the port, as far as e tells.
func (e Event) Tenure() Tenure {
	s := Tenure{Owner: e.Owner, Protocol: e.Protocol, From: e.OpenedAt, AlreadyOpen: e.AlreadyOpen}
	switch e.Kind {
	case monitor.Closed:
		s.To, s.Unobserved = e.At, e.Unobserved
	case monitor.OwnerChanged:
		s.From, s.AlreadyOpen = e.At, false
	}
	return s
}

// Certainty says what a duration is.
type Certainty int

// The certainties.
const (
	Exact   Certainty = iota
	AtLeast           // it was open before Porthole looked
	AtMost            // it ended while Porthole was not running
	Unknown           // both
)

// Certainty says what the duration of a Closed is worth.
func (e Event) Certainty() Certainty {
	switch {
	case e.AlreadyOpen && e.Unobserved, e.OpenedAt.IsZero():
		return Unknown
	case e.AlreadyOpen:
		return AtLeast
	case e.Unobserved:
		return AtMost
	}
	return Exact
}

// Query says which events are wanted. The zero value is the newest of what
// loopback reaches over TCP.
type Query struct {
	Ports        monitor.Ports // all where nil
	Text         string        // words that must all be in the name, project, user, service, command, unit or container, or be the PID or the beginning of an address or of the port; "-word" must not
	Since        time.Time     // not before
	Until        time.Time     // before
	Before       int64         // only events older than the one with this ID: where the last page ended
	After        int64         // only events newer than the one with this ID
	OldestFirst  bool          // the oldest first
	Limit        int           // DefaultLimit where 0
	AllAddresses bool          // every address, not only what loopback reaches
	UDP          bool          // UDP too
}

// DefaultLimit is how many events a question without a limit gets.
const DefaultLimit = 200

// Words returns the words of q.Text in lower case: those that must be there, and
// those behind a "-" that must not. "--port" is a word of a command.
func (q Query) Words() (with, without []string) {
	for _, w := range strings.Fields(strings.ToLower(q.Text)) {
		rest, not := strings.CutPrefix(w, "-")
		switch {
		case not && rest == "":
		case not && !strings.HasPrefix(rest, "-"):
			without = append(without, rest)
		default:
			with = append(with, w)
		}
	}
	return with, without
}

// HourCount is how much happened in one hour.
type HourCount struct {
	Start time.Time
	Count int
}

// Reader answers questions. Its methods may be called from any goroutine and
// read a file: not on one that must not wait.
type Reader interface {
	// Events returns what q asks for, the newest first unless it says otherwise.
	Events(ctx context.Context, q Query) ([]Event, error)
	// ListenerEvents returns all that is remembered of the listener with this id in its
	// last run of the machine, the oldest first.
	ListenerEvents(ctx context.Context, listener string) ([]Event, error)
	// LastOwner returns who had the port last, over TCP if anyone did, and
	// false where nothing is remembered of it.
	LastOwner(ctx context.Context, port uint16) (Tenure, bool, error)
	// CountByHour counts the events that q asks for in each hour that had any, the oldest
	// first and without a limit: q is to say since when.
	CountByHour(ctx context.Context, q Query) ([]HourCount, error)
}

// Forget says what is to be erased: one of the three.
type Forget struct {
	Port       uint16
	Project    string
	Everything bool
}

// Stored reports whether changes of this kind are events. Of the others,
// Updated completes what is known of a listener, and Dropped ends the following
// without a word: nobody saw it close.
func Stored(k monitor.Kind) bool {
	switch k {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Discovered:
		return true
	}
	return false
}

// NewEvent returns the event that c is, without an ID. boot names the run of the
// machine. Secrets in commands are masked here, before anything is stored.
func NewEvent(c monitor.Event, boot string) Event {
	l := c.Listener
	e := Event{
		At: c.At.UTC(), Kind: c.Kind, Protocol: l.Protocol, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure,
		Listener: l.ID, Boot: boot, Owner: OwnerOf(l), OpenedAt: l.Since.UTC(), AlreadyOpen: l.Since.IsZero(),
	}
	switch c.Kind {
	case monitor.Closed:
		if !e.AlreadyOpen {
			e.Duration = max(c.At.Sub(l.Since), 0) // both of one run: setting the clock does not change it
		}
	case monitor.Discovered:
		e.OpenedAt = e.At
	case monitor.OwnerChanged:
		if c.Before != nil {
			before := OwnerOf(c.Before)
			e.OwnerBefore = &before
		}
	case monitor.ExposureChanged:
		if c.Before != nil {
			e.ExposureBefore = c.Before.Exposure
		}
	}
	return e
}

// How much is remembered of one owner: a command line can be 2 MB long.
const (
	maxName      = 256
	maxPath      = 1024
	maxArguments = 64
	maxCommand   = 2048
)

// OwnerOf returns who holds l as it is to be remembered.
func OwnerOf(l *monitor.Listener) Owner {
	o, seen := l.Principal()
	inferred := false
	if !seen && l.Inferred != nil {
		o, inferred = *l.Inferred, true
	}
	return Owner{
		PID: o.PID, Name: truncate(o.Name, maxName), User: truncate(cmp.Or(o.User, l.User), maxName),
		Project: truncate(cmp.Or(l.Project, o.Project), maxName), Service: truncate(l.Service, maxName),
		Program: truncate(o.Program, maxPath), Folder: truncate(o.Folder, maxPath), Command: maskedCommand(o.Command),
		Unit: truncate(l.Unit, maxName), Container: truncate(l.ContainerID, maxName), Inferred: inferred,
	}
}

// maskedCommand masks before it shortens: what is cut off must not make a secret look
// like none.
func maskedCommand(args []string) []string {
	left := maxCommand
	var out []string
	for i, arg := range monitor.MaskCommand(args) {
		if i == maxArguments || left <= 0 {
			return append(out, "…")
		}
		arg = truncate(arg, left)
		left -= len(arg)
		out = append(out, arg)
	}
	return out
}

// truncate makes s valid text of at most limit bytes and an ellipsis.
func truncate(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "�")
	if cut {
		s += "…"
	}
	return s
}
