package agent

import (
	"context"

	"fyne.io/fyne/v2/lang"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/activity/store"
)

// openActivity starts the memory of what happened.
func (a *Agent) openActivity() *store.Store {
	return store.Open(settings.ActivityPath(), store.Options{
		Boot: store.BootID(), Logger: a.log,
		Tell: func(s store.State) {
			a.do(func() {
				if a.problems.set("activity", activityProblem(s)) {
					a.tellStatus()
				}
			})
		},
	})
}

// recordActivity hands on what the monitor sees until ctx ends, beside hub; then
// it ends the store.
func (a *Agent) recordActivity(ctx context.Context, updates *monitor.Subscription) {
	defer a.activity.Close()
	defer updates.Close()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-updates.C:
		}
		if u, ok := updates.Take(); ok {
			a.activity.Record(u)
		}
	}
}

func activityProblem(s store.State) string {
	switch {
	case s.Newer:
		return lang.L("The activity was written by a newer Porthole: it can be read, and nothing is added")
	case s.Err != nil:
		return lang.L("The activity cannot be stored now; it is tried again: {{.Why}}", map[string]any{"Why": monitor.Clean(s.Err.Error(), 300)})
	case s.MovedTo != "":
		return lang.L("The activity's file was damaged. It is kept as {{.File}}, and a new one was begun", map[string]any{"File": monitor.Clean(s.MovedTo, 300)})
	}
	return ""
}
