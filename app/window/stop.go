//go:build cgo

package window

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/stop"
	"porthole/ui"
)

// Stop is ui.Actions's. What it starts ends with the window, or before, when the
// user closes the question.
func (a actions) Stop(q ui.StopRequest, tell func(ui.StopUpdate)) ui.Stopping {
	ctx, cancel := context.WithCancel(a.p.ctx)
	s := newStopping(q, cancel, a.p.log)
	s.report = func(n ui.StopUpdate) { a.p.do(func() { tell(n) }) }
	s.signalled = func(o monitor.Owner) {
		m := ipc.Message{Kind: ipc.Stopping, Process: &ipc.Process{PID: o.PID, Start: o.Start}}
		a.p.do(func() { a.p.send(m) })
	}
	a.p.work.Go(func() {
		defer cancel()
		s.run(ctx)
	})
	return s
}

// stopping is one stop, on one goroutine.
type stopping struct {
	request         ui.StopRequest
	cancel          context.CancelFunc
	log             *slog.Logger
	report          func(ui.StopUpdate)
	signalled       func(monitor.Owner) // it has been sent a signal
	gracePeriod     time.Duration
	openDescendants func([]*stop.Process) ([]*stop.Process, error) // stop.OpenBelow
	orders          chan stopOrder
	ended           []monitor.Owner // by the user's wish
	problems        []string        // why others were not stopped, a sentence each
}

// stopOrder is what the user wants done.
type stopOrder struct{ children, force bool }

func newStopping(q ui.StopRequest, cancel context.CancelFunc, log *slog.Logger) *stopping {
	return &stopping{request: q, cancel: cancel, log: log, gracePeriod: stop.GracePeriod, openDescendants: stop.OpenDescendants, orders: make(chan stopOrder, 1)}
}

// Terminate is ui.Stopping's.
func (s *stopping) Terminate(children bool) { s.enqueue(stopOrder{children: children}) }

// ForceQuit is ui.Stopping's.
func (s *stopping) ForceQuit() { s.enqueue(stopOrder{force: true}) }

// Close is ui.Stopping's.
func (s *stopping) Close() { s.cancel() }

func (s *stopping) enqueue(o stopOrder) {
	select {
	case s.orders <- o:
	default: // one is carried out, or about to be
	}
}

// run holds the processes from before they are shown, so that what is stopped is
// what was shown, and does what is ordered until there is no more to do or ctx ends.
func (s *stopping) run(ctx context.Context) {
	s.request.Owners = refreshOwners(s.request.Owners)
	held, err := stop.OpenAll(s.request.Owners)
	if err != nil {
		s.report(ui.StopUpdate{Stage: ui.StopRefused, Problems: []string{s.failureText(err)}, Managers: managersOf(s.request)})
		return
	}
	defer stop.CloseAll(held)
	if len(held) == 0 {
		s.report(ui.StopUpdate{Stage: ui.StopAlreadyExited})
		return
	}
	s.report(s.readyUpdate(held))
	order, ok := s.nextOrder(ctx, held, false)
	if !ok {
		return
	}
	var below []*stop.Process
	if order.children {
		if below, err = s.openDescendants(held); err != nil {
			s.log.Warn("the children of a process cannot be found, so that nobody was stopped", "problem", err)
			s.report(ui.StopUpdate{Stage: ui.StopRefused, Problems: []string{lang.L("Its children cannot be found now, so nothing was signalled; the log says why")}})
			return
		}
		defer stop.CloseAll(below)
	}
	holds, err := stop.NewHolderCheck(ctx, s.request.Listeners, s.log)
	if err != nil {
		s.log.Warn("who holds a port cannot be seen, so that nobody was stopped", "problem", err)
		s.report(ui.StopUpdate{Stage: ui.StopRefused, Problems: []string{lang.L("Who holds the port cannot be seen now, so nothing was signalled; the log says why")}})
		return
	}
	stays := s.signalAndWait(ctx, slices.Concat(held, below), len(held), func(p *stop.Process) error {
		if order.force && !holds(p.Owner()) { // where a system knows nothing else
			return stop.RefusedError{PID: p.Owner().PID, Reason: stop.PortReleased}
		}
		switch {
		case order.force:
			return p.Kill()
		case slices.Contains(below, p):
			return p.Terminate(nil)
		}
		return p.Terminate(holds)
	})
	for len(stays) > 0 {
		if _, ok = s.nextOrder(ctx, stays, true); !ok {
			return
		}
		stays = s.signalAndWait(ctx, stays, len(stays), (*stop.Process).Kill)
	}
}

// nextOrder waits for what the user wants done: nothing but force where they were asked
// to end before. ok is false where nothing is to be done any more: ctx has ended, or
// all of held have, which is told.
func (s *stopping) nextOrder(ctx context.Context, held []*stop.Process, asked bool) (_ stopOrder, ok bool) {
	const often = 200 * time.Millisecond
	t := time.NewTicker(often)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return stopOrder{}, false
		case o := <-s.orders:
			if o.force || !asked {
				return o, true
			}
		case <-t.C:
			switch {
			case slices.ContainsFunc(held, func(p *stop.Process) bool { return !p.Ended() }):
				continue
			case asked:
				for _, p := range held {
					s.ended = append(s.ended, p.Owner())
				}
				s.reportOutcome(nil)
			default:
				s.report(ui.StopUpdate{Stage: ui.StopAlreadyExited})
			}
			return stopOrder{}, false
		}
	}
}

