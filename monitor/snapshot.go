// Package monitor watches the listening sockets of this machine and reports what
// changes.
//
// Data flows one way: a [Table] returns the kernel's listening sockets, a
// [Finder] the processes that hold them, [Monitor] combines both into immutable
// snapshots, and [Diff] compares two snapshots. The package imports none of its
// subpackages; they import it.
//
// This file contains only types.
package monitor

import (
	"net/netip"
	"slices"
	"time"
)

// Protocol is the transport protocol of a socket.
type Protocol string

// The supported protocols.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// SocketID identifies a listening socket for as long as it listens. On Linux it
// is the kernel's 64-bit socket cookie (sock_diag(7)), which is unique per boot.
// Inode numbers are not used because the kernel recycles them.
type SocketID uint64

// Socket is one listening kernel socket.
type Socket struct {
	ID       SocketID   `json:"id,omitempty"`
	Protocol Protocol   `json:"-"`
	Address  netip.Addr `json:"address"` // as the kernel reports it: 0.0.0.0, ::, ::ffff:127.0.0.1
	Port     uint16     `json:"-"`
	UID      uint32     `json:"-"`
	User     string     `json:"-"`                 // the name of UID, added by the Enricher; the number if it has none; "" if unknown
	NoName   string     `json:"-"`                 // the reason why User is a number although there may be a name
	Inode    uint64     `json:"-"`                 // as in the links of /proc/PID/fd; 0 if unknown
	Cgroup   uint64     `json:"-"`                 // control group the socket was created in (Linux: its inode number in cgroup2); 0 if unknown
	PID      int        `json:"-"`                 // the owner, if the table reports it; otherwise 0
	BoundAt  uint64     `json:"-"`                 // when PID bound the socket, on the clock of Owner.Start, if the table reports it; otherwise 0
	V6Only   bool       `json:"v6_only,omitempty"` // [::] that does not accept IPv4 connections
	Device   string     `json:"device,omitempty"`  // the network interface that it is bound to (SO_BINDTODEVICE, or the zone of a link-local address); "" for all
}

// Owner is a process that holds a socket, as it was when it was found. Fields
// that could not be read are empty.
type Owner struct {
	PID       int       `json:"pid"`
	Name      string    `json:"name,omitempty"`
	Command   []string  `json:"command,omitempty"` // unmasked: pass it through MaskCommand before showing it
	Program   string    `json:"program,omitempty"`
	Folder    string    `json:"folder,omitempty"`
	User      string    `json:"user,omitempty"` // who started it, or whom a server of root has become; the number if it has no name
	UserID    string    `json:"-"`              // identifies User: its number, or on Windows its name
	ParentPID int       `json:"parent_pid,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`

	// Deleted means that the file of Program was deleted or replaced, so that the
	// running code is not what is on disk.
	Deleted bool `json:"deleted,omitempty"`
	// Start turns PID into an identity: a later process with the same PID has a
	// different value (Linux: field 22 of /proc/PID/stat, ticks since boot). 0 if
	// unknown.
	Start uint64 `json:"start,omitempty"`
	// Inside means that Program and Folder are paths in another mount namespace, such
	// as that of a container, where they name other files than here.
	Inside bool `json:"inside,omitempty"`
	// ProjectUnknown is the reason why Project, Branch and Framework are unknown, and
	// UserUnknown why User has no name; "" if they are known.
	ProjectUnknown string `json:"project_unknown,omitempty"`
	UserUnknown    string `json:"user_unknown,omitempty"`
	// Project is the project that Folder belongs to.
	Project string `json:"project,omitempty"`
	// Branch is the git branch checked out in Folder.
	Branch string `json:"branch,omitempty"`
	// Repository is the main folder of the git repository that Folder belongs to, or the
	// folder of a bare repository. Worktree is the folder of the checkout: Repository, or
	// that of a linked worktree. They are "" without a repository.
	Repository string `json:"repository,omitempty"`
	Worktree   string `json:"worktree,omitempty"`
	// ProjectFolder is the folder of Project.
	ProjectFolder string `json:"project_folder,omitempty"`
	// Framework is the framework that Folder's files show, if the command line does
	// not: Rails. "" if it is not known.
	Framework string `json:"framework,omitempty"`
	// SSHServer is the address of the server to which a control master of ssh is
	// connected; "" for other programs.
	SSHServer string `json:"ssh_server,omitempty"`
	// Agent is the title of the coding agent whose variables are in the environment of the
	// owner: it was started by that agent, or by what the agent started. "" if there is none,
	// or if the environment may not be read.
	Agent string `json:"agent,omitempty"`
	// Session is the clean name of the session of tmux or screen in which the owner was
	// started; "" if there is none, or it is not known.
	Session string `json:"session,omitempty"`
	// Output is the file that its standard output goes to; "" if that is no file, such as a
	// terminal or a pipe.
	Output string `json:"output,omitempty"`
	// Unit is the systemd unit that the owner ran in when it was first seen:
	// nginx.service, session-2.scope. "" for the processes of a container.
	Unit string `json:"unit,omitempty"`
	// Parents is the chain of parents, nearest first, when the owner was first
	// seen.
	Parents []Parent `json:"parents,omitempty"`
}

