package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/stop"
)

// StopOptions say how a port's owners are stopped.
type StopOptions struct {
	Options
	Force    bool          // by force, where they do not end when they are asked
	Yes      bool          // without a question
	Stdin    io.Reader     // where the answer comes from; nil where nobody can be asked
	Patience time.Duration // how long they are given to end; stop.Patience where 0
}

// ErrNotStopped is the answer no.
var ErrNotStopped = errors.New("nothing was stopped")

// Stop ends the processes that hold a port. It returns nil only when all have
// ended. They are held from before the question, so that the answer is about those
// that were shown.
func Stop(ctx context.Context, port string, o StopOptions) error {
	if o.Patience == 0 {
		o.Patience = stop.Patience
	}
	q, err := ask([]string{port}, o.Options)
	if err != nil {
		return err
	}
	number, single := q.ports.Single()
	if !single {
		return UsageError{fmt.Sprintf("%q: stop takes one port", monitor.Clean(port, 40))}
	}
	q.All, q.ports = true, nil // what else goes is at other ports
	s, err := q.look(ctx)
	if err != nil {
		return err
	}
	rows := at(s, number)
	if len(rows) == 0 {
		return fmt.Errorf("%d is free: there is nothing to stop", number)
	}
	for _, l := range rows {
		q.shows(s, l)
	}
	held, err := holdAll(rows)
	defer func() {
		for _, p := range held {
			p.Close()
		}
	}()
	if err != nil {
		return err
	}
	if len(held) == 0 {
		_, _ = fmt.Fprintln(o.Stdout, "It has ended meanwhile.") // the exit status tells too
		return nil
	}
	if err := o.agreed(ctx); err != nil {
		return err
	}
	if s, err = q.look(ctx); err != nil {
		return err
	}
	if err := o.stopAll(ctx, held, at(s, number), number); err != nil {
		return err
	}
	return hiddenStay(rows, number)
}

// at are the listeners at port.
func at(s monitor.Snapshot, port uint16) (rows []*monitor.Listener) {
	for _, l := range s.Listeners {
		if l.Port == port {
			rows = append(rows, l)
		}
	}
	return rows
}

// shows says whom it is about and what else goes.
func (q question) shows(s monitor.Snapshot, l *monitor.Listener) {
	now := time.Now()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(q.Stdout, format+"\n", args...) } // what is done matters more than what is said
	say("%s", answer(l, now))
	if m, ok := stop.ManagerOfHidden(l); ok && len(l.Owners) == 0 {
		say("  %s may have it, which this stops properly: %s", monitor.Clean(m.Name, 80), m.Command)
	}
	for _, o := range l.Owners {
		words := "  " + nameOf(o)
		if o.User != "" {
			words += ", user " + monitor.Clean(o.User, 40)
		}
		if !o.StartedAt.IsZero() {
			words += ", since " + momentWords(o.StartedAt, now)
		}
		say("%s", words)
		if m, ok := stop.ManagerOf(o, l.Port); ok {
			say("    runs in %s, which may start it again; this stops it properly: %s", monitor.Clean(m.Name, 80), m.Command)
		}
		for _, other := range stop.Held(s, o) {
			if other.Port != l.Port || other.Protocol != l.Protocol {
				say("    listens at %s too, which closes with it", portWords(other))
			}
		}
		for _, other := range stop.Children(s, o) {
			for _, child := range other.Owners {
				if stop.Below(child, o) {
					say("    its child %s listens at %s and may end with it", nameOf(child), portWords(other))
				}
			}
		}
	}
}

func nameOf(o monitor.Owner) string {
	return fmt.Sprintf("%s (%d)", dash(monitor.Clean(o.Name, 60)), o.PID)
}

