package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/monitor/orphan"
	"porthole/monitor/owner"
	"porthole/monitor/stop"
)

// errStopCanceled means that the user answered no, or that the command was
// interrupted before an answer.
var errStopCanceled = errors.New("canceled; nothing was stopped")

// stopOptions are the flags of the stop command.
type stopOptions struct {
	Options
	Force       bool          // force quit processes that are still running after GracePeriod
	Yes         bool          // skip the confirmation prompt
	Children    bool          // also stop child processes
	Manager     bool          // stop through the manager instead of signaling
	PIDs        []int         // stop only the owners with these PIDs; empty: all
	Signal      string        // name of the signal to send; "": TERM
	Stdin       io.Reader     // to read the answer from; nil without a terminal
	GracePeriod time.Duration // how long to wait after a signal; 0: stop.GracePeriod

	// Confirm returns nil if the user agrees to the question; nil asks at Stdin.
	Confirm func(ctx context.Context, st *stopping, question string) error
}

func newStop() *cobra.Command {
	o := stopOptions{Options: standardOptions()}
	orphans := ""
	c := &cobra.Command{
		Use:   "stop PORT | ADDRESS:PORT | URL | --orphans",
		Short: "Stop the processes that listen on a port (exit status 1 if something still listens)",
		Long: `Stop the processes that listen on a port, or on one address of it. Like "porthole
list PORT", it takes only what loopback reaches unless --all is given.

It shows the processes, what else closes with them and what may start them again,
and asks before it sends SIGTERM. The exit status is 0 if nothing listens there
afterwards, and 1 if something does. If a server can't bind the port although nothing
listens, because of closing connections for example, the output says what keeps it.

With --pid it stops only one of several owners, such as one worker of a server; the
exit status is then 0 if that process exited.

A container engine, a container's forwarder, systemd and the processes of your
login session are never stopped. The container or the socket unit is stopped
instead, with a command that is shown first.

With --orphans it stops the servers that "porthole orphans" lists as confirmed or
likely, after it has named all of them; --orphans=possible takes all of the list.`,
		Args: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("orphans") {
				return Args(cobra.ExactArgs(1))(c, joinLine(args))
			}
			if len(args) > 0 || len(o.PIDs) > 0 || o.Manager {
				return UsageError{"--orphans takes no port, and neither --pid nor --manager; with a certainty: --orphans=possible"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Stdin = terminalInput()
			if c.Flags().Changed("orphans") {
				return stopOrphans(c.Context(), orphan.Certainty(orphans), o)
			}
			return runStop(c.Context(), joinLine(args)[0], o)
		},
	}
	c.Flags().BoolVar(&o.Force, "force", false, fmt.Sprintf("force quit (SIGKILL) processes that are still running after %v, or at once those that an earlier stop has waited for", stop.GracePeriod))
	c.Flags().BoolVar(&o.Yes, "yes", false, "skip the confirmation prompt")
	c.Flags().BoolVar(&o.Children, "children", false, "also stop their child processes")
	c.Flags().IntSliceVar(&o.PIDs, "pid", nil, "stop only the owner with this process ID, such as one worker; may be repeated")
	c.Flags().StringVar(&o.Signal, "signal", "TERM", "send this signal: "+stop.SignalNames())
	c.Flags().BoolVar(&o.Manager, "manager", false, "stop through the manager: systemctl stop, docker stop, supervisorctl stop, pm2 stop, or kill of a loop")
	c.Flags().StringVar(&orphans, "orphans", "", "stop the servers that were left behind, if that is at least `CERTAINTY`: confirmed, likely (the default) or possible")
	c.Flags().Lookup("orphans").NoOptDefVal = string(orphan.Likely)
	o.addAll(c)
	o.addUDP(c)
	return c
}

// stoppable returns the listeners in s that t selects: with an address, those
// that accept connections to it; without one, those that "list" shows. They
// contain only the selected sockets. others are the other listeners on the port.
func (t target) stoppable(s monitor.Snapshot, anyAddress bool) (chosen, others []*monitor.Listener) {
	all := listenersAt(s, t.Port)
	if addresses := t.addresses(); addresses != nil {
		return stop.At(all, addresses...), all
	}
	for _, l := range all {
		if !anyAddress && !l.AcceptsLoopback() {
			others = append(others, l)
			continue
		}
		if narrowed := stop.Narrow(l, monitor.Socket.AcceptsLoopback); narrowed != nil && !anyAddress {
			l = narrowed
		}
		chosen = append(chosen, l)
	}
	return chosen, others
}

// runStop stops the owners of a port and returns nil only if nothing listens on it
// afterwards. It opens the processes before it asks for confirmation, so that the
// answer applies to the processes that were shown.
func runStop(ctx context.Context, arg string, o stopOptions) error {
	if o.GracePeriod == 0 {
		o.GracePeriod = stop.GracePeriod
	}
	target, err := parseTarget(arg)
	if err != nil {
		return err
	}
	signal, name, err := stop.ParseSignal(cmp.Or(o.Signal, "TERM"))
	if err != nil {
		return UsageError{"--signal " + err.Error()}
	}
	if o.Manager && (len(o.PIDs) > 0 || signal != syscall.SIGTERM) {
		return UsageError{"--manager stops everything that the manager runs; leave out --pid and --signal"}
	}
	q, err := newQuery(nil, o.Options) // all ports: the processes may have others, too
	if err != nil {
		return err
	}
	q.All = true
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return err
	}
	listeners, others := target.stoppable(s, o.All)
	if len(listeners) == 0 {
		return nothingToStop(ctx, target, others)
	}
	st := stopping{stopOptions: o, signal: signal, signalName: name, query: q, target: target, listeners: listeners, log: slog.New(slog.NewTextHandler(o.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := st.checkPIDs(); err != nil {
		return err
	}
	st.managers = st.findManagers(ctx)
	for _, l := range listeners {
		st.printTargets(s, l)
	}
	if st.watch, err = stop.NewPortWatch(listeners, st.log); err != nil {
		return err
	}
	defer st.watch.Close()
	if o.Manager || st.onlyThroughManager() {
		return st.stopThroughManagers(ctx)
	}
	return st.stopProcesses(ctx)
}

// checkPIDs returns an error if a process of --pid is no owner of the listeners.
func (st *stopping) checkPIDs() error {
	var owners []string
	for _, l := range st.listeners {
		for _, o := range l.Owners {
			owners = append(owners, processText(o))
		}
	}
	for _, pid := range st.PIDs {
		if !slices.ContainsFunc(st.listeners, func(l *monitor.Listener) bool {
			return slices.ContainsFunc(l.Owners, func(o monitor.Owner) bool { return o.PID == pid })
		}) {
			return fmt.Errorf("process %d does not listen on %s%s", pid, st.target, orElse("; its owners: ", strings.Join(owners, ", ")))
		}
	}
	return nil
}

// chosen returns the owners of l to stop.
func (st *stopping) chosen(l *monitor.Listener) []monitor.Owner {
	if len(st.PIDs) == 0 {
		return l.Owners
	}
	return slices.DeleteFunc(slices.Clone(l.Owners), func(o monitor.Owner) bool { return !slices.Contains(st.PIDs, o.PID) })
}

// nothingToStop returns the error that no listener matches. It lists other addresses on
// the port that have one, or what else keeps the port from being bound.
func nothingToStop(ctx context.Context, t target, others []*monitor.Listener) error {
	if len(others) == 0 {
		answer := inuse.Ask(ctx, t.Port)
		if answer.State() == inuse.FreeForTCP {
			return fmt.Errorf("%s is free for TCP; there is nothing to stop. %s With --udp, stop takes UDP sockets", t, reasonsText(answer.Uses))
		}
		if blocking := answer.Blocking(); len(blocking) > 0 {
			return fmt.Errorf("nothing listens on %s, so there is nothing to stop, but the port is not free. %s", t, strings.TrimSuffix(reasonsText(blocking), "."))
		}
		return fmt.Errorf("%s is free; there is nothing to stop", t)
	}
	var texts []string
	for _, l := range others {
		text := unknownOwnerText(l)
		if o, ok := l.Principal(); ok {
			text = processText(o)
		}
		texts = append(texts, text+" listens on "+endpointText(l))
	}
	where, them, flag := "", "it", ""
	if len(others) > 1 {
		them = "them"
	}
	if t.addresses() == nil {
		where = " on loopback"
	}
	if slices.ContainsFunc(others, func(l *monitor.Listener) bool { return !l.AcceptsLoopback() }) {
		flag = " --all"
	}
	return fmt.Errorf("nothing listens on %s%s. %s; to stop %s: porthole stop %d%s", t, where, strings.Join(texts, ", "), them, t.Port, flag)
}

// listenersAt returns the listeners on port.
func listenersAt(s monitor.Snapshot, port uint16) (out []*monitor.Listener) {
	for _, l := range s.Listeners {
		if l.Port == port {
			out = append(out, l)
		}
	}
	return out
}

// stopping is one run of the stop command.
type stopping struct {
	stopOptions
	signal     syscall.Signal // the first signal
	signalName string         // "SIGTERM"
	query      query
	target     target
	listeners  []*monitor.Listener // the listeners to stop
	managers   []managed           // the managers of their owners
	watch      *stop.PortWatch
	noAgent    bool // no agent is running, or it does not respond
	log        *slog.Logger
}

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

// confirm asks question unless --yes is given.
func (st *stopping) confirm(ctx context.Context, question string) error {
	switch {
	case st.Yes:
		return nil
	case st.Confirm != nil:
		return st.Confirm(ctx, st, question)
	}
	yes, err := confirm(ctx, st.Stdin, st.Stderr, question)
	if err == nil && !yes {
		err = errStopCanceled
	}
	return err
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

// stopProcesses signals the owners of the listeners.
func (st *stopping) stopProcesses(ctx context.Context) error {
	targets, err := st.openAll()
	if err != nil {
		return st.withManagerCommand(err)
	}
	defer stop.CloseAll(targets)
	if len(targets) == 0 {
		_, _ = fmt.Fprintln(st.Stdout, "The process has already exited.") // the exit status reports it, too
		return nil
	}
	descendants, err := st.openDescendants(targets)
	if err != nil {
		return err
	}
	defer stop.CloseAll(descendants)
	question := "Stop this process?"
	if n := len(targets) + len(descendants); n > 1 {
		question = fmt.Sprintf("Stop these %d processes?", n)
	}
	if err := st.confirm(ctx, question); err != nil {
		return err
	}
	stopErr := st.stopAll(ctx, targets, descendants)
	if len(st.PIDs) > 0 {
		if stopErr != nil {
			return stopErr
		}
		return st.printRest(ctx)
	}
	if err := errors.Join(stopErr, unknownOwnerError(st.listeners, st.target.Port)); err != nil {
		return err
	}
	var owners []monitor.Owner
	for _, p := range targets {
		owners = append(owners, p.Owner())
	}
	watch := stop.WatchTime
	if slices.ContainsFunc(st.managers, func(m managed) bool { return m.Restarts != stop.WontRestart }) {
		watch = stop.WatchTimeManaged
	}
	return st.aftermath(ctx, owners, watch)
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

// openAll opens the chosen owners of the listeners, without those that have exited.
func (st *stopping) openAll() ([]*stop.Process, error) {
	var owners []monitor.Owner
	for _, l := range st.listeners {
		owners = append(owners, st.chosen(l)...)
	}
	processes, err := stop.OpenAll(owners)
	if err != nil {
		return nil, withProcess(err)
	}
	if len(processes) == 0 {
		return nil, unknownOwnerError(st.listeners, st.listeners[0].Port)
	}
	return processes, nil
}

// openDescendants opens and prints the child processes, if they are to be
// stopped.
func (st *stopping) openDescendants(targets []*stop.Process) ([]*stop.Process, error) {
	if !st.Children {
		return nil, nil
	}
	descendants, err := stop.OpenDescendants(targets)
	if len(descendants) > 0 {
		_, _ = fmt.Fprintf(st.Stdout, "  with its children: %s\n", processesText(descendants)) // a failed write does not prevent the stop
	}
	return descendants, err
}

// withProcess adds the process to an error of the package stop.
func withProcess(err error) error {
	var f stop.Failure
	if errors.As(err, &f) {
		return fmt.Errorf("%s: %w", processText(f.Owner), err)
	}
	return err
}

// unknownOwnerError returns an error if the owner of a listener is unknown.
func unknownOwnerError(listeners []*monitor.Listener, port uint16) error {
	for _, l := range listeners {
		if len(l.Owners) == 0 {
			advice := ""
			if l.OwnerUnknown == monitor.UnknownForeign || l.OwnerUnknown == monitor.UnknownProtected || l.OwnerUnknown == monitor.UnknownRemoteForward {
				advice = fmt.Sprintf("; try: sudo porthole stop %d", port)
			}
			return fmt.Errorf("cannot stop the owner of %d, which is unknown: %s%s", port, l.OwnerUnknown, advice)
		}
	}
	return nil
}

// stopAll sends the first signal to targets and descendants and, with Force, SIGKILL to
// those that are still running after GracePeriod, which is not waited again if an
// earlier stop has done so. A target must still hold one of the listeners. Without
// Force, --pid and descendants, a target that closed the port counts as stopped.
func (st *stopping) stopAll(ctx context.Context, targets, descendants []*stop.Process) error {
	holds, err := stop.NewHolderCheck(ctx, st.listeners, st.log)
	if err != nil {
		return err
	}
	var free func() bool
	if !st.Force && len(st.PIDs) == 0 && len(descendants) == 0 {
		free = st.watch.Free
	}
	all := slices.Concat(targets, descendants)
	record := readWaitedFor(st.log)
	wait := st.GracePeriod
	if st.Force && record.hasAll(all) {
		wait = 0
	}
	running, err := st.send(ctx, all, len(targets), wait, st.signalName, free, func(p *stop.Process) error {
		if slices.Contains(descendants, p) {
			return p.Signal(st.signal, nil)
		}
		return p.Signal(st.signal, holds)
	})
	errs := []error{err}
	if ctx.Err() == nil {
		record.add(running)
	}
	if len(running) > 0 && st.Force && ctx.Err() == nil {
		_, _ = fmt.Fprintf(st.Stdout, "Still running: %s. Force quitting.\n", processesText(running)) // progress only
		running, err = st.send(ctx, running, len(running), stop.GracePeriod, "SIGKILL", nil, (*stop.Process).Kill)
		errs = append(errs, err)
	}
	switch {
	case len(running) == 0:
	case ctx.Err() != nil:
		errs = append(errs, fmt.Errorf("interrupted; still running: %s", processesText(running)))
	case st.Force, st.signal == syscall.SIGKILL:
		errs = append(errs, fmt.Errorf("still running after SIGKILL: %s; the kernel may be waiting for a device", processesText(running)))
	default:
		errs = append(errs, fmt.Errorf("still running after %v: %s; to force quit: porthole stop %s%s --force", st.GracePeriod, processesText(running), monitor.ShellCommand([]string{st.target.String()}), st.pidFlags()))
	}
	return errors.Join(errs...)
}

// pidFlags returns the --pid flags as they were given.
func (st *stopping) pidFlags() (flags string) {
	for _, pid := range st.PIDs {
		flags += " --pid " + strconv.Itoa(pid)
	}
	return flags
}

// send calls send for all processes, of which the first holders held the port,
// and waits at most for wait, or until free returns true. It prints those that
// exited and returns those that are still running, and an error about those that
// could not be signaled.
func (st *stopping) send(ctx context.Context, processes []*stop.Process, holders int, wait time.Duration, signalName string, free func() bool, send func(*stop.Process) error) (running []*stop.Process, _ error) {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	out := stop.Signal(limited, processes, func(p *stop.Process) error {
		err := send(p)
		if err == nil {
			st.reportStop(p.Owner(), signalName)
		}
		return err
	}, stop.Progress{
		Signaled: func(signaled []*stop.Process) {
			if wait > 0 {
				_, _ = fmt.Fprintf(st.Stdout, "Waiting up to %v for %s to exit.\n", wait, processesText(signaled)) // progress only
			}
		},
		Ended: func(p *stop.Process) {
			_, _ = fmt.Fprintf(st.Stdout, "%s exited.\n", processText(p.Owner())) // the exit status reports it, too
		},
		PortFree: free,
	})
	if len(out.Finishing) > 0 {
		_, _ = fmt.Fprintf(st.Stdout, "%s closed the port and is still finishing.\n", processesText(out.Finishing)) // the exit status reports the rest
	}
	var errs []error
	for _, f := range out.Errors(holders) {
		if i := slices.IndexFunc(processes, func(p *stop.Process) bool { return p.Owner().Same(f.Owner) }); errors.Is(f, stop.ErrKillOnly) && st.Force {
			out.StillRunning = append(out.StillRunning, processes[i])
			continue
		}
		errs = append(errs, withProcess(f))
	}
	return out.StillRunning, errors.Join(errs...)
}

// reportStop reports to the agent that the user stopped a process, for its history and
// notifications. Without a running agent there are none, and one that did not respond
// once, within the timeout of ipc.Request, is not asked again.
func (st *stopping) reportStop(o monitor.Owner, how string) {
	if st.noAgent {
		return
	}
	dir, err := ipc.OpenRuntimeDir()
	if err == nil {
		_, err = ipc.Request(dir, ipc.Message{Kind: ipc.Stopping, Process: &ipc.Process{PID: o.PID, Start: o.Start, How: how}})
	}
	st.noAgent = err != nil // its history lacks the stop then
}

// aftermath reports what holds the port within the time watch after a stop. before
// are the processes that were stopped. It returns an error if something holds the
// port.
func (st *stopping) aftermath(ctx context.Context, before []monitor.Owner, watch time.Duration) error {
	now, err := st.watch.Taken(ctx, watch)
	if err != nil {
		return err
	}
	if len(now) == 0 {
		_, _ = fmt.Fprintln(st.Stdout, st.freeText(ctx)) // the exit status reports it, too
		return nil
	}
	var errs []error
	for _, l := range now {
		errs = append(errs, errors.New(st.takenText(ctx, l, before)))
	}
	return errors.Join(errs...)
}
