package stop

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/owner"
)

// queryTimeout limits a question to systemd or a container engine. Without an answer
// the restart policy is unknown.
const queryTimeout = 2 * time.Second

// systemd is a running instance of systemd.
type systemd struct {
	userID, user string // of whom; "" for the system's
}

// systemdOf returns the instance of a user, given by ID and name, or the system's if
// userID is "".
func systemdOf(userID, user string) systemd {
	if userID == "" {
		return systemd{}
	}
	return systemd{userID, user}
}

// isForeign reports whether the instance is that of another user. Only root may give it
// orders.
func (s systemd) isForeign() bool { return s.userID != "" && s.userID != strconv.Itoa(os.Getuid()) }

// canAsk reports whether this program may give the instance orders.
func (s systemd) canAsk() bool { return !s.isForeign() || os.Getuid() == 0 && s.user != "" }

// systemctl returns a command line for the instance. That of a user is found by the
// runtime folder, which a session opened by sudo or su does not name. Root becomes the
// user: "systemctl --machine=USER@" needs a D-Bus daemon of that user, which may not run.
func (s systemd) systemctl(args ...string) []string {
	folder := "XDG_RUNTIME_DIR=/run/user/" + s.userID
	switch {
	case s.userID == "":
		return append([]string{"systemctl"}, args...)
	case s.isForeign():
		args = append([]string{"runuser", "-u", cmp.Or(s.user, s.userID), "--", "env", folder, "systemctl", "--user"}, args...)
		if os.Getuid() != 0 {
			args = append([]string{"sudo"}, args...)
		}
		return args
	case os.Getenv("XDG_RUNTIME_DIR") == "":
		return append([]string{"env", folder, "systemctl", "--user"}, args...)
	}
	return append([]string{"systemctl", "--user"}, args...)
}

// manager returns the manager of a unit, which is stopped together with others.
func (s systemd) manager(kind ManagerKind, id string, units ...string) Manager {
	m := newManager(kind, id, s.systemctl(append([]string{"stop"}, units...)...)...)
	if !s.canAsk() {
		m.Args = nil
	}
	return m
}

// show runs systemctl show and returns its output, "" if it fails: systemd may not
// be installed or not be running. It is replaced in tests.
var show = func(ctx context.Context, s systemd, args ...string) string {
	if !s.canAsk() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	command := s.systemctl(append([]string{"show", "--no-pager"}, args...)...)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// withUnitSettings adds to m, a unit of s, whether systemd restarts it, and the socket and
// path units that would start it again. They must be stopped together.
func withUnitSettings(ctx context.Context, m Manager, s systemd) Manager {
	settings := properties(show(ctx, s, "--property=Restart", "--property=TriggeredBy", "--", m.ID))
	if len(settings) == 0 {
		return m
	}
	var sockets, paths []string // units of timers start it at their time only
	for unit := range strings.FieldsSeq(settings[0]["TriggeredBy"]) {
		switch {
		case strings.HasSuffix(unit, ".socket"):
			sockets = append(sockets, unit)
		case strings.HasSuffix(unit, ".path"):
			paths = append(paths, unit)
		}
	}
	restart := settings[0]["Restart"]
	if triggers := slices.Concat(sockets, paths); len(triggers) > 0 {
		m = s.manager(m.Kind, m.ID, append(triggers, m.ID)...)
	}
	switch restart { // what systemd does after SIGTERM, which counts as a clean exit (systemd.service(5))
	case "always", "on-success":
		m.Restarts, m.Policy = WillRestart, "Restart="+restart
	case "no", "on-failure", "on-abnormal", "on-abort", "on-watchdog":
		m.Restarts, m.Policy = WontRestart, "Restart="+restart
	}
	switch {
	case len(sockets) > 0:
		m.Restarts, m.Policy = WillRestart, sockets[0]
	case len(paths) > 0 && m.Restarts != WillRestart: // at once if it waits for a file that exists, otherwise at a change
		m.Restarts, m.Policy = MayRestart, paths[0]
	}
	return m
}

// socketUnitOf returns the socket unit for which o, which is systemd, listens on l.
func socketUnitOf(ctx context.Context, o monitor.Owner, l *monitor.Listener) (Manager, bool) {
	s := systemd{}
	if o.PID != 1 && slices.Contains(o.Command, "--user") {
		s = systemdOf(owner.CgroupOf(o.PID).UnitUser, o.User)
	}
	for _, unit := range properties(show(ctx, s, "--property=Id", "--property=Listen", "--property=Triggers", "--", "*.socket")) {
		if !strings.HasSuffix(unit["Id"], ".socket") || !listensOn(unit["Listen"], l) {
			continue
		}
		stopped := []string{unit["Id"]}
		for _, held := range l.Owners { // the service was started, and has the socket too
			if !held.Same(o) && protection(held) == "" {
				stopped = append(stopped, strings.Fields(unit["Triggers"])...)
				break
			}
		}
		m := s.manager(Socket, unit["Id"], stopped...)
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
