package stop

import (
	"cmp"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
)

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

// groupManager returns the manager that can stop everything in a control group.
// Scopes have none: stopping one would end a whole session, or a terminal with
// everything in it. user@1000.service contains everything a user runs, so it is
// excluded too.
func groupManager(g owner.Cgroup) (Manager, bool) {
	switch {
	case g.ContainerID != "":
		id, engine := g.ContainerID[:min(12, len(g.ContainerID))], "docker"
		if g.Podman {
			engine = "podman"
		}
		return Manager{Container, id, shellCommand(engine, "stop", id)}, true
	case strings.HasSuffix(g.Unit, ".service") && !strings.HasPrefix(g.Unit, "user@"):
		if g.UserUnit {
			return Manager{Unit, g.Unit, shellCommand("systemctl", "--user", "stop", g.Unit)}, true
		}
		return Manager{Unit, g.Unit, shellCommand("systemctl", "stop", g.Unit)}, true
	}
	return Manager{}, false
}

// publisherOf returns the container that docker-proxy publishes l for. The
// control group of docker-proxy is the engine's; stopping that would stop all
// containers.
func publisherOf(l *monitor.Listener) Manager {
	if c := l.Container; c != nil && c.Published && c.ID != "" {
		id := c.ID[:min(12, len(c.ID))]
		return Manager{Publisher, cmp.Or(c.Name, id), shellCommand("docker", "stop", id)}
	}
	return Manager{Publisher, "", fmt.Sprintf("docker stop $(docker ps -q --filter publish=%d)", l.Port)}
}

// shellCommand returns a command line that is safe to display and to paste into a
// POSIX shell.
func shellCommand(command ...string) string {
	words := make([]string, len(command))
	for i, w := range command {
		words[i] = monitor.Clean(w, 256)
	}
	return shellescape.QuoteCommand(words)
}
