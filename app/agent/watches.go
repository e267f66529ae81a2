package agent

import (
	"porthole/monitor/watch"
)

// changeWatches applies change to the watches and saves them.
func (a *Agent) changeWatches(change func(watch.Rules) watch.Rules) {
	a.unsavedEdits = append(a.unsavedEdits, change)
	a.saveWatches(change)
	a.showTray()
	a.sendStatus()
}

// saveWatches writes all unsaved edits to the settings file. If that fails, it
// applies change to the rules for this run only and reports the problem.
func (a *Agent) saveWatches(change func(watch.Rules) watch.Rules) {
	s, err := a.settingsFile.ChangeWatches(a.withUnsavedEdits)
	if err == nil {
		a.unsavedEdits = nil
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		return
	}
	a.rules = change(a.rules)
	a.watcher.SetRules(a.rules, a.settings.GracePeriod)
	a.log.Warn("can't save the watches; they apply until Porthole quits", "error", err)
	a.problems.set("settings", unsavedWatchesProblem(err))
}

// withUnsavedEdits returns rules with the unsaved edits applied.
func (a *Agent) withUnsavedEdits(rules watch.Rules) watch.Rules {
	for _, change := range a.unsavedEdits {
		rules = change(rules)
	}
	return rules
}
