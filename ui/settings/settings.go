package settings

import (
	"time"

	"porthole/monitor/watch"
)

// Settings are the values that apply: the user's, or the defaults.
type Settings struct {
	Theme           string // "light" or "dark"; "" to follow the system
	Zoom            int    // in percent; 0 for 100
	TrayIcon        string // "light", "dark" or "outlined"; "" for automatic
	Language        string // like "en"; "" to follow the system
	StartAtLogin    bool   // start Porthole with the session
	StartHidden     bool   // show only the tray icon at startup
	Shortcut        bool   // a shortcut of the desktop opens the window
	ShortcutAdvice  string // how to get one if the desktop offers none to programs; "" if it does
	Notifications   bool
	NotifyOn        watch.NotifyOn // of watches without events; 0 for watch.DefaultEvents
	Urgency         watch.Urgency  // of watches without one; "" for normal
	CrashUrgency    watch.Urgency  // "" for critical
	Expiry          time.Duration  // of notifications; 0 if the desktop decides, negative for never
	NewExposed      bool           // notify about everything newly exposed
	QuietHours      string         // like "22:00-07:00"; "" for none
	GracePeriod     time.Duration  // a service that is back within it was restarted
	Sound           bool           // play a sound with notifications
	PollingInterval time.Duration  // 0 for automatic
	UDP             bool
	AllAddresses    bool   // also show ports that are not reachable on loopback
	Terminal        string // in which programs are started again, like "kitty -e"; "none"; "" for automatic
	HistoryDays     int    // days to keep events; 0 for the default
	HistoryEvents   int    // number of events to keep; 0 for the default
	TrafficBody     int    // MB kept of each body of recorded traffic; 0 for the default
	TrafficMemory   int    // MB kept of all bodies of a recording; 0 for the default
}
