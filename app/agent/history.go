package agent

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/ipc"
	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history/store"
	"porthole/monitor/watch"
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
			u.Events = a.markStops(ctx, u.Events)
			a.history.Record(u)
			if u.Ready && first {
				first = false
				a.readOpenings(ctx)
			}
		}
	}
}

// store stores an event about clients, which comes with no update, and tells the window.
func (a *Agent) store(e monitor.Event) {
	a.history.Add(e)
	a.window.send(ipc.Message{Kind: ipc.HistoryAdded})
}

// markStops returns events with Stopped where the user stopped the owners. The news of
// a signal comes after it, so it is awaited, unless ctx ends, if a process seems to have
// crashed, or was asked to exit and may have been forced to.
func (a *Agent) markStops(ctx context.Context, events []monitor.Event) []monitor.Event {
	marked := a.userStops.markEvents(events)
	if slices.ContainsFunc(marked, func(e monitor.Event) bool { return e.Crashed() || e.Stopped != "" }) {
		select {
		case <-ctx.Done():
		case <-time.After(watch.CrashDelay):
		}
		marked = a.userStops.markEvents(events)
	}
	return marked
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
