package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/monitor/process"
	"porthole/monitor/stop"
)

// This file formats what "stop" prints before and after it stops a process.

// printTargets prints the owners of l, the managers that may restart them, and
// the other listeners that close with them.
func (st *stopping) printTargets(s monitor.Snapshot, l *monitor.Listener) {
	now := time.Now()
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(st.Stdout, format+"\n", args...) } // a failed write does not prevent the stop
	line("%s", summary(l, now))
	line("  address: %s", endpointText(l))
	if m, ok := st.managerOf(monitor.Owner{}, l); ok && len(l.Owners) == 0 {
		line("  may belong to %s%s", managerText(m), orElse("; to stop it: ", m.Command))
	}
	chosen := st.chosen(l)
	for _, o := range chosen {
		text := "  " + processText(o)
		master, hasMaster := stop.Master(l.Owners)
		if hasMaster && o.Same(master) {
			text += ", master"
		}
		if len(l.Addresses) > 1 {
			text += " on " + addressesOf(l, o)
		}
		if o.User != "" {
			text += ", user " + monitor.Clean(o.User, 40)
		}
		if !o.StartedAt.IsZero() {
			text += ", since " + timeText(o.StartedAt, now)
		}
		line("%s", text)
		if command := monitor.Clean(strings.Join(st.query.maskedCommand(o.Command), " "), 400); command != "" {
			line("    command: %s", command)
		}
		if folder := monitor.Clean(o.Folder, 400); folder != "" {
			line("    folder: %s", folder+orElse(", project ", monitor.Clean(o.Project, 60)))
		}
		for _, note := range st.notes(o, l) {
			line("    %s", note)
		}
		if hasMaster && !slices.ContainsFunc(chosen, master.Same) {
			line("    its master %s may start a new one", processText(master))
		}
		st.printAffected(s, o, l, line)
	}
	if kept := slices.DeleteFunc(slices.Clone(l.Owners), func(o monitor.Owner) bool { return slices.ContainsFunc(chosen, o.Same) }); len(kept) > 0 {
		line("  not stopped: %s", ownersText(kept))
	}
}

// printAffected prints what else closes with o.
func (st *stopping) printAffected(s monitor.Snapshot, o monitor.Owner, l *monitor.Listener, line func(string, ...any)) {
	if stop.Protection(o) != "" {
		return // it is not stopped
	}
	for _, other := range stop.ListenersOf(s, o) {
		switch rest := stop.Narrow(other, func(s monitor.Socket) bool { return !slices.Contains(l.Addresses, s.Address) }); {
		case other.Port != l.Port || other.Protocol != l.Protocol:
			line("    also listens on %s, which closes with it", portText(other))
		case rest != nil && holdsOne(rest, o):
			line("    also listens on %s, which closes with it", endpointText(rest))
		}
	}
	for _, other := range stop.ListenersOfDescendants(s, o) {
		for _, child := range other.Owners {
			if stop.IsDescendant(child, o) {
				line("    its child %s listens on %s and may exit with it", processText(child), portText(other))
			}
		}
	}
}

// holdsOne reports whether o holds a socket of l.
func holdsOne(l *monitor.Listener, o monitor.Owner) bool {
	return slices.ContainsFunc(l.Owners, o.Same)
}

