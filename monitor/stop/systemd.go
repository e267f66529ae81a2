package stop

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/owner"
)

// queryTimeout limits a question to systemd or a container engine. Without an answer
// the restart policy is unknown.
const queryTimeout = 2 * time.Second

// show runs systemctl show and returns its output, "" if it fails: systemd may not
// be installed or not be running. It is replaced in tests.
var show = func(ctx context.Context, userManager bool, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	command := systemctl(userManager, append([]string{"show", "--no-pager"}, args...)...)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// withUnitSettings adds to m, the unit that runs o, whether systemd restarts it, and
// the sockets that would start it again at the next connection. They must be stopped
// together.
func withUnitSettings(ctx context.Context, m Manager, group owner.Cgroup, o monitor.Owner) Manager {
	if group.UserUnit && !isUs(o.User) {
		m.Args = nil // another user's systemd does not take orders from here
		m.Command = shellCommand(append([]string{"systemctl", "--user", "--machine=" + o.User + "@", "stop"}, m.ID)...)
		return m
	}
	settings := properties(show(ctx, group.UserUnit, "--property=Restart", "--property=TriggeredBy", "--", m.ID))
	if len(settings) == 0 {
		return m
	}
	sockets := slices.DeleteFunc(strings.Fields(settings[0]["TriggeredBy"]), func(unit string) bool { return !strings.HasSuffix(unit, ".socket") })
	restart := settings[0]["Restart"]
	if len(sockets) > 0 || restart != "" {
		units := append(append([]string{"stop"}, sockets...), m.ID)
		m = newManager(Unit, m.ID, systemctl(group.UserUnit, units...)...)
	}
	switch restart { // what systemd does after SIGTERM, which counts as a clean exit (systemd.service(5))
	case "always", "on-success":
		m.Restarts, m.Policy = WillRestart, "Restart="+restart
	case "no", "on-failure", "on-abnormal", "on-abort", "on-watchdog":
		m.Restarts, m.Policy = WontRestart, "Restart="+restart
	}
	if len(sockets) > 0 {
		m.Restarts, m.Policy = WillRestart, sockets[0]
	}
	return m
}

// isUs reports whether name is this program's user, or unknown.
func isUs(name string) bool {
	u, err := user.Current()
	return name == "" || err != nil || u.Username == name
}

// socketUnitOf returns the socket unit for which o, which is systemd, listens on l.
func socketUnitOf(ctx context.Context, o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	userManager := o.PID != 1 && slices.Contains(o.Command, "--user")
	if userManager && !isUs(o.User) {
		return Manager{}, false
	}
	if userManager && os.Getenv("XDG_RUNTIME_DIR") == "" {
		return Manager{}, false
	}
	for _, unit := range properties(show(ctx, userManager, "--property=Id", "--property=Listen", "--property=Triggers", "--", "*.socket")) {
		if !strings.HasSuffix(unit["Id"], ".socket") || !listensOn(unit["Listen"], l) {
			continue
		}
		stopped := []string{"stop", unit["Id"]}
		for _, held := range l.Owners { // the service was started, and has the socket too
			if !held.Same(o) && protection(held) == "" {
				stopped = append(stopped, strings.Fields(unit["Triggers"])...)
				break
			}
		}
		m := newManager(Socket, unit["Id"], systemctl(userManager, stopped...)...)
		m.Policy, _, _ = strings.Cut(unit["Triggers"], " ")
		return m, true
	}
	return Manager{}, false
}

// properties parses the output of systemctl show: NAME=VALUE lines, and an empty
// line between two units. The values of a name that occurs again are joined by
// newlines.
func properties(text string) (units []map[string]string) {
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		unit := make(map[string]string)
		for line := range strings.Lines(block) {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch before, again := unit[name]; {
			case !ok:
			case again:
				unit[name] = before + "\n" + value
			default:
				unit[name] = value
			}
		}
		if len(unit) > 0 {
			units = append(units, unit)
		}
	}
	return units
}

// listensOn reports whether one of the lines of a unit's Listen property, like
// "127.0.0.1:9010 (Stream)", is a socket of l.
func listensOn(lines string, l *monitor.Listener) bool {
	kind := map[monitor.Protocol]string{monitor.TCP: "(Stream)", monitor.UDP: "(Datagram)"}[l.Protocol]
	for line := range strings.Lines(lines) {
		address, found, _ := strings.Cut(strings.TrimSpace(line), " ")
		at, err := netip.ParseAddrPort(address)
		if err == nil && found == kind && at.Port() == l.Port && slices.Contains(l.Addresses, at.Addr()) {
			return true
		}
	}
	return false
}
