//go:build cgo

package window

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/ipc"
	"porthole/app/startagain"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
)

// Stop implements ui.Actions. The operation ends when it is done, the user closes the
// dialog, or the window closes.
func (a actions) Stop(request uistop.Request, report func(uistop.Update)) uistop.Stopping {
	ctx, cancel := context.WithCancel(a.p.ctx)
	s := newStopping(request, cancel, a.p.log)
	s.report = func(u uistop.Update) { a.p.do(func() { report(u) }) }
	s.do, s.windowCtx = a.p.do, a.p.ctx
	s.onSignal = func(o monitor.Owner, how string) {
		m := ipc.Message{Kind: ipc.Stopping, Process: &ipc.Process{PID: o.PID, Start: o.Start, How: how}}
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
	onSignal        func(o monitor.Owner, how string) // called after a process was signaled: "SIGTERM"
	gracePeriod     time.Duration
	exitPeriod      time.Duration                                  // how long the owners may take to exit after a manager freed the port
	openDescendants func([]*stop.Process) ([]*stop.Process, error) // stop.OpenDescendants, except in tests
	orders          chan stopOrder
	keep            []monitor.Owner // for the next order; only on Fyne's goroutine
	managers        []stop.Manager
	watch           *stop.PortWatch  // nil if the socket table cannot be read
	ended           []monitor.Owner  // exited after a signal
	finishing       []monitor.Owner  // closed the port after a signal and are still running
	kept            []monitor.Owner  // the user chose to keep them
	problems        []string         // why others were not stopped, one sentence each
	recipe          *restart.Recipe  // starts the only process again; nil if there are several, or it can't be
	place           startagain.Place // where it is started again
	windowCtx       context.Context  // lasts longer than the dialog
	do              func(func())     // calls on Fyne's goroutine
}

// stopOrder is a choice of the user.
type stopOrder struct {
	children, force bool
	keep            []monitor.Owner // not stopped
	command         string          // the command of a manager, to run it instead; "" if none
}

func newStopping(request uistop.Request, cancel context.CancelFunc, log *slog.Logger) *stopping {
	return &stopping{request: request, cancel: cancel, log: log, gracePeriod: stop.GracePeriod, exitPeriod: time.Second, openDescendants: stop.OpenDescendants, orders: make(chan stopOrder, 1)}
}

// Terminate implements uistop.Stopping.
func (s *stopping) Terminate(children bool) {
	s.enqueue(stopOrder{children: children, keep: s.keep})
}

// Keep implements uistop.Stopping.
func (s *stopping) Keep(owners []monitor.Owner) { s.keep = owners }

// ForceQuit implements uistop.Stopping.
func (s *stopping) ForceQuit() { s.enqueue(stopOrder{force: true, keep: s.keep}) }

// RunManager implements uistop.Stopping.
func (s *stopping) RunManager(command string) { s.enqueue(stopOrder{command: command}) }

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
	s.managers = findManagers(ctx, s.request)
	watch, err := stop.NewPortWatch(s.request.Listeners, s.log)
	if err != nil {
		s.log.Warn("can't watch the port; what uses it after the stop is not reported", "error", err)
	} else {
		s.watch = watch
		defer watch.Close()
	}
	processes, err := stop.OpenAll(s.request.Owners)
	if err != nil {
		s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{s.failureText(err)}, Managers: s.managerUpdates()})
		if slices.ContainsFunc(s.managers, stop.Manager.CanRun) {
			s.runManagerWhenAsked(ctx)
		}
		return
	}
	defer stop.CloseAll(processes)
	if len(processes) == 0 {
		s.report(uistop.Update{Stage: uistop.AlreadyExited})
		return
	}
	s.readRecipe(ctx, processes)
	s.report(s.readyUpdate(processes))
	order, ok := s.nextOrder(ctx, processes, false)
	if !ok {
		return
	}
	if order.command != "" {
		if !s.runManager(ctx, order.command) {
			return
		}
	}
	if s.kept = order.keep; len(s.kept) > 0 {
		processes = slices.DeleteFunc(slices.Clone(processes), func(p *stop.Process) bool { return slices.ContainsFunc(s.kept, p.Owner().Same) })
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
	running, forced := s.signalAndWait(ctx, slices.Concat(processes, descendants), len(processes), signalName(order.force), func(p *stop.Process) error {
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
		if !forced {
			if _, ok = s.nextOrder(ctx, running, true); !ok {
				return
			}
		}
		running, forced = s.signalAndWait(ctx, running, len(running), signalName(true), (*stop.Process).Kill)
	}
}

func signalName(force bool) string {
	if force {
		return "SIGKILL"
	}
	return "SIGTERM"
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
// first holders of them held the port. how is the name of the signal. It returns those that are still running. An order
// to force quit ends the wait; then it reports no outcome, and forced is true.
func (s *stopping) signalAndWait(ctx context.Context, processes []*stop.Process, holders int, how string, send func(*stop.Process) error) (running []*stop.Process, forced bool) {
	limited, cancel := context.WithTimeout(ctx, s.gracePeriod)
	defer cancel()
	watchOrders := s.forceOrder(limited, cancel)
	progress := stop.Progress{Ended: func(p *stop.Process) { s.ended = append(s.ended, p.Owner()) }}
	if s.watch != nil && holders == len(processes) && len(s.kept) == 0 { // children need not have held it
		progress.PortFree = s.watch.Free
	}
	out := stop.Signal(limited, processes, func(p *stop.Process) error {
		err := send(p)
		if err == nil {
			s.onSignal(p.Owner(), how)
		}
		return err
	}, progress)
	cancel()
	forced = watchOrders()
	if ctx.Err() != nil {
		return nil, false // the dialog was closed
	}
	for _, p := range out.Finishing {
		s.finishing = append(s.finishing, p.Owner())
	}
	for _, f := range out.Errors(holders) {
		s.problems = append(s.problems, s.failureText(f))
	}
	if forced && len(out.StillRunning) > 0 {
		return out.StillRunning, true
	}
	s.reportOutcome(ctx, out.StillRunning)
	return out.StillRunning, false
}

// forceOrder calls cancel when the user orders to force quit before ctx ends. The
// returned function waits for that and reports whether it happened.
func (s *stopping) forceOrder(ctx context.Context, cancel func()) (forced func() bool) {
	result := make(chan bool, 1)
	go func() { // ends with ctx, which the caller cancels
		for {
			select {
			case <-ctx.Done():
				result <- false
				return
			case o := <-s.orders:
				if o.force {
					cancel()
					result <- true
					return
				}
			}
		}
	}()
	return func() bool { return <-result }
}

// readyUpdate returns what the user must know before processes are stopped.
func (s *stopping) readyUpdate(processes []*stop.Process) uistop.Update {
	u := uistop.Update{Stage: uistop.Ready, Managers: s.managerUpdates(), GracePeriod: s.gracePeriod, ForceOnly: runtime.GOOS == "windows"}
	for _, p := range processes {
		u.Targets = append(u.Targets, p.Owner())
		if also := stop.Consequence(p.Owner()); also != "" {
			u.Notes = append(u.Notes, lang.L("{{.Name}}: it {{.Reason}}.", map[string]any{"Name": processName(p.Owner()), "Reason": lang.L(string(also))}))
		}
		if process.IsSuspended(p.Owner().PID) {
			u.Notes = append(u.Notes, lang.L("{{.Name}} is suspended (Ctrl+Z) and does not respond. Porthole resumes it so that it can exit.", map[string]any{"Name": processName(p.Owner())}))
		}
	}
	if master, ok := stop.Master(u.Targets); ok {
		u.Notes = append(u.Notes, lang.L("{{.Name}} is the master of the others. If it keeps running, it may start new ones.", map[string]any{"Name": processName(master)}))
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

// refreshOwners returns owners with the exact bytes of their current command lines and
// folders, and with the numbers of their users, which are needed to start them again: JSON
// from the agent holds valid UTF-8 only, and no such numbers.
func refreshOwners(owners []monitor.Owner) []monitor.Owner {
	owners = slices.Clone(owners) // they belong to a snapshot
	for i, o := range owners {
		if now, err := process.Info(o.PID); err == nil && now.Same(o) {
			owners[i].Command, owners[i].Folder, owners[i].UserID = now.Command, now.Folder, now.UserID
		}
	}
	return owners
}
