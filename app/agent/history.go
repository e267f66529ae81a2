package agent

import (
	"context"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history/store"
)

// openHistory opens the store for events.
func (a *Agent) openHistory() *store.Store {
	return store.Open(paths.History(), store.Options{
		Boot: store.BootID(), Logger: a.log,
		OnState: func(s store.State) {
			a.do(func() {
				if a.problems.set("history", historyProblem(s)) {
					a.sendStatus()
				}
			})
		},
	})
}

// recordHistory stores updates until ctx ends, independently of the loop. Then it
// closes the store.
func (a *Agent) recordHistory(ctx context.Context, updates *monitor.Subscription) {
	defer a.history.Close()
	defer updates.Close()
	first := true
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-updates.C:
		}
		if u, ok := updates.Take(); ok {
			u.Events = a.userStops.markEvents(u.Events)
			a.history.Record(u)
			if u.Ready && first {
				first = false
				openings := readOpenings(ctx, paths.History(), store.BootID(), u.Snapshot)
				a.do(func() { a.openings = openings })
			}
		}
	}
}

// Limits of readOpenings.
const (
	maxOpenings     = 200
	openingsTimeout = 2 * time.Second
)

// readOpenings returns the opening times, by listener ID, of the listeners that
// were open before this agent started. Earlier agents recorded them since the
// machine started.
func readOpenings(ctx context.Context, path, boot string, s monitor.Snapshot) map[string]time.Time {
	openings := map[string]time.Time{}
	if boot == "" {
		return openings
	}
	ctx, cancel := context.WithTimeout(ctx, openingsTimeout)
	defer cancel()
	r := store.OpenReader(path)
	for _, l := range s.Listeners[:min(len(s.Listeners), maxOpenings)] {
		if !l.Since.IsZero() {
			continue
		}
		events, err := r.ListenerEvents(ctx, l.ID)
		if err != nil {
			return openings // the history page reports problems
		}
		for _, e := range events {
			if e.Boot == boot && !e.AlreadyOpen && !e.OpenedAt.IsZero() {
				openings[l.ID] = e.OpenedAt
			}
		}
	}
	return openings
}

func historyProblem(s store.State) string {
	switch {
	case s.NewerVersion:
		return lang.L("The history was written by a newer version of Porthole. It can be read, but new events are not saved.")
	case s.Err != nil:
		return lang.L("Can't save the history; Porthole will try again: {{.Why}}", map[string]any{"Why": monitor.Clean(s.Err.Error(), 300)})
	case s.MovedTo != "":
		return lang.L("The history file was damaged. It was kept as {{.File}}, and a new one was created.", map[string]any{"File": monitor.Clean(s.MovedTo, 300)})
	}
	return ""
}
