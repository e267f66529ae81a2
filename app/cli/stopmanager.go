package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/stop"
)

// This file stops processes through the manager that would start them again.

// managed is an owner of a listener with its manager. The owner is zero if it is
// unknown.
type managed struct {
	owner    monitor.Owner
	listener *monitor.Listener
	stop.Manager
}

// findManagers returns the managers of all owners.
func (st *stopping) findManagers(ctx context.Context) (found []managed) {
	for _, l := range st.listeners {
		for _, o := range st.chosen(l) {
			if m, ok := stop.ManagerOf(ctx, o, l); ok {
				found = append(found, managed{o, l, m})
			}
		}
		if len(l.Owners) == 0 {
			if m, ok := stop.ManagerOfUnknownOwner(ctx, l); ok {
				found = append(found, managed{monitor.Owner{}, l, m})
			}
		}
	}
	return found
}

// managerOf returns the manager of o as an owner of l.
func (st *stopping) managerOf(o monitor.Owner, l *monitor.Listener) (stop.Manager, bool) {
	i := slices.IndexFunc(st.managers, func(m managed) bool { return m.listener == l && m.owner.Same(o) })
	if i < 0 {
		return stop.Manager{}, false
	}
	return st.managers[i].Manager, true
}

// onlyThroughManager reports whether none of the owners may be signaled, and all of
// them can be stopped through a manager: a container or a socket unit.
func (st *stopping) onlyThroughManager() bool {
	for _, l := range st.listeners {
		for _, o := range st.chosen(l) {
			m, ok := st.managerOf(o, l)
			protected := stop.Protection(o)
			through := ok && m.CanRun() && (m.Kind == stop.Publisher && stop.ForContainers(o) || m.Kind == stop.Socket)
			if protected == "" || !through {
				return false
			}
		}
		if len(l.Owners) == 0 {
			if m, ok := st.managerOf(monitor.Owner{}, l); !ok || m.Kind != stop.Publisher || len(m.Args) == 0 {
				return false
			}
		}
	}
	return true
}

// stopThroughManagers runs the commands of the managers and waits until the port is
// free.
func (st *stopping) stopThroughManagers(ctx context.Context) error {
	var managers []stop.Manager
	for _, m := range st.managers {
		if !slices.ContainsFunc(managers, func(k stop.Manager) bool { return k.Command == m.Command }) {
			managers = append(managers, m.Manager)
		}
	}
	if len(managers) == 0 {
		return fmt.Errorf("no manager is known for the owner of %s; to stop the process itself, leave out --manager", st.target)
	}
	var commands []string
	for _, m := range managers {
		if !m.CanRun() {
			return fmt.Errorf("%s cannot be stopped from here%s", managerText(m), orElse("; in a shell: ", m.Command))
		}
		commands = append(commands, m.Command)
	}
	if err := st.confirm(ctx, "Run "+strings.Join(commands, " and ")+"?"); err != nil {
		return err
	}
	var owners []monitor.Owner
	for _, m := range st.managers {
		if m.owner.PID != 0 {
			st.reportStop(m.owner, m.Command)
			owners = append(owners, m.owner)
		}
	}
	for _, m := range managers {
		_, _ = fmt.Fprintf(st.Stdout, "Running %s.\n", m.Command) // progress only
		if err := m.Run(ctx, st.Stdin, st.Stderr); err != nil {
			return fmt.Errorf("%w%s", err, st.rootAdvice(m))
		}
	}
	if slices.ContainsFunc(managers, stop.Manager.LeavesServer) {
		st.Yes = true // it was confirmed with the manager
		return st.stopProcesses(ctx)
	}
	for end := time.Now().Add(st.GracePeriod); !st.watch.Free() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(50 * time.Millisecond)
	}
	return st.aftermath(ctx, owners, stop.WatchTime)
}

// rootAdvice returns how to try again as root if m may refuse to take orders from this
// user; "" if it is the user's own.
func (st *stopping) rootAdvice(m stop.Manager) string {
	system := (m.Kind == stop.Unit || m.Kind == stop.Socket) && m.Args[0] == "systemctl" && !slices.Contains(m.Args, "--user")
	if os.Getuid() <= 0 || !system && m.Kind != stop.Supervisor {
		return ""
	}
	return fmt.Sprintf("; if you may not stop it: sudo porthole stop %s --manager", monitor.ShellCommand([]string{st.target.String()}))
}

// withManagerCommand adds the command that stops an owner properly to err, the
// error that the owner must not be stopped.
func (st *stopping) withManagerCommand(err error) error {
	var f stop.Failure
	var refused stop.RefusedError
	if !errors.As(err, &f) || !errors.As(err, &refused) {
		return err
	}
	for _, m := range st.managers {
		if m.owner.Same(f.Owner) && m.Command != "" {
			return fmt.Errorf("%w; to stop %s: %s", err, managerText(m.Manager), m.Command)
		}
	}
	return err
}
