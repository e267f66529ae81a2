package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// watchesPage shows the rules, each with its present state.
type watchesPage struct {
	actions  Actions
	rules    watch.Rules
	snapshot monitor.Snapshot
	content  fyne.CanvasObject
}

func newWatchesPage(actions Actions) *watchesPage {
	return &watchesPage{actions: actions, content: container.NewStack()}
}

// update shows what the monitor saw.
func (p *watchesPage) update(s monitor.Snapshot) { p.snapshot = s }

// setRules shows the rules as the agent has them.
func (p *watchesPage) setRules(rules watch.Rules) { p.rules = rules }

// disconnect greys the page: nobody watches any more.
func (p *watchesPage) disconnect() {}

func (p *watchesPage) focus() {}
