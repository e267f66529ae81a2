package stop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/container"
	"porthole/monitor/owner"
)

// Manager runs a process and may restart it: a systemd service, a container engine,
// a supervisor or a loop of a script.
type Manager struct {
	Kind    ManagerKind
	ID      string   // "cups.service", "3f2a…"; for a Publisher its name or ""; not cleaned
	Command string   // shell command that stops it properly; cleaned; "" if it is not known
	Args    []string // the same as an argument list; nil if Command cannot be run as it is

	// Resume is a command that must run before Args, nil if there is none: the container
	// is paused and cannot exit.
	Resume []string

	// Process is stopped by SIGTERM instead of running Args; zero for other managers.
	Process monitor.Owner

	// Restarts is whether it restarts a process that ended on SIGTERM, and Policy
	// is the setting for that: "Restart=always"; "" if it is not known.
	Restarts Restarts
	Policy   string
}

// ManagerKind is the kind of a manager.
type ManagerKind int

// The kinds of managers.
const (
	Unit       ManagerKind = iota // a systemd service
	Container                     // a container
	Publisher                     // the container that publishes the port
	Socket                        // a systemd socket unit, which starts its service at the first connection
	Supervisor                    // supervisord, pm2, runit or s6
	Group                         // foreman or the like, which stops its other processes when one exits
	Watcher                       // nodemon or the like, which starts it again when a file changes
	Loop                          // a script that starts it in a loop
)

// Restarts is whether a manager restarts its process when that ends.
type Restarts int

// The values of Restarts.
const (
	MayRestart  Restarts = iota // unknown
	WillRestart                 //
	WontRestart                 //
)

// String names the manager in English: "the unit cups.service". It is not
// cleaned.
func (m Manager) String() string {
	switch m.Kind {
	case Unit, Socket:
		return "the unit " + m.ID
	case Container:
		return "the container " + m.ID
	case Supervisor, Group, Watcher:
		return m.ID
	case Loop:
		return "a loop in " + m.ID
	}
	return strings.TrimSpace("the container "+m.ID) + " that publishes the port"
}

// CanRun reports whether Run can stop m.
func (m Manager) CanRun() bool { return len(m.Args) > 0 || m.Process.PID != 0 }

// LeavesServer reports whether the server keeps running when m is stopped.
func (m Manager) LeavesServer() bool { return m.Kind == Loop }

// Run stops m: it runs the command without a shell, or signals m.Process and waits at
// most GracePeriod for it to exit. What the command prints goes to w, and what it asks
// for is read from stdin.
func (m Manager) Run(ctx context.Context, stdin io.Reader, w io.Writer) error {
	switch {
	case m.Process.PID != 0:
		return m.terminate(ctx)
	case len(m.Args) == 0:
		return fmt.Errorf("%s cannot be stopped from here", m)
	}
	for _, args := range [][]string{m.Resume, m.Args} {
		if len(args) == 0 {
			continue
		}
		c := exec.CommandContext(ctx, args[0], args[1:]...)
		c.Stdin, c.Stdout, c.Stderr = stdin, w, w
		if err := c.Run(); err != nil {
			return fmt.Errorf("run %s: %w", shellCommand(args...), err)
		}
	}
	return nil
}

// terminate stops m.Process.
func (m Manager) terminate(ctx context.Context) error {
	p, err := Open(m.Process)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", m, err)
	}
	defer p.Close()
	if err := p.Terminate(nil); err != nil {
		return fmt.Errorf("stop %s: %w", m, err)
	}
	ctx, cancel := context.WithTimeout(ctx, GracePeriod)
	defer cancel()
	if err := p.Wait(ctx); err != nil {
		return fmt.Errorf("stop %s: it is still running after %v: %w", m, GracePeriod, err)
	}
	return nil
}

