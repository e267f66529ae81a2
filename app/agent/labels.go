package agent

import (
	"sync/atomic"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/label"
)

// labels are the user's labels and hiding rules. Its methods are safe for concurrent use.
type labels struct{ rules atomic.Pointer[label.Rules] }

// describe sets the label of l, and whether it is hidden.
func (b *labels) describe(l *monitor.Listener) {
	if rules := b.rules.Load(); rules != nil {
		rules.Describe(l)
	}
}

// set replaces the rules, and reports whether they differ from the last ones.
func (b *labels) set(rules label.Rules) (changed bool) {
	last := b.rules.Swap(&rules)
	if last == nil {
		last = &label.Rules{}
	}
	return !last.Equal(rules)
}

// applyLabels describes all listeners anew if the labels or hiding rules changed.
func (a *Agent) applyLabels() {
	if a.labels.set(a.settings.Labels) {
		a.monitor.Redescribe()
	}
}

// changeLabels changes the labels and hiding rules for the window c and sends the result.
func (a *Agent) changeLabels(c *ipc.WindowConn, add, remove label.Rules) {
	for i, b := range add.Labels {
		add.Labels[i] = b.Cleaned()
	}
	problem := ""
	s, err := a.settingsFile.ChangeLabels(func(r label.Rules) label.Rules {
		return label.Rules{Labels: label.Change(r.Labels, add.Labels, remove.Labels), Hidden: label.Change(r.Hidden, add.Hidden, remove.Hidden)}
	})
	if err != nil {
		a.log.Warn("can't change the labels", "error", err)
		problem = settingRefusedProblem(err)
	} else {
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		a.showTray()
	}
	a.sendStatus()
	c.Send(ipc.Message{Kind: ipc.Result, Key: ipc.KeyLabels, Problem: problem})
}
