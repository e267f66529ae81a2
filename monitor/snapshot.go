// Package monitor sees what listens on this machine and tells what changed.
//
// The data goes one way: a [Table] gives the kernel's listening sockets, a
// [Finder] the processes that hold them, [Monitor] puts both together into
// immutable snapshots, and [Diff] tells two snapshots apart. The package
// imports none of its subpackages; they import it.
//
// This file is just the types.
package monitor

import (
	"net/netip"
	"time"
)

// Protocol is the transport protocol of a socket.
type Protocol string

// The protocols that Porthole knows.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// SocketID is the identity of one listening socket, as long as it listens. On
// Linux it is the kernel's 64-bit socket cookie (sock_diag(7)), which is never
// given twice between two boots. An inode number is not used: it is.
type SocketID uint64

// Socket is one listening kernel socket.
type Socket struct {
	ID       SocketID   `json:"id,omitempty"`
	Protocol Protocol   `json:"-"`
	Address  netip.Addr `json:"address"` // as the socket has it: 0.0.0.0, ::, ::ffff:127.0.0.1
	Port     uint16     `json:"-"`
	UID      uint32     `json:"-"`
	User     string     `json:"-"`                 // UID's name; the number where it has none; "" where unknown
	Inode    uint64     `json:"-"`                 // what /proc/PID/fd shows; 0 where unknown
	Cgroup   uint64     `json:"-"`                 // the control group it was made in (Linux: its inode number in cgroup2); 0 where unknown
	PID      int        `json:"-"`                 // where the table itself tells the owner; else 0
	BoundAt  uint64     `json:"-"`                 // when PID bound it, on the clock of Owner.Start, where the table tells; else 0
	V6Only   bool       `json:"v6_only,omitempty"` // [::] that does not take IPv4 connections
}

// Owner is a process that holds a socket, as it was when it was found to.
// What could not be read is empty.
type Owner struct {
	PID       int       `json:"pid"`
	Name      string    `json:"name,omitempty"`
	Command   []string  `json:"command,omitempty"` // raw: pass it through MaskCommand before it is shown
	Program   string    `json:"program,omitempty"`
	Folder    string    `json:"folder,omitempty"`
	User      string    `json:"user,omitempty"`
	ParentPID int       `json:"parent_pid,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`

	// Deleted says that Program's file is gone, or another one has its name:
	// what runs is not what is there.
	Deleted bool `json:"deleted,omitempty"`
	// Start makes PID an identity: a number that a later process with the
	// same PID does not have (Linux: field 22 of /proc/PID/stat, ticks since
	// boot). 0 where unknown.
	Start uint64 `json:"start,omitempty"`
	// Project is what Folder belongs to.
	Project string `json:"project,omitempty"`
	// Branch is the git branch that is checked out in Folder.
	Branch string `json:"branch,omitempty"`
	// Parents is the chain of parents, nearest first, as it was when the owner was first seen.
	Parents []Parent `json:"parents,omitempty"`
}

// Parent is one process in the chain above an owner.
type Parent struct {
	PID     int      `json:"pid"`
	Start   uint64   `json:"start,omitempty"`
	Name    string   `json:"name,omitempty"`
	Command []string `json:"command,omitempty"`
}

// HeldSocket is a socket of a listener with the PIDs of the owners that hold it.
type HeldSocket struct {
	Socket
	Owners []int `json:"owners"`
}

// Listener is one row of the table: the sockets of one protocol and port that
// hang together (see group). It is immutable.
type Listener struct {
	ID           string       `json:"id"` // stays as long as one of its sockets lives
	Protocol     Protocol     `json:"protocol"`
	Port         uint16       `json:"port"`
	Addresses    []netip.Addr `json:"addresses"` // sorted, each once
	Exposure     Exposure     `json:"reach"`
	User         string       `json:"user,omitempty"` // the sockets' own
	Owners       []Owner      `json:"owners"`         // the principal one first
	Sockets      []HeldSocket `json:"sockets"`
	OwnerUnknown string       `json:"hidden,omitempty"` // why no owner can be seen; only where none can
	CgroupInfo                // what else tells of the owner
	Service      string       `json:"service,omitempty"`
	ServiceBy    ServiceBy    `json:"service_by,omitempty"` // how sure Service is; "" where it is ""
	Project      string       `json:"project,omitempty"`
	Since        time.Time    `json:"since,omitzero"` // when Porthole saw it open; zero where it was open before
}

