package stop

import (
	"context"
	"errors"
	"os"
	"slices"

	"porthole/monitor"
	"porthole/monitor/process"
)

// This file is how several processes are stopped together.

// OpenAll takes hold of all owners, each once; those that have ended are left out.
// Where one cannot be held none is, and the error is about that one. The caller
// closes them.
func OpenAll(owners []monitor.Owner) (held []*Process, _ error) {
	for _, o := range owners {
		if slices.ContainsFunc(held, func(p *Process) bool { return p.owner.Same(o) }) {
			continue
		}
		p, err := Open(o)
		switch {
		case err == nil:
			held = append(held, p)
		case !errors.Is(err, os.ErrProcessDone):
			CloseAll(held)
			return nil, Failure{o, err}
		}
	}
	return held, nil
}

// OpenDescendants takes hold of all processes below held, at any distance, that run now
// and are not among them. Those that have ended meanwhile are left out, and so are
// those that are not to be stopped. A child that is born later is not found, so that
// a parent is to be asked to end before its children are. The caller closes them.
func OpenDescendants(held []*Process) (below []*Process, _ error) {
	for _, p := range held {
		children, err := process.Descendants(p.owner)
		if err != nil {
			CloseAll(below)
			return nil, err
		}
		for _, o := range children {
			if slices.ContainsFunc(slices.Concat(held, below), func(p *Process) bool { return p.owner.Same(o) }) {
				continue
			}
			child, err := Open(o)
			var refused RefusedError
			switch {
			case err == nil:
				below = append(below, child)
			case !errors.As(err, &refused) && !errors.Is(err, os.ErrProcessDone):
				CloseAll(below)
				return nil, Failure{o, err}
			}
		}
	}
	return below, nil
}

// CloseAll lets go of all.
func CloseAll(held []*Process) {
	for _, p := range held {
		p.Close()
	}
}

// Failure is why one of several processes could not be held or signalled.
type Failure struct {
	Owner monitor.Owner
	Err   error
}

func (f Failure) Error() string { return f.Err.Error() }
func (f Failure) Unwrap() error { return f.Err }

// Outcome is what became of processes that were signalled together.
type Outcome struct {
	StillRunning []*Process // they run on
	Failed       []Failure  // they could not be signalled, or not be waited for
	Released     []Failure  // they were not signalled, since they no longer held the port
}

// Errors are what is to be told, where so many processes held the port when they
// were shown. One that has let go of it, such as a child that inherited it for a
// moment, is none while others are stopped.
func (o Outcome) Errors(holders int) []Failure {
	if len(o.Released) < holders {
		return o.Failed
	}
	return append(slices.Clone(o.Released), o.Failed...)
}

// Progress hears how a stop goes, from the goroutine that called Signal. Either
// function may be nil.
type Progress struct {
	Signaled func(to []*Process) // all have been signalled; they are waited for now
	Ended    func(*Process)
}

// Signal sends to all before any is waited for, since one may end with another,
// and returns when all have ended or ctx has. One that has ended before counts as
// ended.
func Signal(ctx context.Context, held []*Process, send func(*Process) error, w Progress) (out Outcome) {
	var sent []*Process
	for _, p := range held {
		err := send(p)
		var refused RefusedError
		switch {
		case err == nil || errors.Is(err, os.ErrProcessDone):
			sent = append(sent, p)
		case errors.As(err, &refused) && refused.Reason == PortReleased:
			out.Released = append(out.Released, Failure{p.owner, err})
		default:
			out.Failed = append(out.Failed, Failure{p.owner, err})
		}
	}
	if len(sent) > 0 && w.Signaled != nil {
		w.Signaled(sent)
	}
	for _, p := range sent {
		err := p.Wait(ctx)
		switch {
		case err == nil && w.Ended != nil:
			w.Ended(p)
		case err == nil:
		case ctx.Err() != nil:
			out.StillRunning = append(out.StillRunning, p)
		default:
			out.Failed = append(out.Failed, Failure{p.owner, err})
		}
	}
	return out
}