// Parent is one process in the chain of parents of an owner.
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

// Listener is the set of sockets of one protocol and port that belong to one
// server (see group). It is immutable.
type Listener struct {
	ID           string       `json:"id"` // constant as long as one of the sockets exists
	Protocol     Protocol     `json:"protocol"`
	Port         uint16       `json:"port"`
	Addresses    []netip.Addr `json:"addresses"` // sorted, without duplicates
	Exposure     Exposure     `json:"exposure"`
	Tunnels      []Tunnel     `json:"tunnels,omitempty"`      // programs that carry connections from elsewhere to it
	User         string       `json:"user,omitempty"`         // user of the principal owner; of the sockets if it is unknown
	UserUnknown  string       `json:"user_unknown,omitempty"` // the reason why User is a number although there may be a name
	Owners       []Owner      `json:"owners"`                 // the principal owner first
	Sockets      []HeldSocket `json:"sockets"`
	OwnerUnknown string       `json:"owner_unknown,omitempty"` // the reason why no owner is visible; "" if there are owners
	CgroupInfo                // what is known about the owner besides
	Service      string       `json:"service,omitempty"`
	ServiceBy    ServiceBy    `json:"service_by,omitempty"` // how certain Service is; "" if Service is ""
	Framework    string       `json:"framework,omitempty"`  // development framework or application server: Vite, Django; "" if none
	Project      string       `json:"project,omitempty"`
	Since        time.Time    `json:"since,omitzero"`   // when it was seen to open; zero if it was open before
	Label        string       `json:"label,omitempty"`  // the user's name for it, clean
	Note         string       `json:"note,omitempty"`   // the user's note about it, clean
	Hidden       bool         `json:"hidden,omitempty"` // a rule of the user hides it
}

// CgroupInfo describes an owner that is not visible, as far as the control
// group of the socket reveals it. The group shows where the socket was created,
// not who holds it now, so anything derived from it is marked as inferred. For
// visible owners only Unit and Container are set, and Unit is that of the
// principal owner.
type CgroupInfo struct {
	Unit        string     `json:"unit,omitempty"`         // systemd unit: cups.service, session-2.scope
	UnitUser    string     `json:"unit_user,omitempty"`    // ID of the user whose systemd instance runs Unit; "" for the system's
	Activates   string     `json:"activates,omitempty"`    // the service that systemd starts if Unit is a socket unit
	ContainerID string     `json:"container_id,omitempty"` // as the container engine assigned it
	Inferred    *Owner     `json:"inferred,omitempty"`     // the only process in the group
	Container   *Container `json:"container,omitempty"`    // the container that listens, or that the port is published for

	// PerConnection means that systemd starts an instance of Activates for each
	// connection (Accept=yes in systemd.socket(5)).
	PerConnection bool `json:"per_connection,omitempty"`
}

// Container describes a container. Its strings are clean.
type Container struct {
	ID          string `json:"id,omitempty"`            // as the container engine assigned it
	Name        string `json:"name,omitempty"`          // as the container engine reports it; "" if it does not
	NameUnknown string `json:"name_unknown,omitempty"`  // the reason why there is no name although there may be one
	Image       string `json:"image,omitempty"`         // such as acme/web:1
	Address     string `json:"address,omitempty"`       // address and port inside the container, if docker-proxy reports them
	Published   bool   `json:"published"`               // true: the engine's proxy listens on the container's behalf; false: a process in the container listens
	Engine      string `json:"engine,omitempty"`        // "docker" or "podman"; "" if unknown
	Socket      string `json:"engine_socket,omitempty"` // path of the engine's Unix socket, if it answered
}

// Description describes c on one line: "container web (image acme/web:1)".
func (c Container) Description() string {
	switch {
	case c.Name != "" && c.Image != "":
		return "container " + c.Name + " (image " + c.Image + ")"
	case c.Name != "":
		return "container " + c.Name
	case c.ID != "":
		return "container " + c.ID[:min(len(c.ID), 12)]
	}
	if c.Address != "" {
		return "container at " + c.Address
	}
	return "a container"
}

// ServiceBy is the way in which the service of a listener was determined, and
// so its certainty.
type ServiceBy string

// The ways to determine a service, the most certain first.
const (
	ByProgram ServiceBy = "program" // certain: the program is that service
	ByCommand ServiceBy = "command" // likely: the command line names it
	ByUnit    ServiceBy = "unit"    // likely: the systemd unit that opened the port names it
	ByPort    ServiceBy = "port"    // a guess: the service that usually has the port
)

