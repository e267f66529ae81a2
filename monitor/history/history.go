// Package history defines the stored events: what opened, closed, changed owner
// or exposure, and who owned a port before. It has the types and the queries;
// package store answers them from a file.
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

// Event is one stored event. Times are UTC. Unknown fields are empty.
type Event struct {
	ID        int64 // increases with each stored event
	At        time.Time
	Kind      monitor.Kind // one of those that Stored reports
	Protocol  monitor.Protocol
	Port      uint16
	Addresses []netip.Addr
	Exposure  monitor.Exposure
	Listener  string // listener ID, unique within Boot
	Boot      string // boot ID; "" if the system has none
	Owner     Owner  // the principal owner; for Closed the last one

	OwnerBefore    *Owner           // only OwnerChanged: the previous owner
	ExposureBefore monitor.Exposure // only ExposureChanged: the previous exposure

	// Unobserved is set for a Closed that happened while Porthole was not
	// running; At is when Porthole noticed it.
	Unobserved  bool
	OpenedAt    time.Time     // with AlreadyOpen, when Porthole first saw it
	AlreadyOpen bool          // it was open before Porthole first polled it
	Duration    time.Duration // only Closed: from OpenedAt to At; see Certainty
	Stopped     string        // only Closed: how the user stopped the owners: "SIGTERM", "docker stop web"; "" if they did not
	Exit        monitor.Exit  // only Closed: how the owner ended, if it ended and that is known

	Attempts int            // only Attempted: how many, a lower limit; Duration is the time from the first to the last
	Client   monitor.Client // only Connected; cleaned

	Health monitor.HealthAnswer // only Unhealthy and Healthy, whose Duration is how long it was unhealthy
}

// Owner is the stored owner of a listener: the command is masked, and long fields
// are truncated.
type Owner struct {
	PID       int
	Name      string
	User      string
	Project   string
	Service   string
	Program   string
	Folder    string
	Command   []string // masked
	Unit      string   // systemd unit, if the owner is unknown
	Container string   // container ID, if the owner is unknown
	Inferred  bool     // the process is the only one in the unit or container; it was not seen to hold the socket
}

// Position is the place of an event in the history, which is ordered by time, and by ID among
// events of the same time. An event can be stored after later ones: attempts to connect are
// stored when they have ended. The zero value is no place.
type Position struct {
	At time.Time
	ID int64
}

// Position returns the place of e.
func (e Event) Position() Position { return Position{e.At, e.ID} }

// IsZero reports whether p is no place.
func (p Position) IsZero() bool { return p == Position{} }

// Compare returns a negative number if p is older than q, and a positive one if it is newer.
func (p Position) Compare(q Position) int {
	return cmp.Or(p.At.Compare(q.At), cmp.Compare(p.ID, q.ID))
}

// Crashed reports whether e says that a listener closed because its owner failed, and not
// because the user stopped it.
func (e Event) Crashed() bool {
	return e.Kind == monitor.Closed && e.Stopped == "" && e.Exit.Crashed()
}

// AcceptsLoopback reports whether a client on this machine could connect through
// loopback.
func (e Event) AcceptsLoopback() bool {
	return slices.ContainsFunc(e.Addresses, monitor.AcceptsLoopback)
}

// Tenure is the time during which one owner had a port.
type Tenure struct {
	Owner       Owner
	Protocol    monitor.Protocol
	Port        uint16
	From        time.Time
	AlreadyOpen bool         // it was open before From, which is when Porthole first saw it
	To          time.Time    // zero if it goes on, or if Porthole stopped polling it
	Unobserved  bool         // it ended before To, while Porthole was not running
	Exit        monitor.Exit // how the owner ended, if it ended then and that is known
}

// Tenure returns the tenure of e's owner, as far as e contains it.
func (e Event) Tenure() Tenure {
	s := Tenure{Owner: e.Owner, Protocol: e.Protocol, Port: e.Port, From: e.OpenedAt, AlreadyOpen: e.AlreadyOpen}
	switch e.Kind {
	case monitor.Closed:
		s.To, s.Unobserved, s.Exit = e.At, e.Unobserved, e.Exit
	case monitor.OwnerChanged:
		s.From, s.AlreadyOpen = e.At, false
	}
	return s
}

// Certainty is the accuracy of a duration.
type Certainty int

// The values of Certainty.
const (
	Exact   Certainty = iota
	AtLeast           // it was open before Porthole first polled it
	AtMost            // it ended while Porthole was not running
	Unknown           // both
)

// Certainty returns how exact the duration of a Closed is.
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

