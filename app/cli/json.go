package cli

import (
	"net/netip"
	"time"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

// These types define the output of --json. Fields are added, but never renamed
// after a release. Unknown values are absent. Times are RFC 3339 in UTC.

type snapshotJSON struct {
	TakenAt   time.Time      `json:"taken_at"`
	Listeners []listenerJSON `json:"listeners"`
	Hidden    int            `json:"hidden_listeners,omitempty"` // how many the user has hidden, which are not among listeners
	InUse     []useJSON      `json:"in_use,omitempty"`           // what else uses the port, if one was asked for and nothing listens
}

type listenerJSON struct {
	ID           string             `json:"id"`
	Protocol     monitor.Protocol   `json:"protocol"`
	Port         uint16             `json:"port"`
	Addresses    []netip.Addr       `json:"addresses"`
	Exposure     monitor.Exposure   `json:"exposure"`
	Tunnels      []monitor.Tunnel   `json:"tunnels,omitempty"` // programs that carry connections from elsewhere to it
	User         string             `json:"user,omitempty"`
	UserUnknown  string             `json:"user_unknown,omitempty"` // why user is a number although there may be a name
	Owners       []ownerJSON        `json:"owners"`
	Sockets      []socketJSON       `json:"sockets"`
	OwnerUnknown *ownerUnknownJSON  `json:"owner_unknown,omitempty"` // only if owners is empty
	Unit         string             `json:"unit,omitempty"`
	Inferred     *ownerJSON         `json:"inferred,omitempty"`  // the probable owner, if owners is empty
	Container    *monitor.Container `json:"container,omitempty"` // the container that listens, or that the port is published for
	Service      string             `json:"service,omitempty"`
	ServiceBy    monitor.ServiceBy  `json:"service_by,omitempty"` // how the service was recognized: program, command, unit or port
	Framework    string             `json:"framework,omitempty"`  // development framework or application server
	Project      string             `json:"project,omitempty"`
	StartedBy    string             `json:"started_by,omitempty"` // a coding agent, IDE, terminal, login, supervisor, unit or shell, in English
	Firewall     *firewallJSON      `json:"firewall,omitempty"`   // absent if it was not asked, or the listener is not exposed
	Label        string             `json:"label,omitempty"`      // the user's name for it
	Note         string             `json:"note,omitempty"`       // the user's note about it
	Hidden       bool               `json:"hidden,omitempty"`     // a rule of the user hides it
	Watched      bool               `json:"watched"`
	Health       *healthJSON        `json:"health,omitempty"`              // absent without health checks
	Ambiguous    bool               `json:"localhost_ambiguous,omitempty"` // 127.0.0.1 and [::1] lead to different processes
	Since        time.Time          `json:"since,omitzero"`
}

type ownerUnknownJSON struct {
	Reason string `json:"reason"`
}

type ownerJSON struct {
	PID            int       `json:"pid"`
	Name           string    `json:"name,omitempty"`
	Command        []string  `json:"command,omitempty"`
	Program        string    `json:"program,omitempty"`
	Deleted        bool      `json:"deleted,omitempty"`
	Folder         string    `json:"folder,omitempty"`
	Output         string    `json:"output,omitempty"` // the file that its standard output goes to
	Inside         bool      `json:"inside,omitempty"` // program and folder are paths in another mount namespace
	Project        string    `json:"project,omitempty"`
	ProjectUnknown string    `json:"project_unknown,omitempty"` // why project and branch are unknown
	Branch         string    `json:"branch,omitempty"`          // the git branch checked out in folder
	Repository     string    `json:"repository,omitempty"`      // main folder of the git repository, or the folder of a bare one
	Worktree       string    `json:"worktree,omitempty"`        // folder of the checkout
	Agent          string    `json:"agent,omitempty"`           // the coding agent whose variables are in its environment
	User           string    `json:"user,omitempty"`
	UserUnknown    string    `json:"user_unknown,omitempty"`
	ParentPID      int       `json:"parent_pid,omitempty"`
	StartedAt      time.Time `json:"started_at,omitzero"`
}

type socketJSON struct {
	Address netip.Addr `json:"address"`
	Device  string     `json:"device,omitempty"` // network interface that it is bound to
	Owners  []int      `json:"owners"`           // PIDs
}

type readyJSON struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Listeners int       `json:"listeners"`
}

