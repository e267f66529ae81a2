package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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
		Use:   "stop PORT | ADDRESS:PORT | URL | NAME | --orphans",
		Short: "Stop the processes that listen on a port (exit status 1 if something still listens)",
		Long: `Stop the processes that listen on a port, or on one address of it. Like "porthole
list PORT", it takes only what loopback reaches unless --all is given. NAME is the
name of a service, a project, a label, a process or a container; if several listeners
have it, they are listed and nothing is stopped.

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
	c.Flags().StringVar(&orphans, "orphans", "", "stop the orphaned servers, if that is at least `CERTAINTY`: confirmed, likely (the default) or possible")
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
	target, err := findTarget(ctx, arg, o.Options)
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