// notes returns what the user must know before stopping o: whether it is never
// stopped, whether it is suspended, and what restarts it.
func (st *stopping) notes(o monitor.Owner, l *monitor.Listener) (notes []string) {
	m, ok := st.managerOf(o, l)
	protected := stop.Protection(o)
	switch {
	case protected != "" && ok && m.Kind == stop.Socket:
		notes = append(notes, fmt.Sprintf("systemd listens for %s, which it starts at the first connection (%s); to stop that: %s", monitor.Clean(strings.TrimPrefix(m.Policy, " "), 80), managerText(m), m.Command))
	case protected != "" && ok:
		notes = append(notes, "is not stopped: it "+string(protected), fmt.Sprintf("works for %s; to stop that instead: %s", managerText(m), m.Command))
	case protected != "":
		notes = append(notes, "is not stopped: it "+string(protected))
	case ok:
		notes = append(notes, managerNote(m))
	}
	if also := stop.Consequence(o); also != "" {
		notes = append(notes, string(also))
	}
	if ok && m.Resume != nil {
		notes = append(notes, "the container is paused: it neither answers nor exits until it is resumed")
	}
	if process.IsSuspended(o.PID) {
		notes = append(notes, fmt.Sprintf("is suspended (SIGSTOP or Ctrl+Z) and does not respond; stop resumes it so that it can exit. To resume it without stopping it: kill -CONT %d", o.PID))
	}
	return notes
}

// managerNote names the manager of a process, whether it restarts the process,
// and how to stop it properly.
func managerNote(m stop.Manager) string {
	verb := map[stop.ManagerKind]string{stop.Supervisor: "is run by ", stop.Group: "is run by ", stop.Watcher: "is run by ", stop.Loop: "was started by "}[m.Kind]
	if verb == "" {
		verb = "runs in "
	}
	text := verb + managerText(m)
	switch {
	case m.Kind == stop.Group:
		return text + ", which stops its other processes when this one exits" + orElse("; to stop them all: ", m.Command)
	case m.Kind == stop.Watcher:
		return text + ", which starts it again when a file changes" + orElse("; to stop both: ", m.Command)
	}
	switch m.Restarts {
	case stop.WillRestart:
		text += ", which starts it again"
	case stop.WontRestart:
		text += ", which does not start it again"
	default:
		text += ", which may start it again"
	}
	text += orElse(" (", m.Policy)
	if m.Policy != "" {
		text += ")"
	}
	return text + orElse("; to stop that instead: ", m.Command)
}

// managerText names a manager in clean text.
func managerText(m stop.Manager) string { return monitor.Clean(m.String(), 120) }

// orElse returns prefix followed by text; "" if text is empty.
func orElse(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// freeText describes a port that nothing of the listeners has any more: whether a server
// can bind it, and if not, why. Closing connections, which every stopped server may leave,
// keep it only from servers that do not set SO_REUSEADDR.
func (st *stopping) freeText(ctx context.Context) string {
	free := st.target.String() + " is free."
	answer := inuse.Ask(ctx, st.target.Port)
	blocking := answer.Blocking()
	if addresses := st.target.addresses(); len(addresses) > 0 {
		blocking = slices.DeleteFunc(blocking, func(u inuse.Use) bool {
			return !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return u.Blocks(a) })
		})
	}
	if answer.Err != nil || len(blocking) == 0 {
		return free
	}
	if !slices.ContainsFunc(blocking, func(u inuse.Use) bool { return u.Kind != inuse.TimeWait }) {
		return fmt.Sprintf("Nothing listens on %s now. %s", st.target, reasonsText(blocking))
	}
	if !st.target.hasAddress() {
		return answer.Headline().String() + " " + reasonsText(blocking)
	}
	return fmt.Sprintf("Nothing listens on %s, but the port is not free. %s", st.target, reasonsText(blocking))
}

// printRest prints what still listens after some of several owners were stopped, with
// the processes that took their place.
func (st *stopping) printRest(ctx context.Context) error {
	isOld := func(o monitor.Owner) bool {
		return slices.ContainsFunc(st.listeners, func(l *monitor.Listener) bool { return slices.ContainsFunc(l.Owners, o.Same) })
	}
	var now []*monitor.Listener
	var err error
	for end := time.Now().Add(stop.WatchTimeRespawn); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if now, err = stop.Holders(ctx, st.listeners, st.log); err != nil {
			return err
		}
		if slices.ContainsFunc(now, func(l *monitor.Listener) bool {
			return slices.ContainsFunc(l.Owners, func(o monitor.Owner) bool { return !isOld(o) })
		}) {
			break
		}
	}
	if len(now) == 0 {
		_, err := fmt.Fprintln(st.Stdout, st.freeText(ctx))
		return err
	}
	for _, l := range now {
		for _, o := range l.Owners {
			if !isOld(o) {
				_, _ = fmt.Fprintf(st.Stdout, "%s listens on %s now%s.\n", processText(o), st.target, orElse(", started by ", starterText(o, l)))
			}
		}
		_, _ = fmt.Fprintf(st.Stdout, "%s is still open: %s.\n", st.target, ownersText(l.Owners))
	}
	return nil
}

