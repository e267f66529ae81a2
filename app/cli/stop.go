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

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/stop"
)

// StopOptions say how a port's owners are stopped.
type StopOptions struct {
	Options
	Force       bool          // by force, where they do not end when they are asked
	Yes         bool          // without a question
	Children    bool          // the processes below them too
	Stdin       io.Reader     // where the answer comes from; nil where nobody can be asked
	GracePeriod time.Duration // how long they are given to end; stop.Patience where 0
}

// ErrStopCanceled is the answer no.
var ErrStopCanceled = errors.New("nothing was stopped")

// Stop ends the processes that hold a port. It returns nil only when all have
// ended. They are held from before the question, so that the answer is about those
// that were shown.
func Stop(ctx context.Context, port string, o StopOptions) error {
	if o.GracePeriod == 0 {
		o.GracePeriod = stop.GracePeriod
	}
	q, err := newQuery([]string{port}, o.Options)
	if err != nil {
		return err
	}
	number, single := q.ports.Single()
	if !single {
		return UsageError{fmt.Sprintf("%q: stop takes one port", monitor.Clean(port, 40))}
	}
	q.All, q.ports = true, nil // what else goes is at other ports
	s, err := q.poll(ctx, owner.New())
	if err != nil {
		return err
	}
	rows := listenersAt(s, number)
	if len(rows) == 0 {
		return fmt.Errorf("%d is free: there is nothing to stop", number)
	}
	for _, l := range rows {
		q.printTargets(s, l)
	}
	held, err := openAll(rows)
	if err != nil {
		return err
	}
	defer stop.CloseAll(held)
	if len(held) == 0 {
		_, _ = fmt.Fprintln(o.Stdout, "It has ended meanwhile.") // the exit status tells too
		return nil
	}
	below, err := o.openDescendants(held)
	if err != nil {
		return err
	}
	defer stop.CloseAll(below)
	if err := o.confirm(ctx); err != nil {
		return err
	}
	if err := o.stopAll(ctx, held, below, rows, number); err != nil {
		return err
	}
	return ownerUnknownError(rows, number)
}

// listenersAt are the listeners at port.
func listenersAt(s monitor.Snapshot, port uint16) (rows []*monitor.Listener) {
	for _, l := range s.Listeners {
		if l.Port == port {
			rows = append(rows, l)
		}
	}
	return rows
}

// printTargets says whom it is about and what else goes.
func (q query) printTargets(s monitor.Snapshot, l *monitor.Listener) {
	now := time.Now()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(q.Stdout, format+"\n", args...) } // what is done matters more than what is said
	say("%s", summary(l, now))
	if m, ok := stop.ManagerOfUnknownOwner(l); ok && len(l.Owners) == 0 {
		say("  %s may have it, which this stops properly: %s", monitor.Clean(m.String(), 80), m.Command)
	}
	for _, o := range l.Owners {
		words := "  " + nameOf(o)
		if o.User != "" {
			words += ", user " + monitor.Clean(o.User, 40)
		}
		if !o.StartedAt.IsZero() {
			words += ", since " + timeText(o.StartedAt, now)
		}
		say("%s", words)
		m, managed := stop.ManagerOf(o, l)
		switch {
		case managed && m.Kind == stop.Publisher:
			say("    stands for %s; this stops that properly: %s", monitor.Clean(m.String(), 120), m.Command)
		case managed:
			say("    runs in %s, which may start it again; this stops it properly: %s", monitor.Clean(m.String(), 80), m.Command)
		}
		for _, other := range stop.ListenersOf(s, o) {
			if other.Port != l.Port || other.Protocol != l.Protocol {
				say("    listens at %s too, which closes with it", portText(other))
			}
		}
		for _, other := range stop.ListenersOfDescendants(s, o) {
			for _, child := range other.Owners {
				if stop.IsDescendant(child, o) {
					say("    its child %s listens at %s and may end with it", nameOf(child), portText(other))
				}
			}
		}
	}
}

func nameOf(o monitor.Owner) string {
	return fmt.Sprintf("%s (%d)", dash(monitor.Clean(o.Name, 60)), o.PID)
}

// openAll takes hold of all owners. Those that have ended meanwhile are left out.
func openAll(rows []*monitor.Listener) ([]*stop.Process, error) {
	var owners []monitor.Owner
	for _, l := range rows {
		owners = append(owners, l.Owners...)
	}
	held, err := stop.OpenAll(owners)
	if err != nil {
		return nil, withProcess(err)
	}
	if len(held) == 0 {
		return nil, ownerUnknownError(rows, rows[0].Port)
	}
	return held, nil
}

