//go:build cgo

package window

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
	"porthole/ui/words"
)

// Stop implements ui.Actions. The operation ends when it is done, the user closes the
// dialog, or the window closes.
func (a actions) Stop(request uistop.Request, report func(uistop.Update)) uistop.Stopping {
	ctx, cancel := context.WithCancel(a.p.ctx)
	s := newStopping(request, cancel, a.p.log)
	s.report = func(u uistop.Update) { a.p.do(func() { report(u) }) }
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
	watch           *stop.PortWatch // nil if the socket table cannot be read
	ended           []monitor.Owner // exited after a signal
	finishing       []monitor.Owner // closed the port after a signal and are still running
	kept            []monitor.Owner // the user chose to keep them
	problems        []string        // why others were not stopped, one sentence each
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

// reportOutcome reports the state of all processes; running are those that have not
// exited.
func (s *stopping) reportOutcome(ctx context.Context, running []*stop.Process) {
	u := uistop.Update{Stage: uistop.Done, Targets: slices.Clone(s.ended), Finishing: slices.Clone(s.finishing), Problems: slices.Clone(s.problems)}
	for _, p := range running {
		u.StillRunning = append(u.StillRunning, p.Owner())
	}
	switch {
	case len(running) > 0:
		u.Stage = uistop.StillRunning
	case len(s.problems) > 0:
		u.Stage, u.Managers = uistop.Refused, s.managerUpdates()
	case len(s.kept) > 0:
		u.StillOpen = s.stillOpen(ctx)
		if ctx.Err() != nil {
			return // the dialog was closed
		}
	default:
		u.InUse, u.Managers = s.inUse(ctx)
		if ctx.Err() != nil {
			return // the dialog was closed
		}
	}
	s.report(u)
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

// findManagers returns the managers of the request's processes, without duplicates.
func findManagers(ctx context.Context, request uistop.Request) (all []stop.Manager) {
	for _, o := range request.Owners {
		for _, l := range request.Listeners {
			m, ok := stop.ManagerOf(ctx, o, l)
			if ok && !slices.ContainsFunc(all, func(k stop.Manager) bool { return k.Command == m.Command && k.ID == m.ID }) {
				all = append(all, m)
			}
		}
	}
	return all
}

// managerUpdates returns the managers as the dialog shows them.
func (s *stopping) managerUpdates() (all []uistop.Manager) {
	for _, m := range s.managers {
		text := managerText(m)
		if m.Resume != nil {
			text = lang.L("The container is paused; the command resumes it first.") + " " + text
		}
		all = append(all, uistop.Manager{Description: text, Command: m.Command, CanRun: m.CanRun()})
	}
	return all
}

// runManagerWhenAsked waits for the order to stop through a manager.
func (s *stopping) runManagerWhenAsked(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.orders:
			if o.command != "" {
				s.runManager(ctx, o.command)
				return
			}
		}
	}
}

// runManager runs the command of a manager, and reports whether the port is free
// afterwards. If that leaves the server, it reports nothing and returns true: the
// processes remain to be stopped.
func (s *stopping) runManager(ctx context.Context, command string) (left bool) {
	i := slices.IndexFunc(s.managers, func(m stop.Manager) bool { return m.Command == command && m.CanRun() })
	if i < 0 {
		return false // the dialog only offers commands that can be run as they are
	}
	for _, o := range s.request.Owners {
		s.onSignal(o, command)
	}
	var output bytes.Buffer
	if err := s.managers[i].Run(ctx, nil, &output); err != nil {
		if ctx.Err() != nil {
			return false
		}
		s.log.Warn("can't stop through the manager", "command", command, "error", err, "output", monitor.Clean(output.String(), 400))
		problem := lang.L("The command failed: {{.Reason}}", map[string]any{"Reason": monitor.Clean(cmp.Or(strings.TrimSpace(output.String()), err.Error()), 200)})
		s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{problem}})
		return false
	}
	if s.managers[i].LeavesServer() {
		s.managers = nil
		return true
	}
	for end := time.Now().Add(s.gracePeriod); s.watch != nil && !s.watch.Free() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(50 * time.Millisecond)
	}
	s.ended = append(s.ended, s.waitForExit(ctx)...)
	s.managers = nil // it has been stopped
	s.reportOutcome(ctx, nil)
	return false
}

// waitForExit waits at most for the exit period and returns the owners that have exited.
// The kernel closes the sockets of a process before it has exited, and a container engine
// that listens itself does not exit.
func (s *stopping) waitForExit(ctx context.Context) (ended []monitor.Owner) {
	for end := time.Now().Add(s.exitPeriod); ; time.Sleep(20 * time.Millisecond) {
		ended = slices.DeleteFunc(slices.Clone(s.request.Owners), func(o monitor.Owner) bool { return process.IsAlive(o.PID, o.Start) })
		if len(ended) == len(s.request.Owners) || ctx.Err() != nil || time.Now().After(end) {
			return ended
		}
	}
}

