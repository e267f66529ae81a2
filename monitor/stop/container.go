package stop

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"

	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/owner"
	"porthole/monitor/process"
)

// containerManager returns the container in which o runs, with what its engine reports
// about it.
func containerManager(ctx context.Context, group owner.Cgroup, o monitor.Owner, l *monitor.Listener) Manager {
	m, _ := groupManager(group, "") // a group with a container has one
	c := l.Container
	if c == nil || c.ID != group.ContainerID {
		c = &monitor.Container{ID: group.ContainerID}
	}
	if group.Podman {
		c.Engine = podman
	}
	_, _, monitorPID := container.Monitored(o)
	m = newManager(Container, cmp.Or(c.Name, m.ID), engineCommand(*c, monitorPID, "stop", m.ID)...)
	return m.withState(ctx, *c, monitorPID, o.PID)
}

// publisherOf returns the container that o publishes l for, or whose port l is. The
// control group of o is the engine's; stopping that would stop all containers. There
// is none for a port of the engine itself.
func publisherOf(ctx context.Context, o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	c := l.Container
	program := o.ProgramName()
	if c == nil && program != "docker-proxy" {
		return Manager{}, false
	}
	if c != nil && c.Published && c.ID != "" {
		id := c.ID[:min(12, len(c.ID))]
		m := newManager(Publisher, cmp.Or(c.Name, id), engineCommand(*c, o.PID, "stop", id)...)
		m = m.withState(ctx, *c, o.PID, containerProcess(o))
		m.Restarts, m.Policy = MayRestart, "" // an engine does not start what it was told to stop
		return m, true
	}
	engine := "docker"
	if c != nil && c.Engine == podman {
		engine = podman
	}
	return Manager{Kind: Publisher, Command: fmt.Sprintf("%s stop $(%s ps -q --filter publish=%d)", engine, engine, l.Port)}, true
}

// podman is the name of the engine and of its command.
const podman = "podman"

// containerProcess returns the PID of the process that conmon monitors; 0 for other
// programs.
func containerProcess(o monitor.Owner) int {
	if o.ProgramName() != "conmon" {
		return 0
	}
	children, err := process.Descendants(o)
	if err != nil || len(children) == 0 {
		return 0
	}
	return children[0].PID
}

// withState adds what the engine of c reports to m: whether it starts the container
// again when its process ends, and whether it is paused. Without an answer, the control
// group of pid, a process in the container, shows whether it is paused. enginePID is
// a process of the user who runs the engine; 0 if there is none.
func (m Manager) withState(ctx context.Context, c monitor.Container, enginePID, pid int) Manager {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	state := container.StateOf(ctx, c)
	switch state.RestartPolicy {
	case "":
	case "no", "on-failure":
		m.Restarts, m.Policy = WontRestart, "restart policy "+state.RestartPolicy
	default: // always, unless-stopped
		m.Restarts, m.Policy = WillRestart, "restart policy "+monitor.Clean(state.RestartPolicy, 40)
	}
	if len(m.Args) > 0 && (state.Paused || pid > 0 && process.IsFrozen(pid)) {
		m.Resume = engineCommand(c, enginePID, "unpause", c.ID[:min(12, len(c.ID))])
		m.Command = shellCommand(m.Resume...) + " && " + m.Command
	}
	return m
}

// engineCommand returns a command line for the engine of c. It names the engine's
// socket if the command would use another one, and runs as the user of the process
// enginePID if root cannot address the engine of that user in another way.
func engineCommand(c monitor.Container, enginePID int, args ...string) []string {
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	switch {
	case isUsersPodman(c, enginePID):
		u := userOf(enginePID)
		command := shellCommand(append([]string{"XDG_RUNTIME_DIR=/run/user/" + u.Uid, podman}, args...)...)
		return []string{"runuser", "-l", u.Username, "-s", "/bin/sh", "-c", command}
	case c.Engine == podman:
		usual := "/run/podman/podman.sock"
		if os.Geteuid() != 0 {
			usual = filepath.Join(runtimeDir, "podman/podman.sock")
		}
		if c.Socket != "" && c.Socket != usual {
			return append([]string{podman, "--url", "unix://" + c.Socket}, args...)
		}
		return append([]string{podman}, args...)
	case c.Socket != "" && c.Socket != "/var/run/docker.sock" && c.Socket != "/run/docker.sock":
		return append([]string{"docker", "--host", "unix://" + c.Socket}, args...)
	}
	return append([]string{"docker"}, args...)
}

// isUsersPodman reports whether c belongs to the Podman of the user of the process
// enginePID, whose containers root's Podman does not list, and no socket of that
// Podman is known.
func isUsersPodman(c monitor.Container, enginePID int) bool {
	return os.Geteuid() == 0 && c.Engine == podman && c.Socket == "" && userOf(enginePID) != nil
}

// userOf returns the user of a process; nil for root or if it is unknown.
func userOf(pid int) *user.User {
	o, err := process.Info(pid)
	if pid == 0 || err != nil || o.User == "" || o.User == "root" {
		return nil
	}
	u, err := user.Lookup(o.User)
	if err != nil {
		return nil
	}
	return u
}