// CgroupInfo is what the control group that a socket was made in tells of an owner
// that cannot be seen. It says where the socket was made, not who has it now:
// what is told from it is marked as inferred. Behind alone is told of owners that
// can be seen as well.
type CgroupInfo struct {
	Unit        string     `json:"unit,omitempty"`      // systemd's: cups.service, session-2.scope
	ContainerID string     `json:"container,omitempty"` // the id that its engine gave it
	Inferred    *Owner     `json:"inferred,omitempty"`  // the process that is alone in the group
	Container   *Container `json:"behind,omitempty"`    // the container that listens, or that the port is published for
}

// Container is what is known of a container. Its words are clean.
type Container struct {
	ID        string `json:"id,omitempty"`      // that its engine gave it
	Name      string `json:"name,omitempty"`    // as its engine calls it; "" where that does not tell
	Image     string `json:"image,omitempty"`   // the like of acme/web:1
	Address   string `json:"address,omitempty"` // and port inside, where docker-proxy says it
	Published bool   `json:"published"`         // the engine's proxy listens for it; else a process in it does
}

// Description names c on one line: "container web (image acme/web:1)".
func (c Container) Description() string {
	switch {
	case c.Name != "" && c.Image != "":
		return "container " + c.Name + " (image " + c.Image + ")"
	case c.Name != "":
		return "container " + c.Name
	case c.ID != "":
		return "container " + c.ID[:min(len(c.ID), 12)]
	}
	return "container at " + c.Address
}

// ServiceBy says what told the service of a listener, and so how sure that is.
type ServiceBy string

// What told a service, the surest first.
const (
	ByProgram ServiceBy = "program" // certain: the program is that service
	ByCommand ServiceBy = "command" // likely: the command line names it
	ByPort    ServiceBy = "port"    // no more than what usually has the port
)

// Principal returns the owner that stands for the listener, and false where no
// owner can be seen.
func (l *Listener) Principal() (Owner, bool) {
	if len(l.Owners) == 0 {
		return Owner{}, false
	}
	return l.Owners[0], true
}

// AcceptsLoopback reports whether a client on this machine can reach l through
// loopback.
func (l *Listener) AcceptsLoopback() bool {
	for _, a := range l.Addresses {
		if AcceptsLoopback(a) {
			return true
		}
	}
	return false
}

// Snapshot is everything that listens at one moment, ordered by port,
// protocol, first address and id. Its times, and those of changes, keep the
// monotonic reading where they come from a Monitor of this process: the time
// between two of them does not follow a clock that is set. It is immutable: whoever holds one may read
// it on any goroutine for ever.
type Snapshot struct {
	TakenAt   time.Time   `json:"taken_at"`
	Listeners []*Listener `json:"listeners"`
}

// Kind says what a change is.
type Kind string

// The kinds of changes. Readers must ignore kinds that they do not know.
const (
	Opened          Kind = "opened"
	Closed          Kind = "closed"
	OwnerChanged    Kind = "owner_changed" // the principal owner no longer holds it, another does
	ExposureChanged Kind = "reach_changed"
	Updated         Kind = "updated" // we learned more; never a reason to tell anyone
	Discovered      Kind = "found"   // it was open before, where Porthole did not look until now
	Unlisted        Kind = "dropped" // Porthole no longer looks there; whether it is open is not known
)

// Event is a difference between two snapshots.
type Event struct {
	At       time.Time `json:"at"`
	Kind     Kind      `json:"kind"`
	Listener *Listener `json:"listener"`         // for Closed its last state
	Before   *Listener `json:"before,omitempty"` // only for OwnerChanged, ReachChanged and Updated
}

// Health is how the monitor is doing.
type Health struct {
	Source       string        `json:"source,omitempty"`   // the table in use, in a few words
	Problem      string        `json:"problem,omitempty"`  // why the last look failed; "" when it did not
	Interval     time.Duration `json:"interval,omitempty"` // between two looks
	PollDuration time.Duration `json:"cost,omitempty"`     // of the last look
}

// OwnerUnknown is what can be said of an owner that cannot be seen.
type OwnerUnknown struct {
	Reason string // in one sentence
	CgroupInfo
}

// Update is what a subscriber gets: the newest snapshot, and every change
// since its last update.
type Update struct {
	Snapshot Snapshot
	Events   []Event
	Health   Health
	Ready    bool // a first snapshot was taken; before, Snapshot is empty and Health says why
}

// Why nobody is seen to hold a listener.
const (
	UnknownForeign     = "another user's process, which only that user and root may look into"
	UnknownNotFound    = "no process that can be seen here holds it: the kernel, a container or another PID namespace may"
	UnknownUnreadable  = "the processes cannot be read now: /proc is not there, or Porthole may open no more files"
	UnknownUnsupported = "this system does not tell who holds it"
	UnknownExited      = "the process that opened it has ended; one that inherited it may keep it open"
)