type eventJSON struct {
	At           time.Time     `json:"at"`
	Kind         monitor.Kind  `json:"kind"`
	Listener     listenerJSON  `json:"listener"`
	Before       *listenerJSON `json:"before,omitempty"`
	monitor.Exit               // only for closed: how the principal owner ended, if that is known
}

func (q query) snapshotJSON(s monitor.Snapshot) snapshotJSON {
	out := snapshotJSON{TakenAt: s.TakenAt.UTC(), Listeners: make([]listenerJSON, len(s.Listeners))}
	for i, l := range s.Listeners {
		out.Listeners[i] = q.listenerJSON(l)
	}
	return out
}

func (q query) eventJSON(e monitor.Event) eventJSON {
	out := eventJSON{At: e.At.UTC(), Kind: e.Kind, Listener: q.listenerJSON(e.Listener), Exit: e.Exit}
	if e.Before != nil {
		before := q.listenerJSON(e.Before)
		out.Before = &before
	}
	return out
}

func (q query) listenerJSON(l *monitor.Listener) listenerJSON {
	out := listenerJSON{
		ID: l.ID, Protocol: l.Protocol, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure, Tunnels: l.Tunnels, User: l.User, UserUnknown: l.UserUnknown,
		Owners: make([]ownerJSON, len(l.Owners)), Sockets: make([]socketJSON, len(l.Sockets)),
		Unit: l.Unit, Container: l.Container, Service: l.Service, ServiceBy: l.ServiceBy, Framework: l.Framework, Project: l.Project, Label: l.Label, Note: l.Note, Hidden: l.Hidden, Watched: q.rules.Matches(l), Since: l.Since.UTC(),
	}
	out.Health, out.Ambiguous = q.healthJSON(l), q.ambiguous[l.ID]
	out.Firewall = newFirewallJSON(q.firewall[l.ID])
	if l.OwnerUnknown != "" {
		out.OwnerUnknown = &ownerUnknownJSON{l.OwnerUnknown}
	}
	if out.Container == nil && l.ContainerID != "" {
		out.Container = &monitor.Container{ID: l.ContainerID}
	}
	for i, o := range l.Owners {
		out.Owners[i] = q.ownerJSON(o)
	}
	if l.Inferred != nil {
		inferred := q.ownerJSON(*l.Inferred)
		out.Inferred = &inferred
	}
	if o, ok := l.Principal(); ok {
		out.StartedBy = ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{}).StartedBy()
	}
	for i, s := range l.Sockets {
		out.Sockets[i] = socketJSON{Address: s.Address, Device: s.Device, Owners: s.Owners}
	}
	return out
}

func (q query) ownerJSON(o monitor.Owner) ownerJSON {
	return ownerJSON{
		PID: o.PID, Name: o.Name, Command: q.redactedCommand(o.Command), Program: o.Program, Deleted: o.Deleted, Folder: o.Folder, Output: o.Output, Inside: o.Inside, Project: o.Project, ProjectUnknown: o.ProjectUnknown, Branch: o.Branch, Repository: o.Repository, Worktree: o.Worktree, Agent: o.Agent,
		User: o.User, UserUnknown: o.UserUnknown, ParentPID: o.ParentPID, StartedAt: o.StartedAt.UTC(),
	}
}

// redactedCommand keeps only what is known to be harmless in a command, because JSON
// is stored and passed on, unless --unmasked is set.
func (q query) redactedCommand(command []string) []string {
	if q.Unmasked {
		return command
	}
	return monitor.RedactCommand(command)
}

// maskedCommand masks passwords and tokens in a command, unless --unmasked is
// set.
func (q query) maskedCommand(command []string) []string {
	if q.Unmasked {
		return command
	}
	return monitor.MaskCommand(command)
}
