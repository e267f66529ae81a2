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

	"porthole/app/link"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/stop"
	"porthole/ui"
)

// Stop is ui.Actions's. What it starts ends with the window, or before, when the
// user closes the question.
func (a actions) Stop(q ui.StopQuestion, tell func(ui.StopNews)) ui.Stopping {
	ctx, cancel := context.WithCancel(a.p.ctx)
	s := newStopping(q, cancel, a.p.log)
	s.tell = func(n ui.StopNews) { a.p.do(func() { tell(n) }) }
	s.signalled = func(o monitor.Owner) {
		m := link.Message{Kind: link.Stopped, Process: &link.Process{PID: o.PID, Start: o.Start}}
		a.p.do(func() { a.p.say(m) })
	}
	a.p.work.Go(func() {
		defer cancel()
		s.run(ctx)
	})
	return s
}

// stopping is one stop, on one goroutine.
type stopping struct {
	q         ui.StopQuestion
	cancel    context.CancelFunc
	log       *slog.Logger
	tell      func(ui.StopNews)
	signalled func(monitor.Owner) // it has been sent a signal
	patience  time.Duration
	below     func([]*stop.Process) ([]*stop.Process, error) // stop.OpenBelow
	orders    chan stopOrder
	ended     []monitor.Owner // by the user's wish
	problems  []string        // why others were not stopped, a sentence each
}

// stopOrder is what the user wants done.
type stopOrder struct{ children, force bool }

func newStopping(q ui.StopQuestion, cancel context.CancelFunc, log *slog.Logger) *stopping {
	return &stopping{q: q, cancel: cancel, log: log, patience: stop.Patience, below: stop.OpenBelow, orders: make(chan stopOrder, 1)}
}

// Ask is ui.Stopping's.
func (s *stopping) Ask(children bool) { s.order(stopOrder{children: children}) }

// Force is ui.Stopping's.
func (s *stopping) Force() { s.order(stopOrder{force: true}) }

// End is ui.Stopping's.
func (s *stopping) End() { s.cancel() }

func (s *stopping) order(o stopOrder) {
	select {
	case s.orders <- o:
	default: // one is carried out, or about to be
	}
}

// run holds the processes from before they are shown, so that what is stopped is
// what was shown, and does what is ordered until there is no more to do or ctx ends.
func (s *stopping) run(ctx context.Context) {
	s.q.Owners = asTheyAre(s.q.Owners)
	held, err := stop.OpenAll(s.q.Owners)
	if err != nil {
		s.tell(ui.StopNews{Stage: ui.StopRefused, Problems: []string{s.problem(err)}, Managers: managers(s.q)})
		return
	}
	defer stop.CloseAll(held)
	if len(held) == 0 {
		s.tell(ui.StopNews{Stage: ui.StopGone})
		return
	}
	s.tell(s.question(held))
	order, ok := s.next(ctx, held, false)
	if !ok {
		return
	}
	var below []*stop.Process
	if order.children {
		if below, err = s.below(held); err != nil {
			s.log.Warn("the children of a process cannot be found, so that nobody was stopped", "problem", err)
			s.tell(ui.StopNews{Stage: ui.StopRefused, Problems: []string{lang.L("Its children cannot be found now, so nothing was signalled; the log says why")}})
			return
		}
		defer stop.CloseAll(below)
	}
	holds, err := stop.Holding(ctx, s.q.Rows, s.log)
	if err != nil {
		s.log.Warn("who holds a port cannot be seen, so that nobody was stopped", "problem", err)
		s.tell(ui.StopNews{Stage: ui.StopRefused, Problems: []string{lang.L("Who holds the port cannot be seen now, so nothing was signalled; the log says why")}})
		return
	}
	stays := s.round(ctx, slices.Concat(held, below), len(held), func(p *stop.Process) error {
		if order.force && !holds(p.Owner()) { // where a system knows nothing else
			return stop.RefusedError{PID: p.Owner().PID, Reason: stop.LetGo}
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
		if _, ok = s.next(ctx, stays, true); !ok {
			return
		}
		stays = s.round(ctx, stays, len(stays), (*stop.Process).Kill)
	}
}

// next waits for what the user wants done: nothing but force where they were asked
// to end before. ok is false where nothing is to be done any more: ctx has ended, or
// all of held have, which is told.
func (s *stopping) next(ctx context.Context, held []*stop.Process, asked bool) (_ stopOrder, ok bool) {
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
				s.outcome(nil)
			default:
				s.tell(ui.StopNews{Stage: ui.StopGone})
			}
			return stopOrder{}, false
		}
	}
}