// Query selects events. The zero value selects the newest events of TCP listeners
// that are reachable through loopback.
type Query struct {
	Ports        monitor.Ports // nil: all
	Text         string        // words, all of which must occur in the name, project, user, service, command, unit or container, or be the PID or a prefix of an address or the port; "-word" excludes
	Since        time.Time     // inclusive
	Until        time.Time     // exclusive
	Before       Position      // only events before this one: the end of the last page
	After        Position      // only events after this one
	OldestFirst  bool          // oldest first
	Limit        int           // 0: DefaultLimit
	AllAddresses bool          // also listeners that are not reachable through loopback
	UDP          bool          // include UDP
}

// DefaultLimit is the limit of a query without one.
const DefaultLimit = 200

// Words returns the words of q.Text in lower case: those that must occur, and
// those after a "-", which must not. "--port" is a word of a command line.
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

// HourCount is the number of events in one hour.
type HourCount struct {
	Start time.Time
	Count int
}

// Reader answers queries. It is safe for concurrent use. Its methods read a file,
// so they must not be called on the user interface's goroutine.
type Reader interface {
	// Events returns the events that q selects, newest first by default.
	Events(ctx context.Context, q Query) ([]Event, error)
	// ListenerEvents returns all events of the listener with this ID in the last
	// boot in which it existed, oldest first.
	ListenerEvents(ctx context.Context, listener string) ([]Event, error)
	// LastOwner returns the last tenure of any of the ports of protocol, and false if
	// there are no events of them.
	LastOwner(ctx context.Context, protocol monitor.Protocol, ports monitor.Ports) (Tenure, bool, error)
	// CountByHour counts the events that q selects in each hour with events,
	// oldest first. q.Limit is ignored; set q.Since.
	CountByHour(ctx context.Context, q Query) ([]HourCount, error)
}

// Forget selects what to erase: exactly one field is set.
type Forget struct {
	Port       uint16
	Project    string
	Everything bool
}

// Stored reports whether events of this kind are stored. Of the others, Updated
// only completes what is known of a listener, and Unlisted ends its tracking
// without an event, because whether it closed is unknown.
func Stored(k monitor.Kind) bool {
	switch k {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Discovered, monitor.Attempted, monitor.Connected, monitor.Unhealthy, monitor.Healthy:
		return true
	}
	return false
}

// NewEvent returns the stored form of c, without an ID. boot is the boot ID.
// Secrets in commands are masked here, before anything is stored.
func NewEvent(c monitor.Event, boot string) Event {
	l := c.Listener
	e := Event{
		At: c.At.UTC(), Kind: c.Kind, Stopped: monitor.Clean(c.Stopped, 120), Protocol: l.Protocol, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure,
		Listener: l.ID, Boot: boot, Owner: OwnerOf(l), OpenedAt: l.Since.UTC(), AlreadyOpen: l.Since.IsZero(),
	}
	switch c.Kind {
	case monitor.Closed:
		if !e.AlreadyOpen {
			e.Duration = max(c.At.Sub(l.Since), 0) // both times have monotonic readings: setting the clock does not change it
		}
		e.Exit = c.Exit
	case monitor.Discovered:
		e.OpenedAt = e.At
	case monitor.Attempted:
		e.Attempts, e.Duration, e.AlreadyOpen, e.OpenedAt = c.Attempts, c.Lasted, false, time.Time{}
	case monitor.Connected:
		e.Client = c.Client.Clean(maxName)
	case monitor.Unhealthy, monitor.Healthy:
		e.Health, e.Duration = c.Health, c.Lasted
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

// Limits for the fields of an owner: a command line can have 2 MB.
const (
	maxName      = 256
	maxPath      = 1024
	maxArguments = 64
	maxCommand   = 2048
)

// OwnerOf returns the owner of l as it is stored.
func OwnerOf(l *monitor.Listener) Owner {
	o, seen := l.Principal()
	inferred := false
	if !seen && l.Inferred != nil {
		o, inferred = *l.Inferred, true
	}
	return Owner{
		PID: o.PID, Name: truncate(o.Name, maxName), User: truncate(cmp.Or(o.User, l.User), maxName),
		Project: truncate(cmp.Or(l.Project, o.Project), maxName), Service: truncate(l.Service, maxName),
		Program: truncate(o.Program, maxPath), Folder: truncate(o.Folder, maxPath), Command: redactedCommand(o.Command),
		Unit: truncate(l.Unit, maxName), Container: truncate(l.ContainerID, maxName), Inferred: inferred,
	}
}

// redactedCommand redacts args before it truncates them, because a truncated secret
// might not be recognized.
func redactedCommand(args []string) []string {
	left := maxCommand
	var out []string
	for i, arg := range monitor.RedactCommand(args) {
		if i == maxArguments || left <= 0 {
			return append(out, "…")
		}
		arg = truncate(arg, left)
		left -= len(arg)
		out = append(out, arg)
	}
	return out
}

// truncate returns s as valid UTF-8 with at most limit bytes, plus an ellipsis if
// it was cut.
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
