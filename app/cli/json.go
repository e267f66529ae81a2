package cli

import (
	"net/netip"
	"time"

	"porthole/monitor"
)

// These types are the contract of --json: fields are added, never renamed.
// What is unknown is absent. Times are RFC 3339 in UTC.

type snapshotJSON struct {
	TakenAt   time.Time      `json:"taken_at"`
	Listeners []listenerJSON `json:"listeners"`
}

type listenerJSON struct {
	ID        string             `json:"id"`
	Protocol  monitor.Protocol   `json:"protocol"`
	Port      uint16             `json:"port"`
	Addresses []netip.Addr       `json:"addresses"`
	Reach     monitor.Exposure   `json:"reach"`
	User      string             `json:"user,omitempty"`
	Owners    []ownerJSON        `json:"owners"`
	Sockets   []socketJSON       `json:"sockets"`
	Hidden    string             `json:"hidden,omitempty"`
	Unit      string             `json:"unit,omitempty"`
	Container string             `json:"container,omitempty"`
	Inferred  *ownerJSON         `json:"inferred,omitempty"`
	Behind    *monitor.Container `json:"behind,omitempty"` // the container that listens, or that the port is published for
	Service   string             `json:"service,omitempty"`
	ServiceBy monitor.ServiceBy  `json:"service_by,omitempty"` // program, command or port
	Project   string             `json:"project,omitempty"`
	Watched   bool               `json:"watched"`
	Since     time.Time          `json:"since,omitzero"`
}

type ownerJSON struct {
	PID       int       `json:"pid"`
	Name      string    `json:"name,omitempty"`
	Command   []string  `json:"command,omitempty"`
	Program   string    `json:"program,omitempty"`
	Deleted   bool      `json:"deleted,omitempty"`
	Folder    string    `json:"folder,omitempty"`
	Project   string    `json:"project,omitempty"`
	Branch    string    `json:"branch,omitempty"` // of git, in the folder
	User      string    `json:"user,omitempty"`
	ParentPID int       `json:"parent_pid,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
}

type socketJSON struct {
	Address netip.Addr `json:"address"`
	Owners  []int      `json:"owners"`
}

type readyJSON struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Listeners int       `json:"listeners"`
}

type eventJSON struct {
	At       time.Time     `json:"at"`
	Kind     monitor.Kind  `json:"kind"`
	Listener listenerJSON  `json:"listener"`
	Before   *listenerJSON `json:"before,omitempty"`
}

func (q query) snapshotJSON(s monitor.Snapshot) snapshotJSON {
	out := snapshotJSON{TakenAt: s.TakenAt.UTC(), Listeners: make([]listenerJSON, len(s.Listeners))}
	for i, l := range s.Listeners {
		out.Listeners[i] = q.listenerJSON(l)
	}
	return out
}

func (q query) eventJSON(c monitor.Event) eventJSON {
	out := eventJSON{At: c.At.UTC(), Kind: c.Kind, Listener: q.listenerJSON(c.Listener)}
	if c.Before != nil {
		before := q.listenerJSON(c.Before)
		out.Before = &before
	}
	return out
}

func (q query) listenerJSON(l *monitor.Listener) listenerJSON {
	out := listenerJSON{
		ID: l.ID, Protocol: l.Protocol, Port: l.Port, Addresses: l.Addresses, Reach: l.Exposure, User: l.User,
		Owners: make([]ownerJSON, len(l.Owners)), Sockets: make([]socketJSON, len(l.Sockets)),
		Hidden: l.OwnerUnknown, Unit: l.Unit, Container: l.ContainerID, Behind: l.Container, Service: l.Service, ServiceBy: l.ServiceBy, Project: l.Project, Watched: q.rules.Matches(l), Since: l.Since.UTC(),
	}
	for i, o := range l.Owners {
		out.Owners[i] = q.ownerJSON(o)
	}
	if l.Inferred != nil {
		inferred := q.ownerJSON(*l.Inferred)
		out.Inferred = &inferred
	}
	for i, s := range l.Sockets {
		out.Sockets[i] = socketJSON{Address: s.Address, Owners: s.Owners}
	}
	return out
}

func (q query) ownerJSON(o monitor.Owner) ownerJSON {
	return ownerJSON{
		PID: o.PID, Name: o.Name, Command: q.maskedCommand(o.Command), Program: o.Program, Deleted: o.Deleted, Folder: o.Folder, Project: o.Project, Branch: o.Branch,
		User: o.User, ParentPID: o.ParentPID, StartedAt: o.StartedAt.UTC(),
	}
}

func (q query) maskedCommand(command []string) []string {
	if q.Unmasked {
		return command
	}
	return monitor.MaskCommand(command)
}
