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
	uistop "porthole/ui/stop"
)

// Stop implements ui.Actions. The operation ends when it is done, the user closes the
// dialog, or the window closes.
func (a actions) Stop(request uistop.Request, report func(uistop.Update)) uistop.Stopping {
	ctx, cancel := context.WithCancel(a.p.ctx)
	s := newStopping(request, cancel, a.p.log)
	s.report = func(u uistop.Update) { a.p.do(func() { report(u) }) }
	s.onSignal = func(o monitor.Owner) {
		m := ipc.Message{Kind: ipc.Stopping, Process: &ipc.Process{PID: o.PID, Start: o.Start}}
		a.p.do(func() { a.p.send(m) })
	}
	a.p.work.Go(func() {
		defer cancel()
		s.run(ctx)
	})
	return s
}

// stopping implements uistop.Stopping. All but its exported methods runs on one goroutine.
type stopping struct {
	request         uistop.Request
	cancel          context.CancelFunc
	log             *slog.Logger
	report          func(uistop.Update)
	onSignal        func(monitor.Owner) // called after a process was signaled
	gracePeriod     time.Duration
	openDescendants func([]*stop.Process) ([]*stop.Process, error) // stop.OpenDescendants, except in tests
	orders          chan stopOrder
	ended           []monitor.Owner // exited after a signal
	problems        []string        // why others were not stopped, one sentence each
}

// stopOrder is a choice of the user.
type stopOrder struct{ children, force bool }

func newStopping(request uistop.Request, cancel context.CancelFunc, log *slog.Logger) *stopping {
	return &stopping{request: request, cancel: cancel, log: log, gracePeriod: stop.GracePeriod, openDescendants: stop.OpenDescendants, orders: make(chan stopOrder, 1)}
}

// Terminate implements uistop.Stopping.
func (s *stopping) Terminate(children bool) { s.enqueue(stopOrder{children: children}) }

// ForceQuit implements uistop.Stopping.
func (s *stopping) ForceQuit() { s.enqueue(stopOrder{force: true}) }

// Close implements uistop.Stopping.
func (s *stopping) Close() { s.cancel() }

func (s *stopping) enqueue(o stopOrder) {
	select {
	case s.orders <- o:
	default: // the previous one is pending
	}
}

// run opens the processes before they are shown, so that those that are shown are
// stopped and no later ones with the same PIDs. Then it carries out the user's orders
// until all processes have exited or ctx ends.
func (s *stopping) run(ctx context.Context) {
	s.request.Owners = refreshOwners(s.request.Owners)
	processes, err := stop.OpenAll(s.request.Owners)
	if err != nil {
		s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{s.failureText(err)}, Managers: managersOf(ctx, s.request)})
		return
	}
	defer stop.CloseAll(processes)
	if len(processes) == 0 {
		s.report(uistop.Update{Stage: uistop.AlreadyExited})
		return
	}
	s.report(s.readyUpdate(ctx, processes))
	order, ok := s.nextOrder(ctx, processes, false)
	if !ok {
		return
	}
	var descendants []*stop.Process
	if order.children {
		if descendants, err = s.openDescendants(processes); err != nil {
			s.log.Warn("can't find the child processes; no process was signaled", "error", err)
			s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{lang.L("Can't find the child processes, so no signal was sent. See the log for details.")}})
			return
		}
		defer stop.CloseAll(descendants)
	}
	holds, err := stop.NewHolderCheck(ctx, s.request.Listeners, s.log)
	if err != nil {
		s.log.Warn("can't find the owner of a port; no process was signaled", "error", err)
		s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{lang.L("Can't find the owner of the port, so no signal was sent. See the log for details.")}})
		return
	}
	running := s.signalAndWait(ctx, slices.Concat(processes, descendants), len(processes), func(p *stop.Process) error {
		if order.force && !holds(p.Owner()) { // systems without SIGTERM
			return stop.RefusedError{PID: p.Owner().PID, Reason: stop.PortReleased}
		}
		switch {
		case order.force:
			return p.Kill()
		case slices.Contains(descendants, p):
			return p.Terminate(nil)
		}
		return p.Terminate(holds)
	})
	for len(running) > 0 {
		if _, ok = s.nextOrder(ctx, running, true); !ok {
			return
		}
		running = s.signalAndWait(ctx, running, len(running), (*stop.Process).Kill)
	}
}

// nextOrder waits for the user's next order. If terminated, the processes have been
// signaled before and the only possible order is to force quit. ok is false if there is
// nothing left to do: ctx has ended, or all processes have exited, which it reports.
func (s *stopping) nextOrder(ctx context.Context, processes []*stop.Process, terminated bool) (_ stopOrder, ok bool) {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return stopOrder{}, false
		case o := <-s.orders:
			if o.force || !terminated {
				return o, true
			}
		case <-t.C:
			switch {
			case slices.ContainsFunc(processes, func(p *stop.Process) bool { return !p.Ended() }):
				continue
			case terminated:
				for _, p := range processes {
					s.ended = append(s.ended, p.Owner())
				}
				s.reportOutcome(ctx, nil)
			default:
				s.report(uistop.Update{Stage: uistop.AlreadyExited})
			}
			return stopOrder{}, false
		}
	}
}

