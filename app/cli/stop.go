package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/monitor"
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
	Stdin       io.Reader     // for the answer; nil without a terminal
	GracePeriod time.Duration // how long to wait after a signal; 0: stop.GracePeriod
}

func newStop() *cobra.Command {
	o := stopOptions{Options: standardOptions()}
	c := &cobra.Command{
		Use:   "stop PORT",
		Short: "Stop the processes that listen on a port (exit status 1 if one is still running)",
		Args:  Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			o.Stdin = terminal()
			return runStop(c.Context(), args[0], o)
		},
	}
	c.Flags().BoolVar(&o.Force, "force", false, fmt.Sprintf("force quit (SIGKILL) processes that are still running after %v", stop.GracePeriod))
	c.Flags().BoolVar(&o.Yes, "yes", false, "skip the confirmation prompt")
	c.Flags().BoolVar(&o.Children, "children", false, "also stop their child processes")
	o.addUDP(c)
	return c
}

// runStop stops the owners of a port and returns nil only if all of them exited.
// It opens the processes before it asks for confirmation, so that the answer
// applies to the processes that were shown.
func runStop(ctx context.Context, arg string, o stopOptions) error {
	if o.GracePeriod == 0 {
		o.GracePeriod = stop.GracePeriod
	}
	port, err := ParsePort(arg)
	if err != nil {
		return err
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
	listeners := listenersAt(s, port)
	if len(listeners) == 0 {
		return fmt.Errorf("%d is free; there is nothing to stop", port)
	}
	for _, l := range listeners {
		q.printTargets(s, l)
	}
	targets, err := openAll(listeners)
	if err != nil {
		return err
	}
	defer stop.CloseAll(targets)
	if len(targets) == 0 {
		_, _ = fmt.Fprintln(o.Stdout, "The process has already exited.") // the exit status says it, too
		return nil
	}
	descendants, err := o.openDescendants(targets)
	if err != nil {
		return err
	}
	defer stop.CloseAll(descendants)
	if !o.Yes {
		question := "Stop this process?"
		if n := len(targets) + len(descendants); n > 1 {
			question = fmt.Sprintf("Stop these %d processes?", n)
		}
		yes, err := confirm(ctx, o.Stdin, o.Stderr, question)
		if err != nil {
			return err
		}
		if !yes {
			return errStopCanceled
		}
	}
	if err := o.stopAll(ctx, targets, descendants, listeners, port); err != nil {
		return err
	}
	return ownerUnknownError(listeners, port)
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

// printTargets prints the owners of l, the managers that may restart them, and
// the other listeners that close with them.
func (q query) printTargets(s monitor.Snapshot, l *monitor.Listener) {
	now := time.Now()
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(q.Stdout, format+"\n", args...) } // a failed write does not prevent the stop
	line("%s", summary(l, now))
	if m, ok := stop.ManagerOfUnknownOwner(l); ok && len(l.Owners) == 0 {
		line("  may belong to %s; to stop it: %s", monitor.Clean(m.String(), 80), m.Command)
	}
	for _, o := range l.Owners {
		text := "  " + processText(o)
		if o.User != "" {
			text += ", user " + monitor.Clean(o.User, 40)
		}
		if !o.StartedAt.IsZero() {
			text += ", since " + timeText(o.StartedAt, now)
		}
		line("%s", text)
		m, managed := stop.ManagerOf(o, l)
		switch {
		case managed && m.Kind == stop.Publisher:
			line("    works for %s; to stop that instead: %s", monitor.Clean(m.String(), 120), m.Command)
		case managed:
			line("    runs in %s, which may restart it; to stop that instead: %s", monitor.Clean(m.String(), 80), m.Command)
		}
		for _, other := range stop.ListenersOf(s, o) {
			if other.Port != l.Port || other.Protocol != l.Protocol {
				line("    also listens on %s, which closes with it", portText(other))
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
}

// openAll opens all owners of the listeners, without those that have exited.
func openAll(listeners []*monitor.Listener) ([]*stop.Process, error) {
	var owners []monitor.Owner
	for _, l := range listeners {
		owners = append(owners, l.Owners...)
	}
	processes, err := stop.OpenAll(owners)
	if err != nil {
		return nil, withProcess(err)
	}
	if len(processes) == 0 {
		return nil, ownerUnknownError(listeners, listeners[0].Port)
	}
	return processes, nil
}

// openDescendants opens and prints the child processes, if they are to be
// stopped.
func (o stopOptions) openDescendants(targets []*stop.Process) ([]*stop.Process, error) {
	if !o.Children {
		return nil, nil
	}
	descendants, err := stop.OpenDescendants(targets)
	if len(descendants) > 0 {
		_, _ = fmt.Fprintf(o.Stdout, "  with its children: %s\n", processesText(descendants)) // a failed write does not prevent the stop
	}
	return descendants, err
}

// withProcess adds the process to an error of the package stop.
func withProcess(err error) error {
	var f stop.Failure
	if errors.As(err, &f) {
		return fmt.Errorf("%s: %w", processText(f.Owner), f.Err)
	}
	return err
}

// ownerUnknownError returns an error if the owner of a listener is unknown.
func ownerUnknownError(listeners []*monitor.Listener, port uint16) error {
	for _, l := range listeners {
		if len(l.Owners) == 0 {
			return fmt.Errorf("cannot stop the owner of %d, which is unknown: %s", port, l.OwnerUnknown)
		}
	}
	return nil
}

// stopAll sends SIGTERM to targets and descendants and, with Force, SIGKILL to
// those that are still running after GracePeriod. A target must still hold one
// of the listeners.
func (o stopOptions) stopAll(ctx context.Context, targets, descendants []*stop.Process, listeners []*monitor.Listener, port uint16) error {
	holds, err := stop.NewHolderCheck(ctx, listeners, slog.New(slog.NewTextHandler(o.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	running, err := o.signal(ctx, slices.Concat(targets, descendants), len(targets), func(p *stop.Process) error {
		if slices.Contains(descendants, p) {
			return p.Terminate(nil)
		}
		return p.Terminate(holds)
	})
	errs := []error{err}
	if len(running) > 0 && o.Force && ctx.Err() == nil {
		_, _ = fmt.Fprintf(o.Stdout, "Still running: %s. Force quitting.\n", processesText(running)) // progress only
		running, err = o.signal(ctx, running, len(running), (*stop.Process).Kill)
		errs = append(errs, err)
	}
	switch {
	case len(running) == 0:
	case ctx.Err() != nil:
		errs = append(errs, fmt.Errorf("interrupted; still running: %s", processesText(running)))
	case o.Force:
		errs = append(errs, fmt.Errorf("still running after SIGKILL: %s; the kernel may be waiting for a device", processesText(running)))
	default:
		errs = append(errs, fmt.Errorf("still running after %v: %s; to force quit: porthole stop %d --force", o.GracePeriod, processesText(running), port))
	}
	return errors.Join(errs...)
}

// signal calls send for all processes, of which the first holders held the port,
// and waits at most GracePeriod. It prints those that exited and returns those
// that are still running, and an error about those that could not be signaled.
func (o stopOptions) signal(ctx context.Context, processes []*stop.Process, holders int, send func(*stop.Process) error) (running []*stop.Process, _ error) {
	limited, cancel := context.WithTimeout(ctx, o.GracePeriod)
	defer cancel()
	out := stop.Signal(limited, processes, send, stop.Progress{
		Signaled: func(signaled []*stop.Process) {
			_, _ = fmt.Fprintf(o.Stdout, "Waiting up to %v for %s to exit.\n", o.GracePeriod, processesText(signaled)) // progress only
		},
		Ended: func(p *stop.Process) {
			_, _ = fmt.Fprintf(o.Stdout, "%s exited.\n", processText(p.Owner())) // the exit status says it, too
		},
	})
	var errs []error
	for _, f := range out.Errors(holders) {
		if i := slices.IndexFunc(processes, func(p *stop.Process) bool { return p.Owner().Same(f.Owner) }); errors.Is(f, stop.ErrKillOnly) && o.Force {
			out.StillRunning = append(out.StillRunning, processes[i])
			continue
		}
		errs = append(errs, withProcess(f))
	}
	return out.StillRunning, errors.Join(errs...)
}

// processesText returns processes separated by commas.
func processesText(processes []*stop.Process) string {
	texts := make([]string, len(processes))
	for i, p := range processes {
		texts[i] = processText(p.Owner())
	}
	return strings.Join(texts, ", ")
}
