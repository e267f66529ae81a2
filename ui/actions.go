package ui

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/health"
	"porthole/monitor/label"
	"porthole/monitor/watch"
	"porthole/ui/history"
	"porthole/ui/ports"
	"porthole/ui/process"
	"porthole/ui/settings"
	"porthole/ui/stop"
	"porthole/ui/table"
	"porthole/ui/traffic"
	"porthole/ui/watches"
)

// Actions are the requests that the window sends to the program. They are called on Fyne's
// goroutine and must not block.
type Actions interface {
	ports.Actions
	history.Actions
	watches.Actions
	settings.Actions
	process.Actions
	stop.Actions
	traffic.Actions

	Refresh() // polls immediately
	Close()   // closes the window
}

// History answers queries of the history. Its methods are called on Fyne's goroutine and do not
// block: done is called later on the same goroutine. A new call of Events, ListenerEvents or Hours
// cancels an earlier call of the same method, and its done is then never called. Every LastOwner,
// Lookup, Forget and Export is answered.
type History interface {
	ports.History
	history.Store
	process.History
}

// Status contains everything that the window shows except the listeners.
type Status struct {
	Health      monitor.Health
	Rules       watch.Rules
	Labels      label.Rules // labels and hiding rules
	Paused      bool
	PausedUntil time.Time          // zero: until resumed
	Problems    []string           // one sentence each
	CanDismiss  bool               // some of Problems are over, and were only to be read
	Attempts    []connection.Burst // refused attempts to connect to closed watched ports
	Checks      []health.Check     // what the health checks of watches found
	User        string             // user name of this session; "" if unknown
	Settings    settings.Settings
	Welcome     bool           // show the welcome to a new user
	NoTray      bool           // the tray icon can't be shown, which is one of Problems
	System      explain.System // the port settings of this machine, as far as known

	RaisesWindows bool // the desktop lets Porthole raise the windows of other programs
}

// ports returns the part of s that the Ports page shows.
func (s Status) ports() ports.Status {
	return ports.Status{
		Health: s.Health, Rules: s.Rules, Labels: s.Labels, Paused: s.Paused, PausedUntil: s.PausedUntil, Problems: s.Problems, CanDismiss: s.CanDismiss, Attempts: s.Attempts, Checks: s.Checks, User: s.User,
		Notifications: s.Settings.Notifications, NewExposed: s.Settings.NewExposed, UDP: s.Settings.UDP, AllAddresses: s.Settings.AllAddresses,
		Welcome: s.Welcome, NoTray: s.NoTray, System: s.System, RaisesWindows: s.RaisesWindows,
	}
}

// State is the part of a window's state that the next window restores. Sizes are in Fyne's
// device-independent pixels.
type State struct {
	Width    float32 `json:"width,omitempty"`
	Height   float32 `json:"height,omitempty"`
	Tab      string  `json:"tab,omitempty"`
	Filter   string  `json:"filter,omitempty"`
	Sort     string  `json:"sort,omitempty"`
	Down     bool    `json:"down,omitempty"`
	Selected string  `json:"selected,omitempty"`
	Quick    string  `json:"quick,omitempty"` // "", "watched", "exposed", "mine", "warnings", "development" or "hidden"

	Columns table.Columns `json:"columns,omitzero"`
	Group   string        `json:"group,omitempty"`  // how rows are grouped: "", "process" or "project"
	Folded  []string      `json:"folded,omitempty"` // groups that are folded
	Closed  time.Time     `json:"closed,omitzero"`  // when the window was closed

	Explained bool `json:"explained,omitempty"` // the details pane shows the explanation

	Position *Position `json:"position,omitempty"` // nil if unknown
}

// Position is the position of a window's content on the desktop, in pixels.
type Position struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// Lasting returns s without what only a window gets that takes the place of the last one.
func (s State) Lasting() State {
	s.Filter, s.Selected, s.Position = "", "", nil
	return s
}