// holdAll takes hold of all owners, each once. Those that have ended meanwhile are
// left out.
func holdAll(rows []*monitor.Listener) (held []*stop.Process, _ error) {
	for _, l := range rows {
		for _, o := range l.Owners {
			if slices.ContainsFunc(held, func(p *stop.Process) bool { return p.Owner().Same(o) }) {
				continue
			}
			p, err := stop.Open(o)
			switch {
			case err == nil:
				held = append(held, p)
			case !errors.Is(err, os.ErrProcessDone):
				return held, fmt.Errorf("%s: %w", nameOf(o), err)
			}
		}
	}
	if len(held) == 0 {
		return held, hiddenStay(rows, rows[0].Port)
	}
	return held, nil
}

// hiddenStay is the error for owners that cannot be seen, nil where all can.
func hiddenStay(rows []*monitor.Listener, port uint16) error {
	for _, l := range rows {
		if len(l.Owners) == 0 {
			return fmt.Errorf("who holds %d cannot be seen, and so not be stopped from here: %s", port, l.Hidden)
		}
	}
	return nil
}

// agreed asks whether to go on, until ctx ends.
func (o StopOptions) agreed(ctx context.Context) error {
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
	return ErrNotStopped
}

// stopAll stops those that hold one of rows. All are asked before any is waited
// for, since one may end with another.
func (o StopOptions) stopAll(ctx context.Context, held []*stop.Process, rows []*monitor.Listener, port uint16) error {
	holds := func(owner monitor.Owner) bool {
		return slices.ContainsFunc(rows, func(l *monitor.Listener) bool { return slices.ContainsFunc(l.Owners, owner.Same) })
	}
	var problems []error
	stays, err := o.signal(ctx, held, func(p *stop.Process) error { return p.Terminate(holds) })
	problems = append(problems, err)
	if len(stays) > 0 && o.Force && ctx.Err() == nil {
		_, _ = fmt.Fprintf(o.Stdout, "%s did not end: by force now.\n", namesOf(stays)) // a word on the way
		stays, err = o.signal(ctx, stays, (*stop.Process).Kill)
		problems = append(problems, err)
	}
	switch {
	case len(stays) == 0:
	case ctx.Err() != nil:
		problems = append(problems, fmt.Errorf("interrupted before %s ended", namesOf(stays)))
	case o.Force:
		problems = append(problems, fmt.Errorf("%s did not end by force either: the kernel may be waiting for a device", namesOf(stays)))
	default:
		problems = append(problems, fmt.Errorf("%s did not end within %v; porthole stop %d --force ends it by force", namesOf(stays), o.Patience, port))
	}
	return errors.Join(problems...)
}

// signal sends to all and returns those that run on after a while. What ended is
// said; the error is about those that could not be signalled.
func (o StopOptions) signal(ctx context.Context, held []*stop.Process, send func(*stop.Process) error) (stays []*stop.Process, _ error) {
	var problems []error
	var sent []*stop.Process
	for _, p := range held {
		err := send(p)
		switch {
		case err == nil, errors.Is(err, os.ErrProcessDone):
			sent = append(sent, p)
		case errors.Is(err, stop.ErrOnlyForce) && o.Force:
			stays = append(stays, p)
		default:
			problems = append(problems, fmt.Errorf("%s: %w", nameOf(p.Owner()), err))
		}
	}
	if len(sent) > 0 {
		_, _ = fmt.Fprintf(o.Stdout, "Waiting up to %v for the end of %s.\n", o.Patience, namesOf(sent)) // a word on the way
	}
	limited, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	for _, p := range sent {
		err := p.Wait(limited)
		switch {
		case err == nil:
			_, _ = fmt.Fprintf(o.Stdout, "%s has ended.\n", nameOf(p.Owner())) // the exit status tells too
		case limited.Err() != nil:
			stays = append(stays, p)
		default:
			problems = append(problems, err)
		}
	}
	return stays, errors.Join(problems...)
}

func namesOf(processes []*stop.Process) string {
	names := make([]string, len(processes))
	for i, p := range processes {
		names[i] = nameOf(p.Owner())
	}
	return strings.Join(names, ", ")
}