// openDescendants takes hold of the children, where they are to end too, and names them.
func (o StopOptions) openDescendants(held []*stop.Process) ([]*stop.Process, error) {
	if !o.Children {
		return nil, nil
	}
	below, err := stop.OpenDescendants(held)
	if len(below) > 0 {
		_, _ = fmt.Fprintf(o.Stdout, "  with its children: %s\n", namesOf(below)) // what is done matters more than what is said
	}
	return below, err
}

// withProcess is err with the process that it is about.
func withProcess(err error) error {
	var f stop.Failure
	if errors.As(err, &f) {
		return fmt.Errorf("%s: %w", nameOf(f.Owner), f.Err)
	}
	return err
}

// ownerUnknownError is the error for owners that cannot be seen, nil where all can.
func ownerUnknownError(rows []*monitor.Listener, port uint16) error {
	for _, l := range rows {
		if len(l.Owners) == 0 {
			return fmt.Errorf("who holds %d cannot be seen, and so not be stopped from here: %s", port, l.OwnerUnknown)
		}
	}
	return nil
}

// confirm asks whether to go on, until ctx ends.
func (o StopOptions) confirm(ctx context.Context) error {
	if o.Yes {
		return nil
	}
	if o.Stdin == nil {
		return errors.New("nobody can be asked here: --yes stops without a question")
	}
	_, _ = fmt.Fprint(o.Stderr, "Stop it? [y/N] ") // a question that cannot be seen is answered no
	answered := make(chan string, 1)
	go func() { // a terminal cannot be made to stop waiting: this ends with the program
		var answer string
		_, _ = fmt.Fscanln(o.Stdin, &answer) // none is no
		answered <- strings.ToLower(answer)
	}()
	select {
	case a := <-answered:
		if a == "y" || a == "yes" {
			return nil
		}
	case <-ctx.Done():
	}
	return ErrStopCanceled
}

// stopAll asks held and below to end, and forces them where that is wanted. Only
// held must hold one of rows still.
func (o StopOptions) stopAll(ctx context.Context, held, below []*stop.Process, rows []*monitor.Listener, port uint16) error {
	holds, err := stop.NewHolderCheck(ctx, rows, slog.New(slog.NewTextHandler(o.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	stays, err := o.signal(ctx, slices.Concat(held, below), len(held), func(p *stop.Process) error {
		if slices.Contains(below, p) {
			return p.Terminate(nil)
		}
		return p.Terminate(holds)
	})
	problems := []error{err}
	if len(stays) > 0 && o.Force && ctx.Err() == nil {
		_, _ = fmt.Fprintf(o.Stdout, "%s did not end: by force now.\n", namesOf(stays)) // a word on the way
		stays, err = o.signal(ctx, stays, len(stays), (*stop.Process).Kill)
		problems = append(problems, err)
	}
	switch {
	case len(stays) == 0:
	case ctx.Err() != nil:
		problems = append(problems, fmt.Errorf("interrupted before %s ended", namesOf(stays)))
	case o.Force:
		problems = append(problems, fmt.Errorf("%s did not end by force either: the kernel may be waiting for a device", namesOf(stays)))
	default:
		problems = append(problems, fmt.Errorf("%s did not end within %v; porthole stop %d --force ends it by force", namesOf(stays), o.GracePeriod, port))
	}
	return errors.Join(problems...)
}

// signal sends to all, of whom so many held the port, and returns those that run on after a while. What ended is
// said; the error is about those that could not be signalled.
func (o StopOptions) signal(ctx context.Context, held []*stop.Process, holders int, send func(*stop.Process) error) (stays []*stop.Process, _ error) {
	limited, cancel := context.WithTimeout(ctx, o.GracePeriod)
	defer cancel()
	out := stop.Signal(limited, held, send, stop.Progress{
		Signaled: func(sent []*stop.Process) {
			_, _ = fmt.Fprintf(o.Stdout, "Waiting up to %v for the end of %s.\n", o.GracePeriod, namesOf(sent)) // a word on the way
		},
		Ended: func(p *stop.Process) {
			_, _ = fmt.Fprintf(o.Stdout, "%s has ended.\n", nameOf(p.Owner())) // the exit status tells too
		},
	})
	var problems []error
	for _, f := range out.Errors(holders) {
		if i := slices.IndexFunc(held, func(p *stop.Process) bool { return p.Owner().Same(f.Owner) }); errors.Is(f, stop.ErrKillOnly) && o.Force {
			out.StillRunning = append(out.StillRunning, held[i])
			continue
		}
		problems = append(problems, withProcess(f))
	}
	return out.StillRunning, errors.Join(problems...)
}

func namesOf(processes []*stop.Process) string {
	names := make([]string, len(processes))
	for i, p := range processes {
		names[i] = nameOf(p.Owner())
	}
	return strings.Join(names, ", ")
}