// Principal returns the owner to name first for the listener, and false if no owner is
// visible.
func (l *Listener) Principal() (Owner, bool) {
	if len(l.Owners) == 0 {
		return Owner{}, false
	}
	return l.Owners[0], true
}

// AcceptsLoopback reports whether a client on this machine can reach l through
// loopback.
func (l *Listener) AcceptsLoopback() bool {
	if len(l.Sockets) > 0 {
		return slices.ContainsFunc(l.Sockets, func(s HeldSocket) bool { return s.AcceptsLoopback() })
	}
	for _, a := range l.Addresses {
		if AcceptsLoopback(a) {
			return true
		}
	}
	return false
}

// Snapshot is everything that listens at one moment, ordered by port, protocol,
// first address and ID. It is immutable and safe for concurrent use.
//
// The times of a snapshot and its events keep their monotonic reading if they
// come from a Monitor of this process: the duration between two of them is
// correct even if the clock was set in between.
type Snapshot struct {
	TakenAt   time.Time   `json:"taken_at"`
	Listeners []*Listener `json:"listeners"`
}

// Kind is the kind of an event.
type Kind string

// The kinds of events. Readers must ignore unknown kinds.
const (
	Opened          Kind = "opened"
	Closed          Kind = "closed"
	OwnerChanged    Kind = "owner_changed" // the principal owner no longer holds the listener, another process does
	ExposureChanged Kind = "exposure_changed"
	Updated         Kind = "updated"    // more is known; never a reason to notify
	Discovered      Kind = "discovered" // it was open before, but was not monitored until now
	Unlisted        Kind = "unlisted"   // it is no longer monitored; whether it is open is unknown
)

// Event is a difference between two snapshots.
type Event struct {
	At       time.Time `json:"at"`
	Kind     Kind      `json:"kind"`
	Listener *Listener `json:"listener"`          // for Closed, its last state
	Before   *Listener `json:"before,omitempty"`  // only for OwnerChanged, ExposureChanged and Updated
	Stopped  string    `json:"stopped,omitempty"` // for Closed, how the user stopped the owners: "SIGTERM", "docker stop web"; "" if that is not known
	Exit               // for Closed, how the principal owner ended, if it ended and that is known

	Attempts int           `json:"attempts,omitempty"` // for Attempted, how many, a lower limit
	Lasted   time.Duration `json:"-"`                  // for Attempted, the time from the first to the last; for Healthy, how long it was unhealthy
	Client   Client        `json:"client,omitzero"`    // for Connected, cleaned
	Health   HealthAnswer  `json:"health,omitzero"`    // for Unhealthy and Healthy
}

// Health is the state of the monitor.
type Health struct {
	Source       string        `json:"source,omitempty"`        // short description of the table in use
	Problem      string        `json:"problem,omitempty"`       // why the last poll failed; "" if it succeeded
	Interval     time.Duration `json:"interval,omitempty"`      // polling interval
	PollDuration time.Duration `json:"poll_duration,omitempty"` // duration of the last poll
}

// OwnerUnknown is the reason why no owner is visible, and what is known about
// the possible owner.
type OwnerUnknown struct {
	Reason string // one sentence
	CgroupInfo
}

// Update is one message to a subscriber: the newest snapshot, and all events
// since its last update.
type Update struct {
	Snapshot Snapshot
	Events   []Event
	Health   Health
	Ready    bool // the first snapshot was taken; until then Snapshot is empty and Health contains the reason
}

// The reasons why something that an Enricher adds is unknown.
const (
	UnknownDisk        = "the disk with its folder does not answer"
	UnknownNameService = "the name service does not answer"
	UnknownEngine      = "the container engine does not answer"
)

// The reasons why no owner of a listener is visible.
const (
	UnknownForeign     = "process of another user; only that user and root can inspect it"
	UnknownNotFound    = "no visible process owns it; the owner may be the kernel, or a process in a container or another PID namespace"
	UnknownProtected   = "process of your own that the system protects (capabilities, setgid, a program file that you may not read, or not dumpable); only root can inspect it"
	UnknownOutside     = "no process in this PID namespace or container owns it; Porthole can't see the processes outside"
	UnknownKernel      = "the Linux kernel itself uses it, for example for VXLAN, WireGuard or NFS; no process owns it"
	UnknownNoFile      = "no process has it among its open files; the owner is the Linux kernel (VXLAN, WireGuard, NFS) or a process that uses io_uring"
	UnknownUnreadable  = "can't read the processes: /proc is missing, or Porthole reached its limit of open files"
	UnknownUnsupported = "this system does not report the owners of sockets"
	UnknownExited      = "the process that opened it has exited; another process may have inherited it"

	// UnknownRemoteForward is UnknownProtected for a port that sshd opens for a login.
	UnknownRemoteForward = "sshd listens for an SSH login of this user: a remote forward (ssh -R) or X11; only root can inspect sshd"
)
