package stop

import (
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
)

// ListenersOf returns the listeners in s that o holds: they close with it.
func ListenersOf(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return listenersWhere(s, o.Same)
}

// ListenersOfDescendants returns the listeners in s that descendants of o hold
// and o does not: they may end with it.
func ListenersOfDescendants(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return slices.DeleteFunc(listenersWhere(s, func(child monitor.Owner) bool { return IsDescendant(child, o) }), func(l *monitor.Listener) bool {
		return slices.ContainsFunc(l.Owners, o.Same)
	})
}

// IsDescendant reports whether child is a descendant of o.
func IsDescendant(child, o monitor.Owner) bool {
	return slices.ContainsFunc(child.Parents, func(p monitor.Parent) bool { return p.PID == o.PID && p.Start == o.Start })
}

func listenersWhere(s monitor.Snapshot, of func(monitor.Owner) bool) (out []*monitor.Listener) {
	for _, l := range s.Listeners {
		if slices.ContainsFunc(l.Owners, of) {
			out = append(out, l)
		}
	}
	return out
}

// Manager runs a process and may restart it: a systemd service or a container
// engine.
type Manager struct {
	Kind    ManagerKind
	ID      string // "cups.service", "3f2a…"; for a Publisher its name or ""; not cleaned
	Command string // shell command that stops it properly; cleaned
}

// ManagerKind is the kind of a manager.
type ManagerKind int

// The kinds of managers.
const (
	Unit      ManagerKind = iota // a systemd service
	Container                    // a container
	Publisher                    // the container that publishes the port
)

// String names the manager in English: "the unit cups.service". It is not
// cleaned.
func (m Manager) String() string {
	switch m.Kind {
	case Unit:
		return "the unit " + m.ID
	case Container:
		return "the container " + m.ID
	}
	return strings.TrimSpace("the container "+m.ID) + " that publishes the port"
}

// ManagerOf returns the manager of o, which holds l, or false if no manager can be
// determined. A unit in which a terminal, a login or cron started o is not its
// manager: stopping that unit would end everything else started there.
func ManagerOf(o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	if o.ProgramName() == "docker-proxy" {
		return publisherOf(l), true
	}
	m, ok := groupManager(owner.CgroupOf(o.PID))
	if m.Kind == Unit && !startedBySystemd(ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})) {
		return Manager{}, false
	}
	return m, ok
}

// startedBySystemd reports whether systemd itself started a process: there is no
// terminal, script or supervisor between them.
func startedBySystemd(why ancestry.Explanation) bool {
	return why.Shell == nil && why.Session == nil && (why.Manager == nil || why.Manager.Role == ancestry.System)
}

// ManagerOfUnknownOwner is ManagerOf for a listener whose owner is unknown. It
// uses the control group that the socket was created in.
func ManagerOfUnknownOwner(l *monitor.Listener) (Manager, bool) {
	if l.Inferred != nil {
		if m, ok := ManagerOf(*l.Inferred, l); ok {
			return m, true
		}
	}
	return groupManager(owner.Cgroup{Unit: l.Unit, ContainerID: l.ContainerID})
}
