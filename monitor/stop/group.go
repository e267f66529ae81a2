package stop

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// OpenAll opens all owners, each once; processes that have ended are left out, and
// so is systemd if others are there, which got the socket from it. If one cannot be
// opened, none is, and the error is about that one. The caller must close them.
func OpenAll(owners []monitor.Owner) (opened []*Process, _ error) {
	if servers := slices.DeleteFunc(slices.Clone(owners), passedSocketOn); len(servers) > 0 {
		owners = servers
	}
	for _, o := range owners {
		if slices.ContainsFunc(opened, func(p *Process) bool { return p.owner.Same(o) }) {
			continue
		}
		p, err := Open(o)
		switch {
		case err == nil:
			opened = append(opened, p)
		case !errors.Is(err, os.ErrProcessDone):
			CloseAll(opened)
			return nil, Failure{o, err}
		}
	}
	return opened, nil
}

// passedSocketOn reports whether o is systemd, which keeps the socket of a service
// that it started (systemd.socket(5)).
func passedSocketOn(o monitor.Owner) bool { return o.PID == 1 || protection(o) == ServiceManager }

// OpenDescendants opens all running descendants of the given processes that are
// not among them. Processes that have ended or must not be stopped are left out.
// A child that is created later is missed, so a parent must be asked to end
// before its children are looked up. The caller must close them.
func OpenDescendants(opened []*Process) (descendants []*Process, _ error) {
	for _, p := range opened {
		children, err := process.Descendants(p.owner)
		if err != nil {
			CloseAll(descendants)
			return nil, err
		}
		for _, o := range children {
			if slices.ContainsFunc(slices.Concat(opened, descendants), func(p *Process) bool { return p.owner.Same(o) }) {
				continue
			}
			child, err := Open(o)
			var refused RefusedError
			switch {
			case err == nil:
				descendants = append(descendants, child)
			case !errors.As(err, &refused) && !errors.Is(err, os.ErrProcessDone):
				CloseAll(descendants)
				return nil, Failure{o, err}
			}
		}
	}
	return descendants, nil
}

// CloseAll closes all processes.
func CloseAll(opened []*Process) {
	for _, p := range opened {
		p.Close()
	}
}

// Failure is the reason why one of several processes could not be opened or signaled.
type Failure struct {
	Owner monitor.Owner
	Err   error
}

func (f Failure) Error() string { return f.Err.Error() }
func (f Failure) Unwrap() error { return f.Err }

// Outcome is the result of signaling several processes.
type Outcome struct {
	StillRunning []*Process // processes that did not end in time
	Finishing    []*Process // processes that closed the port and are still running, if Progress.PortFree is set
	Failed       []Failure  // processes that could not be signaled or waited for
	Released     []Failure  // processes that were not signaled because they no longer held the port
}

// Errors returns the failures to report, given the number of processes that held
// the port when they were shown. A process that released the port, such as a child
// that inherited it briefly, is not an error while others were stopped.
func (o Outcome) Errors(holders int) []Failure {
	if len(o.Released) < holders {
		return o.Failed
	}
	return append(slices.Clone(o.Released), o.Failed...)
}

// Progress is notified of the progress of Signal, on the goroutine that called
// Signal. Either function may be nil.
type Progress struct {
	Signaled func(to []*Process) // all have been signaled; Signal waits for them now
	Ended    func(*Process)
	// PortFree reports whether nothing listens on the port any more. If it is set,
	// Signal waits only FinishTime longer once it returns true: a server that closes
	// its port and answers its last clients has been stopped. It is called on another
	// goroutine, which has ended when Signal returns.
	PortFree func() bool
}

// FinishTime is how long a process may take to end after it closed its port, before
// it counts as stopped although it is still running.
const FinishTime = time.Second

// freedWithin returns a context that ends when ctx ends or, if free is not nil,
// FinishTime after free returned true. stop ends it and waits for its goroutine.
func freedWithin(ctx context.Context, free func() bool) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	if free == nil {
		return ctx, cancel
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for !free() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(2 * pollInterval):
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(FinishTime):
			cancel()
		}
	})
	return ctx, func() { cancel(); watching.Wait() }
}

// Signal signals all processes before it waits for any, because one may end with
// another. It returns when all have ended or ctx is done. A process that had
// ended already counts as ended.
func Signal(ctx context.Context, opened []*Process, send func(*Process) error, progress Progress) (out Outcome) {
	var signaled []*Process
	for _, p := range opened {
		err := send(p)
		var refused RefusedError
		switch {
		case err == nil || errors.Is(err, os.ErrProcessDone):
			signaled = append(signaled, p)
		case errors.As(err, &refused) && refused.Reason == PortReleased:
			out.Released = append(out.Released, Failure{p.owner, err})
		default:
			out.Failed = append(out.Failed, Failure{p.owner, err})
		}
	}
	if len(signaled) > 0 && progress.Signaled != nil {
		progress.Signaled(signaled)
	}
	waiting, stop := freedWithin(ctx, progress.PortFree)
	defer stop()
	for _, p := range signaled {
		err := p.Wait(waiting)
		switch {
		case err == nil && progress.Ended != nil:
			progress.Ended(p)
		case err == nil:
		case ctx.Err() != nil:
			out.StillRunning = append(out.StillRunning, p)
		case waiting.Err() != nil:
			out.Finishing = append(out.Finishing, p)
		default:
			out.Failed = append(out.Failed, Failure{p.owner, err})
		}
	}
	return out
}
