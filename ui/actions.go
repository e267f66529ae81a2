package ui

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/table"
)

// Actions is what the window asks for. It is called from Fyne's goroutine and
// must not wait.
type Actions interface {
	Watch(port uint16)
	Unwatch(port uint16)
	SetWatches(seen, rules watch.Rules) // as they are to be from now on, where they were seen so
	Pause(d time.Duration)              // 0: until resumed
	Resume()
	DismissWelcome()   // Status.Welcome was read
	TestNotification() // Window.Answered tells what became of it
	// Set gives a setting a value, as the settings file says it, or "" for the
	// default. Window.SetStatus and then Window.Answered tell what became of it.
	Set(key, value string)
	ReloadSettings() // see whether others changed one
	Refresh()        // look now
	Close()          // the window
	Quit()           // Porthole
	StartAgent()     // an agent, where there is none any more
	Copy(text string)
	// CopyDiagnostics copies what "porthole doctor" prints. Window.Answered with
	// KeyDiagnostics tells what became of it.
	CopyDiagnostics()
	OpenInBrowser(address string) // "127.0.0.1:3000", http or https by what it speaks
	CopyURL(address string)       // the same, to paste elsewhere; Window.Say tells
	OpenFolder(path string)
	InspectTraffic(l *monitor.Listener) // shows its traffic in Wireshark, or copies how to see it; Window.Say tells
	// Environment asks what o was started with, a clean, masked line each. done is
	// called on Fyne's goroutine, later; problem is a sentence, "" where there is none.
	Environment(o monitor.Owner, done func(lines []string, problem string))
	// Stop takes hold of the processes that q names, and signals none. tell is
	// called on Fyne's goroutine, later and for each StopNews, until Stopping ends.
	Stop(q StopRequest, tell func(StopUpdate)) Stopping
}

// StopRequest is whom the user may want to stop.
type StopRequest struct {
	Owners    []monitor.Owner     // the processes that are shown, the principal one first
	Listeners []*monitor.Listener // what they are to hold still when they are stopped
	Snapshot  monitor.Snapshot    // what is shown: it tells what else closes
}

// Stopping is one stop, from the question to its end. Its methods are called from
// Fyne's goroutine and do not wait.
type Stopping interface {
	Terminate(children bool) // the processes to end, and what runs below them
	ForceQuit()              // those that run on
	Close()                  // nothing more is told, waited for or signalled
}

// StopStage is how far a stop is.
type StopStage int

// The stages of a stop.
const (
	StopReady         StopStage = iota // the processes are held, and none is signalled
	StopAlreadyExited                  // all ended before they were signalled
	StopRefused                        // some are not stopped: Problems say why
	StopStillRunning                   // those in Left run on, after all were waited for
	StopDone                           // all have ended
)

// StopUpdate is what became of a stop.
type StopUpdate struct {
	Stage             StopStage
	Targets           []monitor.Owner     // those that are held; with StopDone and StopStays, those that ended, children too
	Listeners         []*monitor.Listener // what the victims hold
	ListeningChildren []StopChild         // who listens and may end with them
	Children          int                 // how many processes run below the victims
	Managers          []StopManager       // what runs the victims, and may start them again
	StillRunning      []monitor.Owner
	Problems          []string // a sentence each

	GracePeriod time.Duration // how long they are given to end
	ForceOnly   bool          // this system knows nothing else
}

// StopChild is a process below a victim that listens.
type StopChild struct {
	Owner    monitor.Owner
	Listener *monitor.Listener
}

// StopManager is a service or an engine of containers.
type StopManager struct {
	Description string // that it runs the victim
	Command     string // what stops it properly in a shell; clean
}

// KeyDiagnostics is the key of CopyDiagnostics's answer.
const KeyDiagnostics = "diagnostics"

// History answers what is remembered. It is called from Fyne's goroutine and
// does not wait: done is called there too, later. A newer question makes an
// older one of the same method unwanted, whose done is then never called, except
// that every Before, Forget and Export is answered.
type History interface {
	Events(q history.Query, done func([]history.Event, error))
	ListenerEvents(listener string, done func([]history.Event, error))
	LastOwner(port uint16, done func(history.Tenure, bool, error))
	Hours(q history.Query, done func([]history.HourCount, error)) // without a limit: q says since when
	Lookup(q history.Query, done func([]history.Event, error))    // Events, for many askers
	Forget(f history.Forget, done func(error))
	Export(format string, q history.Query, done func(path string, err error)) // "csv" or "json"
}

// Status is what the window shows beside the listeners.
type Status struct {
	Health      monitor.Health
	Rules       watch.Rules
	Paused      bool
	PausedUntil time.Time // zero: until resumed
	Problems    []string  // a sentence each
	User        string    // who looks; "" where unknown
	Settings    Settings
	Welcome     bool           // the user is new here
	System      explain.System // what this machine does with ports, as far as that is known
}

// Settings are what the user chose, or what holds where nothing was chosen.
type Settings struct {
	Theme           string // "light" or "dark"; "" as the system is
	TrayIcon        string // "light" or "dark"; "" where it is outlined
	Language        string // like "en"; "" as the system is
	StartAtLogin    bool   // the session starts Porthole
	StartHidden     bool   // a start shows the tray icon alone
	Notifications   bool
	Sound           bool          // of notifications
	PollingInterval time.Duration // between two looks; 0 where Porthole chooses
	UDP             bool
	AllAddresses    bool // show the ports that loopback does not reach too
	HistoryDays     int  // for how long activity is kept; 0 where Porthole chooses
	HistoryEvents   int  // and how many changes; 0 where Porthole chooses
}

// State is what a window leaves to the next one.
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

	Explained bool `json:"explained,omitempty"` // the side pane explains
}