// stillOpen returns what listens on after some of several owners were stopped, one
// sentence for each port.
func (s *stopping) stillOpen(ctx context.Context) (sentences []string) {
	now, err := stop.Holders(ctx, s.request.Listeners, s.log)
	if err != nil {
		s.log.Warn("can't find what uses the port now", "error", err)
	}
	for _, l := range now {
		var names []string
		for _, o := range l.Owners {
			names = append(names, processName(o))
		}
		if len(names) > maxNamed {
			names = append(names[:maxNamed], "…")
		}
		sentences = append(sentences, lang.L("{{.Port}} is still open: {{.Names}}.", map[string]any{"Port": words.Port(l.Protocol, l.Port), "Names": strings.Join(names, ", ")}))
	}
	return sentences
}

// maxNamed is how many processes a sentence names.
const maxNamed = 5

// inUse returns what holds the port after the stop, one sentence each, and what starts
// that.
func (s *stopping) inUse(ctx context.Context) (sentences []string, managers []uistop.Manager) {
	if s.watch == nil {
		return nil, nil
	}
	watch := stop.WatchTime
	if slices.ContainsFunc(s.managers, func(m stop.Manager) bool { return m.Restarts != stop.WontRestart }) {
		watch = stop.WatchTimeManaged
	}
	now, err := s.watch.Taken(ctx, watch)
	if err != nil {
		s.log.Warn("can't find what uses the port now", "error", err)
	}
	for _, l := range now {
		port := words.Port(l.Protocol, l.Port)
		o, known := l.Principal()
		if !known {
			sentences = append(sentences, lang.L("{{.Port}} is in use again; its owner is unknown.", map[string]any{"Port": port}))
			continue
		}
		data := map[string]any{"Name": processName(o), "Port": port}
		again := slices.ContainsFunc(s.ended, func(e monitor.Owner) bool { return e.ProgramName() == o.ProgramName() })
		starter, started := stop.Starter(o)
		data["Starter"] = processName(starter)
		switch {
		case slices.ContainsFunc(s.request.Owners, o.Same): // its manager ended only the shell around it
			sentences = append(sentences, lang.L("{{.Name}} still listens on {{.Port}}.", data))
		case again && started:
			sentences = append(sentences, lang.L("{{.Name}} took {{.Port}} again, started by {{.Starter}}.", data))
		case again:
			sentences = append(sentences, lang.L("{{.Name}} took {{.Port}} again.", data))
		case started:
			sentences = append(sentences, lang.L("{{.Name}} uses {{.Port}} now, started by {{.Starter}}.", data))
		default:
			sentences = append(sentences, lang.L("{{.Name}} uses {{.Port}} now.", data))
		}
		if m, ok := stop.ManagerOf(ctx, o, l); ok {
			managers = append(managers, uistop.Manager{Description: managerText(m), Command: m.Command})
		}
	}
	return sentences, managers
}

// processName returns a process with its PID: "node (47733)".
func processName(o monitor.Owner) string {
	name := monitor.Clean(o.Name, 60)
	if name == "" {
		name = lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
	}
	return fmt.Sprintf("%s (%d)", name, o.PID)
}

func managerText(m stop.Manager) string {
	data := map[string]any{"Name": monitor.Clean(m.ID, 80), "Policy": m.Policy}
	switch m.Kind {
	case stop.Socket:
		return lang.L("systemd listens on behalf of the socket unit {{.Name}} and starts the service at the first connection. To stop the socket unit, run:", data)
	case stop.Supervisor:
		if m.Command == "" {
			return lang.L("The process is run by {{.Name}}, which may start it again.", data)
		}
		return lang.L("The process is run by {{.Name}}, which may start it again. To stop it properly, run:", data)
	case stop.Group:
		return lang.L("The process is run by {{.Name}}, which stops its other processes when this one exits. To stop them all, run:", data)
	case stop.Watcher:
		return lang.L("The process is run by {{.Name}}, which starts it again when a file changes. To stop both, run:", data)
	case stop.Loop:
		return lang.L("The process was started by a loop in {{.Name}}, which may start it again. To stop the loop, run:", data)
	case stop.Unit:
		if m.Restarts == stop.WillRestart {
			return lang.L("The process belongs to the systemd unit {{.Name}}, which starts it again ({{.Policy}}). To stop it properly, run:", data)
		}
		return lang.L("The process belongs to the systemd unit {{.Name}}, which may restart it. To stop it properly, run:", data)
	case stop.Container:
		return lang.L("The process runs in the container {{.Name}}, which may restart it. To stop it properly, run:", data)
	}
	if m.ID == "" {
		return lang.L("The process publishes the port for a container. To stop the container, run:")
	}
	return lang.L("The process publishes the port for the container {{.Name}}. To stop the container, run:", data)
}

// failureText returns a sentence with the reason why a process was not stopped.
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