// round signals processes, of which so many held the port, waits for their end and
// tells what became of them. It returns those that run on.
func (s *stopping) round(ctx context.Context, processes []*stop.Process, holders int, send func(*stop.Process) error) (stays []*stop.Process) {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	out := stop.Signal(limited, processes, func(p *stop.Process) error {
		err := send(p)
		if err == nil {
			s.signalled(p.Owner())
		}
		return err
	}, stop.Watcher{Ended: func(p *stop.Process) { s.ended = append(s.ended, p.Owner()) }})
	if ctx.Err() != nil {
		return nil // nobody asks any more
	}
	for _, f := range out.Problems(holders) {
		s.problems = append(s.problems, s.problem(f))
	}
	s.outcome(out.Stays)
	return out.Stays
}

// outcome tells what became of all so far; stays run on.
func (s *stopping) outcome(stays []*stop.Process) {
	n := ui.StopNews{Stage: ui.StopDone, Victims: slices.Clone(s.ended), Problems: slices.Clone(s.problems)}
	for _, p := range stays {
		n.Left = append(n.Left, p.Owner())
	}
	switch {
	case len(stays) > 0:
		n.Stage = ui.StopStays
	case len(s.problems) > 0:
		n.Stage, n.Managers = ui.StopRefused, managers(s.q)
	}
	s.tell(n)
}

// question is what is to be known before processes are stopped.
func (s *stopping) question(held []*stop.Process) ui.StopNews {
	n := ui.StopNews{Stage: ui.StopHeld, Managers: managers(s.q), Patience: s.patience, OnlyForce: runtime.GOOS == "windows"}
	for _, p := range held {
		n.Victims = append(n.Victims, p.Owner())
	}
	among := func(o monitor.Owner) bool { return slices.ContainsFunc(n.Victims, o.Same) }
	for _, o := range n.Victims {
		for _, l := range stop.Held(s.q.Snapshot, o) {
			if !slices.Contains(n.Closes, l) {
				n.Closes = append(n.Closes, l)
			}
		}
		for _, l := range stop.Children(s.q.Snapshot, o) {
			for _, child := range l.Owners {
				c := ui.StopChild{Owner: child, Listener: l}
				known := slices.ContainsFunc(n.Below, func(k ui.StopChild) bool { return k.Listener == l && k.Owner.Same(child) })
				if stop.Below(child, o) && !among(child) && !known {
					n.Below = append(n.Below, c)
				}
			}
		}
	}
	below, err := stop.OpenBelow(held)
	if err != nil {
		s.log.Warn("the children of a process cannot be counted", "problem", err)
	}
	n.Children = len(below)
	stop.CloseAll(below)
	return n
}

// managers say what runs those that q names, each once.
func managers(q ui.StopQuestion) (all []ui.StopManager) {
	for _, o := range q.Owners {
		for _, l := range q.Rows {
			m, ok := stop.ManagerOf(o, l)
			if ok && !slices.ContainsFunc(all, func(k ui.StopManager) bool { return k.Command == m.Command }) {
				all = append(all, ui.StopManager{Sentence: managerSentence(m), Command: m.Command})
			}
		}
	}
	return all
}

func managerSentence(m stop.Manager) string {
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

// problem says in one sentence why a process is not stopped.
func (s *stopping) problem(err error) string {
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

// asTheyAre gives owners the command and the folder that they have now, to the byte:
// what came over the link is text. It is to start them again.
func asTheyAre(owners []monitor.Owner) []monitor.Owner {
	owners = slices.Clone(owners) // of a snapshot
	for i, o := range owners {
		if now, err := process.Facts(o.PID); err == nil && now.Same(o) {
			owners[i].Command, owners[i].Folder = now.Command, now.Folder
		}
	}
	return owners
}