// signalAndWait signals processes, waits for them to exit and reports the outcome. The
// first holders of them held the port. It returns those that are still running.
func (s *stopping) signalAndWait(ctx context.Context, processes []*stop.Process, holders int, send func(*stop.Process) error) (running []*stop.Process) {
	limited, cancel := context.WithTimeout(ctx, s.gracePeriod)
	defer cancel()
	out := stop.Signal(limited, processes, func(p *stop.Process) error {
		err := send(p)
		if err == nil {
			s.onSignal(p.Owner())
		}
		return err
	}, stop.Progress{Ended: func(p *stop.Process) { s.ended = append(s.ended, p.Owner()) }})
	if ctx.Err() != nil {
		return nil // the dialog was closed
	}
	for _, f := range out.Errors(holders) {
		s.problems = append(s.problems, s.failureText(f))
	}
	s.reportOutcome(ctx, out.StillRunning)
	return out.StillRunning
}

// reportOutcome reports what has become of all processes so far; running are those that
// have not exited.
func (s *stopping) reportOutcome(ctx context.Context, running []*stop.Process) {
	u := uistop.Update{Stage: uistop.Done, Targets: slices.Clone(s.ended), Problems: slices.Clone(s.problems)}
	for _, p := range running {
		u.StillRunning = append(u.StillRunning, p.Owner())
	}
	switch {
	case len(running) > 0:
		u.Stage = uistop.StillRunning
	case len(s.problems) > 0:
		u.Stage, u.Managers = uistop.Refused, managersOf(ctx, s.request)
	}
	s.report(u)
}

// readyUpdate returns what the user must know before processes are stopped.
func (s *stopping) readyUpdate(ctx context.Context, processes []*stop.Process) uistop.Update {
	u := uistop.Update{Stage: uistop.Ready, Managers: managersOf(ctx, s.request), GracePeriod: s.gracePeriod, ForceOnly: runtime.GOOS == "windows"}
	for _, p := range processes {
		u.Targets = append(u.Targets, p.Owner())
	}
	isTarget := func(o monitor.Owner) bool { return slices.ContainsFunc(u.Targets, o.Same) }
	for _, o := range u.Targets {
		for _, l := range stop.ListenersOf(s.request.Snapshot, o) {
			if !slices.Contains(u.Listeners, l) {
				u.Listeners = append(u.Listeners, l)
			}
		}
		for _, l := range stop.ListenersOfDescendants(s.request.Snapshot, o) {
			for _, child := range l.Owners {
				c := uistop.Child{Owner: child, Listener: l}
				known := slices.ContainsFunc(u.ListeningChildren, func(k uistop.Child) bool { return k.Listener == l && k.Owner.Same(child) })
				if stop.IsDescendant(child, o) && !isTarget(child) && !known {
					u.ListeningChildren = append(u.ListeningChildren, c)
				}
			}
		}
	}
	descendants, err := stop.OpenDescendants(processes)
	if err != nil {
		s.log.Warn("can't count the child processes", "error", err)
	}
	u.Children = len(descendants)
	stop.CloseAll(descendants)
	return u
}

// managersOf returns the service and container managers of the request's processes,
// without duplicates.
func managersOf(ctx context.Context, request uistop.Request) (all []uistop.Manager) {
	for _, o := range request.Owners {
		for _, l := range request.Listeners {
			m, ok := stop.ManagerOf(ctx, o, l)
			if ok && !slices.ContainsFunc(all, func(k uistop.Manager) bool { return k.Command == m.Command }) {
				all = append(all, uistop.Manager{Description: managerText(m), Command: m.Command})
			}
		}
	}
	return all
}

func managerText(m stop.Manager) string {
	data := map[string]any{"Name": monitor.Clean(m.ID, 80)}
	switch m.Kind {
	case stop.Unit:
		return lang.L("The process belongs to the systemd unit {{.Name}}, which may restart it. To stop it properly, run:", data)
	case stop.Container:
		return lang.L("The process runs in the container {{.Name}}, which may restart it. To stop it properly, run:", data)
	}
	if m.ID == "" {
		return lang.L("The process publishes the port for a container. To stop the container, run:")
	}
	return lang.L("The process publishes the port for the container {{.Name}}. To stop the container, run:", data)
}

// failureText returns a sentence that says why a process was not stopped.
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
		return lang.L("Can't stop {{.Name}}: it {{.Reason}}.", data)
	case errors.As(err, &forbidden) && f.Owner.User != "":
		return lang.L("Can't stop {{.Name}}: only {{.User}} or an administrator can do that.", data)
	case errors.As(err, &forbidden):
		return lang.L("Can't stop {{.Name}}: only its user or an administrator can do that.", data)
	case errors.Is(err, os.ErrProcessDone):
		return lang.L("{{.Name}} has already exited.", data)
	}
	s.log.Warn("can't stop a process", "pid", f.Owner.PID, "error", err)
	return lang.L("Can't stop {{.Name}}. See the log for details.", data)
}

// refreshOwners returns owners with the exact bytes of their current command lines and
// folders, which are needed to start them again: JSON from the agent holds valid UTF-8 only.
func refreshOwners(owners []monitor.Owner) []monitor.Owner {
	owners = slices.Clone(owners) // they belong to a snapshot
	for i, o := range owners {
		if now, err := process.Info(o.PID); err == nil && now.Same(o) {
			owners[i].Command, owners[i].Folder = now.Command, now.Folder
		}
	}
	return owners
}