// signalAndWait signals processes, of which so many held the port, waits for their end and
// tells what became of them. It returns those that run on.
func (s *stopping) signalAndWait(ctx context.Context, processes []*stop.Process, holders int, send func(*stop.Process) error) (stays []*stop.Process) {
	limited, cancel := context.WithTimeout(ctx, s.gracePeriod)
	defer cancel()
	out := stop.Signal(limited, processes, func(p *stop.Process) error {
		err := send(p)
		if err == nil {
			s.signalled(p.Owner())
		}
		return err
	}, stop.Progress{Ended: func(p *stop.Process) { s.ended = append(s.ended, p.Owner()) }})
	if ctx.Err() != nil {
		return nil // nobody asks any more
	}
	for _, f := range out.Errors(holders) {
		s.problems = append(s.problems, s.failureText(f))
	}
	s.reportOutcome(out.StillRunning)
	return out.StillRunning
}

// reportOutcome tells what became of all so far; stays run on.
func (s *stopping) reportOutcome(stays []*stop.Process) {
	n := ui.StopUpdate{Stage: ui.StopDone, Targets: slices.Clone(s.ended), Problems: slices.Clone(s.problems)}
	for _, p := range stays {
		n.StillRunning = append(n.StillRunning, p.Owner())
	}
	switch {
	case len(stays) > 0:
		n.Stage = ui.StopStillRunning
	case len(s.problems) > 0:
		n.Stage, n.Managers = ui.StopRefused, managersOf(s.request)
	}
	s.report(n)
}

// readyUpdate is what is to be known before processes are stopped.
func (s *stopping) readyUpdate(held []*stop.Process) ui.StopUpdate {
	n := ui.StopUpdate{Stage: ui.StopReady, Managers: managersOf(s.request), GracePeriod: s.gracePeriod, ForceOnly: runtime.GOOS == "windows"}
	for _, p := range held {
		n.Targets = append(n.Targets, p.Owner())
	}
	among := func(o monitor.Owner) bool { return slices.ContainsFunc(n.Targets, o.Same) }
	for _, o := range n.Targets {
		for _, l := range stop.ListenersOf(s.request.Snapshot, o) {
			if !slices.Contains(n.Listeners, l) {
				n.Listeners = append(n.Listeners, l)
			}
		}
		for _, l := range stop.ListenersOfDescendants(s.request.Snapshot, o) {
			for _, child := range l.Owners {
				c := ui.StopChild{Owner: child, Listener: l}
				known := slices.ContainsFunc(n.ListeningChildren, func(k ui.StopChild) bool { return k.Listener == l && k.Owner.Same(child) })
				if stop.IsDescendant(child, o) && !among(child) && !known {
					n.ListeningChildren = append(n.ListeningChildren, c)
				}
			}
		}
	}
	below, err := stop.OpenDescendants(held)
	if err != nil {
		s.log.Warn("the children of a process cannot be counted", "problem", err)
	}
	n.Children = len(below)
	stop.CloseAll(below)
	return n
}

// managersOf say what runs those that q names, each once.
func managersOf(q ui.StopRequest) (all []ui.StopManager) {
	for _, o := range q.Owners {
		for _, l := range q.Listeners {
			m, ok := stop.ManagerOf(o, l)
			if ok && !slices.ContainsFunc(all, func(k ui.StopManager) bool { return k.Command == m.Command }) {
				all = append(all, ui.StopManager{Description: managerText(m), Command: m.Command})
			}
		}
	}
	return all
}

func managerText(m stop.Manager) string {
	data := map[string]any{"Name": monitor.Clean(m.ID, 80)}
	switch m.Kind {
	case stop.Unit:
		return lang.L("It runs in the unit {{.Name}}, which may start it again. This stops it properly:", data)
	case stop.Container:
		return lang.L("It runs in the container {{.Name}}, which may start it again. This stops it properly:", data)
	}
	if m.ID == "" {
		return lang.L("It stands for the container that publishes the port. This stops that properly:")
	}
	return lang.L("It stands for the container {{.Name}}, which publishes the port. This stops that properly:", data)
}

// failureText says in one sentence why a process is not stopped.
func (s *stopping) failureText(err error) string {
	var f stop.Failure
	var refused stop.RefusedError
	var forbidden stop.PermissionError
	errors.As(err, &f)
	name := monitor.Clean(f.Owner.Name, 60)
	if name == "" {
		name = lang.L("process {{.PID}}", map[string]any{"PID": f.Owner.PID})
	}
	data := map[string]any{"Name": fmt.Sprintf("%s (%d)", name, f.Owner.PID), "User": monitor.Clean(f.Owner.User, 40)}
	switch {
	case errors.As(err, &refused):
		data["Reason"] = lang.L(string(refused.Reason))
		return lang.L("{{.Name}} is not stopped: it {{.Reason}}.", data)
	case errors.As(err, &forbidden) && f.Owner.User != "":
		return lang.L("{{.Name}} belongs to {{.User}}: only that user and an administrator may stop it.", data)
	case errors.As(err, &forbidden):
		return lang.L("{{.Name}} belongs to another user: only that one and an administrator may stop it.", data)
	case errors.Is(err, os.ErrProcessDone):
		return lang.L("{{.Name}} has ended already.", data)
	}
	s.log.Warn("a process could not be stopped", "pid", f.Owner.PID, "problem", err)
	return lang.L("{{.Name}} could not be stopped; the log says why.", data)
}

// refreshOwners gives owners the command and the folder that they have now, to the byte:
// what came over the link is text. It is to start them again.
func refreshOwners(owners []monitor.Owner) []monitor.Owner {
	owners = slices.Clone(owners) // of a snapshot
	for i, o := range owners {
		if now, err := process.Info(o.PID); err == nil && now.Same(o) {
			owners[i].Command, owners[i].Folder = now.Command, now.Folder
		}
	}
	return owners
}