// ManagerOf returns the manager of o, which holds l, or false if no manager can be
// determined. A unit in which a terminal, a login or cron started o is not its
// manager: stopping that unit would end everything else started there. It reads
// /proc and may run systemctl for a short time.
func ManagerOf(ctx context.Context, o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	switch reason := protection(o); {
	case reason == ContainerForwarder, reason == ContainerMonitor, reason == ContainerEngine:
		return publisherOf(ctx, o, l)
	case o.PID == 1 || reason == ServiceManager:
		return socketUnitOf(ctx, o, l)
	}
	group := owner.CgroupOf(o.PID)
	if group.ContainerID == "" {
		if id, _, _ := container.Monitored(o); id != "" {
			group.ContainerID, group.Podman = id, true
		}
	}
	if group.ContainerID != "" {
		return containerManager(ctx, group, o, l), true
	}
	if m, ok := supervisorOf(o); ok {
		return m, true
	}
	m, ok := groupManager(group, o.User)
	why := ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})
	switch starter := why.Manager; {
	case ok && m.Kind == Unit && starter != nil && starter.Role == ancestry.Supervisor && starter.Name == "monit": // not a parent
		return Manager{Kind: Supervisor, ID: starter.Name}, true
	case !ok || m.Kind == Unit && !startedBySystemd(why):
		return loopOf(o)
	}
	return withUnitSettings(ctx, m, systemdOf(group.UnitUser, o.User)), true
}

// startedBySystemd reports whether systemd itself started a process: there is no
// terminal, script or supervisor between them.
func startedBySystemd(why ancestry.Explanation) bool {
	return why.Shell == nil && why.Session == nil && (why.Manager == nil || why.Manager.Role == ancestry.System)
}

// ManagerOfUnknownOwner is ManagerOf for a listener whose owner is unknown. It uses
// the container that the port is published for, otherwise the control group that
// the socket was created in.
func ManagerOfUnknownOwner(ctx context.Context, l *monitor.Listener) (Manager, bool) {
	if l.Container != nil && l.Container.Published {
		return publisherOf(ctx, monitor.Owner{}, l)
	}
	if l.Inferred != nil {
		if m, ok := ManagerOf(ctx, *l.Inferred, l); ok {
			return m, true
		}
	}
	return groupManager(owner.Cgroup{Unit: l.Unit, UnitUser: l.UnitUser, ContainerID: l.ContainerID}, l.User)
}

// groupManager returns the manager that can stop everything in a control group.
// Scopes have none: stopping one would end a whole session, or a terminal with
// everything in it. user@1000.service contains everything a user runs, so it is
// excluded too, and so are the units of container engines. user is the name of the
// user whose unit it may be.
func groupManager(g owner.Cgroup, user string) (Manager, bool) {
	switch {
	case g.ContainerID != "":
		id, engine := g.ContainerID[:min(12, len(g.ContainerID))], "docker"
		if g.Podman {
			engine = "podman"
		}
		return newManager(Container, id, engine, "stop", id), true
	case strings.HasSuffix(g.Unit, ".socket"):
		return systemdOf(g.UnitUser, user).manager(Socket, g.Unit, g.Unit), true
	case strings.HasSuffix(g.Unit, ".service") && !strings.HasPrefix(g.Unit, "user@"):
		return systemdOf(g.UnitUser, user).manager(Unit, g.Unit, g.Unit), true
	}
	return Manager{}, false
}

// newManager returns a manager with a command. The command is not run if cleaning
// it changes it: no unit or container has such a name.
func newManager(kind ManagerKind, id string, args ...string) Manager {
	m := Manager{Kind: kind, ID: id, Command: shellCommand(args...), Args: args}
	for _, arg := range args {
		if arg != monitor.Clean(arg, 256) {
			m.Args = nil
		}
	}
	return m
}

// shellCommand returns a command line that is safe to display and to paste into a
// POSIX shell.
func shellCommand(command ...string) string {
	words := make([]string, len(command))
	for i, w := range command {
		words[i] = monitor.Clean(w, 256) // names of units and containers have no control characters
	}
	return monitor.ShellCommand(words)
}

// processID returns "loop.sh (4200)".
func processID(name string, pid int) string { return name + " (" + strconv.Itoa(pid) + ")" }
