package stop

import (
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
)

// This file is what is to be known before a process is stopped.

// ListenersOf are the listeners in s that o holds itself: they close with it.
func ListenersOf(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return listenersWhere(s, o.Same)
}

// ListenersOfDescendants are the listeners in s that processes below o hold, and o does not:
// they may end with it.
func ListenersOfDescendants(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return slices.DeleteFunc(listenersWhere(s, func(child monitor.Owner) bool { return IsDescendant(child, o) }), func(l *monitor.Listener) bool {
		return slices.ContainsFunc(l.Owners, o.Same)
	})
}

// IsDescendant reports whether o is a parent of child, at any distance.
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

// Manager is what runs a process and may start it again: a service of systemd, or
// an engine of containers.
type Manager struct {
	Kind    ManagerKind
	ID      string // "cups.service", "3f2a…"; of a Publisher its name, "" where that is not known; raw
	Command string // what stops it properly, to be copied into a shell; clean
}

// ManagerKind says what a manager is.
type ManagerKind int

// The kinds of managers.
const (
	Unit      ManagerKind = iota // of systemd
	Container                    // an engine's
	Publisher                    // the container that publishes a port
)

// String names the manager in English: "the unit cups.service". It is raw.
func (m Manager) String() string {
	switch m.Kind {
	case Unit:
		return "the unit " + m.ID
	case Container:
		return "the container " + m.ID
	}
	return strings.TrimSpace("the container "+m.ID) + " that publishes the port"
}

// ManagerOf returns what runs o, which has l, and false where nothing that can be
// seen does. A unit in which a terminal, a login or cron has started o is not what
// runs it: to stop that would end all else that was started there.
func ManagerOf(o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	if programName(o) == "docker-proxy" {
		return publisherOf(l), true
	}
	m, ok := groupManager(owner.CgroupOf(o.PID))
	if m.Kind == Unit && !startedBySystemd(ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})) {
		return Manager{}, false
	}
	return m, ok
}

// startedBySystemd reports whether systemd itself has started a process: nothing that starts
// others stands between.
func startedBySystemd(why ancestry.Explanation) bool {
	return why.Shell == nil && why.Session == nil && (why.Manager == nil || why.Manager.Role == ancestry.System)
}

// programName is the file that o runs; its name, which it can choose, where that may
// not be read.
func programName(o monitor.Owner) string {
	if o.Program != "" {
		return filepath.Base(o.Program)
	}
	return o.Name
}

// ManagerOfUnknownOwner is the same for the owner of l that cannot be seen, as far as
// the control group tells that its socket was made in.
func ManagerOfUnknownOwner(l *monitor.Listener) (Manager, bool) {
	if l.Inferred != nil {
		if m, ok := ManagerOf(*l.Inferred, l); ok {
			return m, true
		}
	}
	return groupManager(owner.Cgroup{Unit: l.Unit, ContainerID: l.ContainerID})
}
