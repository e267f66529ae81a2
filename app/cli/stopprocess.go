package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/stop"
)

// This file sends signals to processes and waits for their end.

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
