package stop

import (
	"cmp"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"porthole/monitor"
	"porthole/monitor/owner"
)

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
