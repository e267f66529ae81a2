package ui

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/watch"
	"porthole/ui/history"
	"porthole/ui/ports"
	"porthole/ui/process"
	"porthole/ui/settings"
	"porthole/ui/stop"
	"porthole/ui/table"
	"porthole/ui/watches"
)

// Actions is what the window asks of the program. It is called from Fyne's goroutine and must
// not wait.
type Actions interface {
	ports.Actions
	history.Actions
	watches.Actions
	settings.Actions
	process.Actions
	stop.Actions

	Refresh() // polls now
	Close()   // closes the window
}

// History answers what the history holds. It is called from Fyne's goroutine and does not
// wait: done is called there too, later. A newer call of Events, Story, LastHolder or Hours
// cancels an older one of the same method, whose done is then never called; every Before, Forget
// and Export is answered.
type History interface {
	ports.History
	history.Store
	process.History
}

// Status is what the window shows beside the listeners.
type Status struct {
	Health      monitor.Health
	Rules       watch.Rules
	Paused      bool
	PausedUntil time.Time // zero: until resumed
	Problems    []string  // a sentence each
	User        string    // of this session; "" if unknown
	Settings    settings.Settings
	Welcome     bool           // the user is new here
	System      explain.System // what this machine does with ports, as far as that is known
}

// ports returns the part of s that the Ports page shows.
func (s Status) ports() ports.Status {
	return ports.Status{
		Health: s.Health, Rules: s.Rules, Paused: s.Paused, PausedUntil: s.PausedUntil, Problems: s.Problems, User: s.User,
		Notifications: s.Settings.Notifications, UDP: s.Settings.UDP, AllAddresses: s.Settings.AllAddresses,
		Welcome: s.Welcome, System: s.System,
	}
}

// State is what a window hands to the next one.
type State struct {
	Width    float32 `json:"width,omitempty"`
	Height   float32 `json:"height,omitempty"`
	Tab      string  `json:"tab,omitempty"`
	Filter   string  `json:"filter,omitempty"`
	Sort     string  `json:"sort,omitempty"`
	Down     bool    `json:"down,omitempty"`
	Selected string  `json:"selected,omitempty"`
	Quick    string  `json:"quick,omitempty"` // watched, exposed, mine

	Columns table.Columns `json:"columns,omitzero"`
	Grouped bool          `json:"grouped,omitempty"` // by process

	Explained bool `json:"explained,omitempty"` // the details pane explains
}
