package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"porthole/app/settings"
	"porthole/app/startagain"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
	"porthole/monitor/restart"
)

// This file runs the command of a stopped process again.

// restartTime is how long restart waits for the new process to listen.
const restartTime = 15 * time.Second

// logLines is how many lines of the log are printed if the new process fails.
const logLines = 8

// restarting is one run of restart.
type restarting struct {
	restartOptions
	wanted target
	recipe *restart.Recipe
	before monitor.Owner
	place  startagain.Place
	log    string // of the output, if the process runs detached
}

// place returns where to start before again: detached unless the flags say otherwise.
func (o restartOptions) place(ctx context.Context, before monitor.Owner) (startagain.Place, error) {
	if !o.Terminal {
		return startagain.Place{}, nil
	}
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: %v; using the default settings\n", err) // stderr is the only place for it
	}
	place := startagain.Choose(ctx, strings.TrimPrefix(s.Terminal, settings.NoTerminal), before)
	if !place.InTerminal() {
		return place, fmt.Errorf("can't open a terminal: %w; nothing was stopped", cmp.Or(place.Problem, errors.New("none was found")))
	}
	return place, nil
}

// placeText says where the command runs, within a sentence.
func (r *restarting) placeText() string {
	switch {
	case r.Here:
		return "in this terminal"
	case r.place.InTerminal():
		return windowText(r.place)
	}
	return "with its output in " + r.log
}

// windowText names the window of a terminal within a sentence.
func windowText(p startagain.Place) string {
	if p.Session != "" {
		return "in a new window of the tmux session " + p.Session
	}
	return "in a new window of " + p.Terminal
}

// start runs the recipe and waits until it listens.
func (r *restarting) start(ctx context.Context) error {
	if err := r.checkFree(ctx); err != nil {
		return fmt.Errorf("%s was stopped and not started again: %w", processText(r.before), err)
	}
	ended := make(chan error, 1)
	started, err := startagain.Start(ctx, r.recipe, r.place, r.log, func(err error) { ended <- err })
	if err != nil {
		return fmt.Errorf("%s was stopped, but can't be started again: %w", processText(r.before), err)
	}
	if started.NotInTerminal != nil {
		_, _ = fmt.Fprintf(r.Stderr, "porthole: no terminal opened (%s), so the command runs detached\n", monitor.Clean(started.NotInTerminal.Error(), 200))
	}
	if started.OldLogs != nil {
		_, _ = fmt.Fprintf(r.Stderr, "porthole: old logs of restarted programs can't be removed: %s\n", monitor.Clean(started.OldLogs.Error(), 200))
	}
	err = r.awaitListening(ctx, started.PID, ended)
	if r.JSON {
		if err := writeLine(r.Stdout, r.result(started, err == nil)); err != nil {
			return err
		}
	}
	switch {
	case err != nil && started.Log == "":
		return fmt.Errorf("started as PID %d %s, but: %w", started.PID, windowText(started.Place), err)
	case err != nil:
		return fmt.Errorf("started as PID %d, but: %w; the end of %s: %s", started.PID, err, r.log, strings.Join(restart.Tail(r.log, logLines), " | "))
	case r.JSON:
		return nil
	case started.Log == "":
		_, err = fmt.Fprintf(r.Stdout, "Started as PID %d %s, listening on %s again.\n", started.PID, windowText(started.Place), r.wanted)
	default:
		_, err = fmt.Fprintf(r.Stdout, "Started as PID %d, listening on %s again. Its output is in %s.\n", started.PID, r.wanted, r.log)
	}
	return err
}

func (r *restarting) result(started startagain.Started, listening bool) restartJSON {
	out := restartJSON{r.wanted.Port, r.before.PID, started.PID, monitor.RedactCommand(r.recipe.Command), r.recipe.Folder, started.Log, started.Place.Terminal, listening}
	if started.Place.Session != "" {
		out.Terminal = ancestry.TmuxTitle
	}
	return out
}

// checkFree returns a startagain.TakenError if another process has the port now.
func (r *restarting) checkFree(ctx context.Context) error {
	listeners, err := r.find(ctx)
	if err != nil || len(listeners) == 0 {
		return err
	}
	return startagain.TakenError{Listener: listeners[0]}
}

// find returns the listeners on the port, as stop would.
func (r *restarting) find(ctx context.Context) ([]*monitor.Listener, error) {
	q, err := newQuery(nil, r.Options)
	if err != nil {
		return nil, err
	}
	q.All = true
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return nil, err
	}
	listeners, _ := r.wanted.stoppable(s, r.All)
	return listeners, nil
}

// awaitListening returns when the process pid or a child of it listens on the port. The
// error says why it does not.
func (r *restarting) awaitListening(ctx context.Context, pid int, ended <-chan error) error {
	limited, cancel := context.WithTimeout(ctx, restartTime)
	defer cancel()
	opened := make(chan error, 1)
	go func() { // ends with limited
		quiet := Options{All: true, Stdout: r.Stderr, Stderr: r.Stderr}
		opened <- runWait(limited, []string{r.wanted.String()}, waitOptions{Options: quiet, Timeout: restartTime})
	}()
	select {
	case err := <-opened:
		if err != nil {
			return err
		}
		return r.checkOwner(ctx, pid)
	case why := <-ended:
		cancel()
		<-opened
		if why == nil {
			return errors.New("it ended at once")
		}
		return fmt.Errorf("it ended at once: %s", monitor.Clean(why.Error(), 100))
	}
}

// checkOwner returns a startagain.TakenError if the listener on the port belongs to
// neither the process pid nor a child of it.
func (r *restarting) checkOwner(ctx context.Context, pid int) error {
	listeners, err := r.find(ctx)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		for _, o := range l.Owners {
			if o.PID == pid || slices.ContainsFunc(o.Parents, func(p monitor.Parent) bool { return p.PID == pid }) {
				return nil
			}
		}
	}
	if len(listeners) == 0 {
		return errors.New("it has stopped listening")
	}
	return startagain.TakenError{Listener: listeners[0]}
}