// ownersText returns processes separated by commas.
func ownersText(owners []monitor.Owner) string {
	texts := make([]string, len(owners))
	for i, o := range owners {
		texts[i] = processText(o)
	}
	return strings.Join(texts, ", ")
}

// processesText returns processes separated by commas.
func processesText(processes []*stop.Process) string {
	texts := make([]string, len(processes))
	for i, p := range processes {
		texts[i] = processText(p.Owner())
	}
	return strings.Join(texts, ", ")
}

// endpointText returns the addresses of l with its port: "127.0.0.1:9603, [::1]:9603".
func endpointText(l *monitor.Listener) string { return joinEndpoints(l, l.Addresses) }

func joinEndpoints(l *monitor.Listener, addresses []netip.Addr) string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = net.JoinHostPort(a.String(), portText(l))
	}
	return strings.Join(texts, ", ")
}

// addressesOf returns the addresses at which o holds a socket of l.
func addressesOf(l *monitor.Listener, o monitor.Owner) string {
	var addresses []netip.Addr
	for _, s := range l.Sockets {
		if slices.Contains(s.Owners, o.PID) && !slices.Contains(addresses, s.Address) {
			addresses = append(addresses, s.Address)
		}
	}
	return joinEndpoints(l, addresses)
}

// takenText describes what holds the port of l after a stop: "python3 (4242) took
// 8123 again, started by a loop in loop.sh (4200)". before are the processes that were
// stopped.
func (st *stopping) takenText(ctx context.Context, l *monitor.Listener, before []monitor.Owner) string {
	at := st.target.String()
	o, known := l.Principal()
	if !known {
		return fmt.Sprintf("%s is in use again, owner unknown: %s", at, l.OwnerUnknown)
	}
	if slices.ContainsFunc(before, o.Same) {
		text := fmt.Sprintf("%s still listens on %s", processText(o), at)
		if st.Manager && stop.Protection(o) == "" { // a supervisor may know only the shell that started it
			text += "; its manager has not stopped it. To stop the process itself, leave out --manager"
		}
		return text
	}
	text := fmt.Sprintf("%s holds %s now", processText(o), at)
	if slices.ContainsFunc(before, func(b monitor.Owner) bool { return b.ProgramName() == o.ProgramName() }) || len(before) == 0 {
		text = fmt.Sprintf("%s took %s again", processText(o), at)
	}
	m, managed := stop.ManagerOf(ctx, o, l)
	starter := starterText(o, l)
	if managed && m.Kind == stop.Loop {
		starter = managerText(m)
	}
	text += orElse(", started by ", starter)
	if managed && m.Command != "" {
		text += "; to stop " + managerText(m) + ": " + m.Command
	} else if p, ok := stop.Starter(o); ok && stop.Protection(monitor.Owner{PID: p.PID, Name: p.Name, Start: 1}) == "" {
		text += "; to stop what starts it: kill " + strconv.Itoa(p.PID)
	}
	return text
}

// starterText names what started o: a parent with its PID, or a unit.
func starterText(o monitor.Owner, l *monitor.Listener) string {
	if p, ok := stop.Starter(o); ok {
		return processText(p)
	}
	if strings.HasSuffix(l.Unit, ".service") {
		return monitor.Clean(l.Unit, 60)
	}
	return ""
}
