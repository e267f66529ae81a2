package stop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
)

// Manager runs a process and may restart it: a systemd service, a container engine,
// a supervisor or a loop of a script.
type Manager struct {
	Kind    ManagerKind
	ID      string   // "cups.service", "3f2a…"; for a Publisher its name or ""; not cleaned
	Command string   // shell command that stops it properly; cleaned; "" if it is not known
	Args    []string // the same as an argument list; nil if Command cannot be run as it is

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
	c := exec.CommandContext(ctx, m.Args[0], m.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = stdin, w, w
	if err := c.Run(); err != nil {
		return fmt.Errorf("run %s: %w", m.Command, err)
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
		return publisherOf(o, l)
	case o.PID == 1 || reason == ServiceManager:
		return socketUnitOf(ctx, o, l)
	}
	group := owner.CgroupOf(o.PID)
	if group.ContainerID != "" {
		return containerManager(ctx, group, l), true
	}
	if m, ok := supervisorOf(o); ok {
		return m, true
	}
	m, ok := groupManager(group)
	if !ok || m.Kind == Unit && !startedBySystemd(ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})) {
		return loopOf(o)
	}
	return withUnitSettings(ctx, m, group, o), true
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
		return publisherOf(monitor.Owner{}, l)
	}
	if l.Inferred != nil {
		if m, ok := ManagerOf(ctx, *l.Inferred, l); ok {
			return m, true
		}
	}
	return groupManager(owner.Cgroup{Unit: l.Unit, ContainerID: l.ContainerID})
}

// groupManager returns the manager that can stop everything in a control group.
// Scopes have none: stopping one would end a whole session, or a terminal with
// everything in it. user@1000.service contains everything a user runs, so it is
// excluded too, and so are the units of container engines.
func groupManager(g owner.Cgroup) (Manager, bool) {
	switch {
	case g.ContainerID != "":
		id, engine := g.ContainerID[:min(12, len(g.ContainerID))], "docker"
		if g.Podman {
			engine = "podman"
		}
		return newManager(Container, id, engine, "stop", id), true
	case strings.HasSuffix(g.Unit, ".socket"):
		return newManager(Socket, g.Unit, systemctl(g.UserUnit, "stop", g.Unit)...), true
	case strings.HasSuffix(g.Unit, ".service") && !strings.HasPrefix(g.Unit, "user@"):
		return newManager(Unit, g.Unit, systemctl(g.UserUnit, "stop", g.Unit)...), true
	}
	return Manager{}, false
}

// systemctl returns a command line for the manager of the system, or of the user.
func systemctl(user bool, args ...string) []string {
	if user {
		return append([]string{"systemctl", "--user"}, args...)
	}
	return append([]string{"systemctl"}, args...)
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

// containerManager returns the container of a process, with its restart policy if
// the engine reports one.
func containerManager(ctx context.Context, group owner.Cgroup, l *monitor.Listener) Manager {
	m, _ := groupManager(group) // a group with a container has one
	c := l.Container
	if c == nil || c.ID != group.ContainerID {
		return m
	}
	m = newManager(Container, cmp.Or(c.Name, m.ID), engineCommand(*c, group.Podman, "stop", m.ID)...)
	m.Restarts, m.Policy = containerPolicy(ctx, *c)
	return m
}

// publisherOf returns the container that o publishes l for, or whose port l is. The
// control group of o is the engine's; stopping that would stop all containers. There
// is none for a port of the engine itself.
func publisherOf(o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	c := l.Container
	program := o.ProgramName()
	if c == nil && program != "docker-proxy" {
		return Manager{}, false
	}
	podman := c != nil && c.Engine == "podman"
	if c != nil && c.Published && c.ID != "" {
		id := c.ID[:min(12, len(c.ID))]
		return newManager(Publisher, cmp.Or(c.Name, id), engineCommand(*c, podman, "stop", id)...), true
	}
	engine := "docker"
	if podman {
		engine = "podman"
	}
	return Manager{Kind: Publisher, Command: fmt.Sprintf("%s stop $(%s ps -q --filter publish=%d)", engine, engine, l.Port)}, true
}

// engineCommand returns a command line for the engine of c. It names the engine's
// socket if the command would use another one.
func engineCommand(c monitor.Container, podman bool, args ...string) []string {
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	switch {
	case podman || c.Engine == "podman":
		usual := "/run/podman/podman.sock"
		if os.Geteuid() != 0 {
			usual = filepath.Join(runtimeDir, "podman/podman.sock")
		}
		if c.Socket != "" && c.Socket != usual {
			return append([]string{"podman", "--url", "unix://" + c.Socket}, args...)
		}
		return append([]string{"podman"}, args...)
	case c.Socket != "" && c.Socket != "/var/run/docker.sock" && c.Socket != "/run/docker.sock":
		return append([]string{"docker", "--host", "unix://" + c.Socket}, args...)
	}
	return append([]string{"docker"}, args...)
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

// processID returns "loop.sh (4200)".
func processID(name string, pid int) string { return name + " (" + strconv.Itoa(pid) + ")" }
