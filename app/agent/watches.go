package agent

import (
	"porthole/monitor/watch"
)

// changeWatches applies change to the watches and saves them.
func (a *Agent) changeWatches(change func(watch.Rules) watch.Rules) {
	a.problems.set(droppedEdits, "") // the user has read it
	a.dropOutdatedEdits()
	a.unsavedEdits = append(a.unsavedEdits, change)
	a.saveWatches(change)
	a.showTray()
	a.sendStatus()
}

// saveWatches writes all unsaved edits to the settings file. If that fails, it
// applies change to the rules for this run only and reports the problem.
func (a *Agent) saveWatches(change func(watch.Rules) watch.Rules) {
	before := a.settingsFile.Fingerprint()
	s, err := a.settingsFile.ChangeWatches(a.withUnsavedEdits)
	if err == nil {
		a.unsavedEdits = nil
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		return
	}
	a.unsavedSince = before
	a.rules = change(a.rules)
	a.dropHookFailures()
	a.watcher.SetRules(a.effectiveRules(), a.settings.GracePeriod)
	a.pollUDP()
	a.countConnections()
	a.checkHealth()
	a.log.Warn("can't save the watches; they apply until Porthole quits", "error", err)
	a.problems.set("settings", unsavedWatchesProblem(err))
}

// dropOutdatedEdits drops unsaved edits if the settings file was edited since they
// could not be saved: the user who repaired it may have made or rejected the same
// changes, so they are never applied over it. The window reports this.
func (a *Agent) dropOutdatedEdits() {
	if len(a.unsavedEdits) == 0 || a.settingsFile.Fingerprint() == a.unsavedSince {
		return
	}
	a.log.Warn("the settings file was edited; dropped unsaved changes of the watches", "changes", len(a.unsavedEdits))
	a.unsavedEdits = nil
	a.problems.set(droppedEdits, droppedWatchesProblem())
}

// withUnsavedEdits returns rules with the unsaved edits applied.
func (a *Agent) withUnsavedEdits(rules watch.Rules) watch.Rules {
	for _, change := range a.unsavedEdits {
		rules = change(rules)
	}
	return rules
}

// effectiveRules returns the watches with the events of the settings where they have none.
func (a *Agent) effectiveRules() watch.Rules { return a.rules.WithDefault(a.settings.NotifyOn) }
