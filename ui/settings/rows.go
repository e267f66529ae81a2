package settings

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
	"porthole/monitor/watch"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

func (p *Page) themeRow() *settingRow {
	r := newSettingRow("theme", lang.L("Theme"), "")
	p.segments(r, []widgets.Option{{Value: "", Label: lang.L("System")}, {Value: "light", Label: lang.L("Light")}, {Value: "dark", Label: lang.L("Dark")}}, func(s Settings) string { return s.Theme })
	return r
}

func (p *Page) trayIconRow() *settingRow {
	r := newSettingRow("tray_icon", lang.L("Tray icon"), lang.L("Light fits dark panels, dark fits light ones, outlined fits any"))
	options := []widgets.Option{{Value: "", Label: lang.L("Automatic")}, {Value: "outlined", Label: lang.L("Outlined")}, {Value: "light", Label: lang.L("Light")}, {Value: "dark", Label: lang.L("Dark")}}
	p.choice(r, options, func(s Settings) widgets.Option {
		return options[max(slices.IndexFunc(options, func(o widgets.Option) bool { return o.Value == s.TrayIcon }), 0)]
	})
	return r
}

func (p *Page) languageRow() *settingRow {
	r := newSettingRow("language", lang.L("Language"), lang.L("Porthole restarts in the selected language"))
	options := []widgets.Option{{Value: "", Label: lang.L("System")}}
	for _, code := range assets.Languages() {
		options = append(options, widgets.Option{Value: code, Label: words.LanguageName(code)})
	}
	p.choice(r, options, func(s Settings) widgets.Option {
		return widgets.Option{Value: s.Language, Label: words.LanguageName(s.Language)}
	})
	return r
}

func (p *Page) atLoginRow() *settingRow {
	return p.toggle("start_at_login", lang.L("Start at login"), lang.L("Show only the tray icon, not the window"), func(s Settings) bool { return s.StartAtLogin })
}

func (p *Page) startHiddenRow() *settingRow {
	return p.toggle("start_hidden", lang.L("Start hidden"), lang.L("Show only the tray icon at startup; start Porthole again to open the window"), func(s Settings) bool { return s.StartHidden })
}

// shortcutRow returns the row of the shortcut for the window. It shows advice if the desktop offers
// none to programs.
func (p *Page) shortcutRow() *settingRow {
	help := lang.L("A shortcut that opens the window from everywhere. The desktop asks which keys.")
	r := p.toggle("shortcut", lang.L("Shortcut for the window"), help, func(s Settings) bool { return s.Shortcut })
	show := r.show
	r.show = func(s Settings) {
		show(s)
		r.unavailable, r.help = s.ShortcutAdvice != "", cmp.Or(s.ShortcutAdvice, help)
		r.enable(p.loaded && p.connected)
		p.showNote(r)
	}
	return r
}

func (p *Page) notificationsRow() *settingRow {
	return p.toggle("notifications", lang.L("Notifications"), lang.L("Notify you about events of watched ports; the table, tray and history always show them"), func(s Settings) bool { return s.Notifications })
}

func (p *Page) notifyOnRow() *settingRow {
	r := newSettingRow("notify_on", lang.L("Events"), lang.L("Of watches that select none of their own. Usual are all but those about clients: opens, closes, crashes, changes owner, is exposed to the network, is unhealthy."))
	options := []widgets.Option{
		{Value: "", Label: lang.L("Usual events")},
		{Value: "open,close", Label: lang.L("Opens and closes")},
		{Value: "crash,exposed", Label: lang.L("Crashes and exposure")},
		{Value: "open,close,crash,owner_change,exposed,attempt,connect,unhealthy", Label: lang.L("All events")},
	}
	selected := map[watch.NotifyOn]int{0: 0, watch.DefaultEvents: 0, watch.OnOpen | watch.OnClose: 1, watch.OnCrash | watch.OnExposed: 2,
		watch.DefaultEvents | watch.OnAttempt | watch.OnConnect: 3}
	p.choice(r, options, func(s Settings) widgets.Option {
		if i, known := selected[s.NotifyOn]; known {
			return options[i]
		}
		return widgets.Option{Value: "other", Label: lang.L("Other events")} // set in the file
	})
	return r
}

func (p *Page) urgencyRow() *settingRow {
	r := newSettingRow("urgency", lang.L("Urgency"), lang.L("For watches without an urgency of their own"))
	p.segments(r, []widgets.Option{{Value: "low", Label: lang.L("Low")}, {Value: "", Label: lang.L("Normal")}, {Value: "critical", Label: lang.L("Critical")}}, func(s Settings) string {
		return strings.TrimPrefix(string(s.Urgency), string(watch.Normal))
	})
	return r
}

func (p *Page) crashUrgencyRow() *settingRow {
	r := newSettingRow("crash_urgency", lang.L("Urgency of crashes"), lang.L("Many desktops show critical notifications until you close them"))
	p.segments(r, []widgets.Option{{Value: "low", Label: lang.L("Low")}, {Value: "normal", Label: lang.L("Normal")}, {Value: "", Label: lang.L("Critical")}}, func(s Settings) string {
		return strings.TrimPrefix(string(s.CrashUrgency), string(watch.Critical))
	})
	return r
}

func (p *Page) expiryRow() *settingRow {
	r := newSettingRow("expiry", lang.L("Show for"), lang.L("How long notifications are visible, except critical ones. Automatic: the desktop decides. Some desktops, such as GNOME, always do."))
	of := func(d time.Duration) widgets.Option {
		switch {
		case d == 0:
			return widgets.Option{Value: "", Label: lang.L("Automatic")}
		case d < 0:
			return widgets.Option{Value: "never", Label: lang.L("Until closed")}
		}
		return widgets.Option{Value: d.String(), Label: words.ShortDuration(d)}
	}
	var options []widgets.Option
	for _, d := range []time.Duration{0, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, -1} {
		options = append(options, of(d))
	}
	p.choice(r, options, func(s Settings) widgets.Option { return of(s.Expiry) })
	return r
}

func (p *Page) newExposedRow() *settingRow {
	return p.toggle("new_exposed", lang.L("Anything newly exposed"), lang.L("Notify you about every server that becomes reachable from the network, watched or not; what is reachable during the first day is familiar"), func(s Settings) bool { return s.NewExposed })
}

func (p *Page) quietHoursRow() *settingRow {
	r := newSettingRow("quiet_hours", lang.L("Quiet hours"), lang.L("Notifications wait until these hours end, except those of watches with critical urgency"))
	options := []widgets.Option{{Value: "", Label: lang.L("None")}}
	for _, hours := range []string{"20:00-08:00", "22:00-07:00", "00:00-06:00"} {
		options = append(options, widgets.Option{Value: hours, Label: strings.ReplaceAll(hours, "-", "–")})
	}
	p.choice(r, options, func(s Settings) widgets.Option {
		if s.QuietHours == "" {
			return options[0]
		}
		return widgets.Option{Value: s.QuietHours, Label: strings.ReplaceAll(s.QuietHours, "-", "–")}
	})
	return r
}

// gracePeriods are the grace periods that can be selected.
var gracePeriods = []time.Duration{0, time.Second, watch.DefaultGrace, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}

func (p *Page) graceRow() *settingRow {
	r := newSettingRow("grace_period", lang.L("Restart grace period"), lang.L("A service that closes and listens again within this time is reported once, as restarted. Closed ports are reported when it has passed, crashes at once."))
	of := func(d time.Duration) widgets.Option {
		switch d {
		case 0:
			return widgets.Option{Value: "0s", Label: lang.L("None")}
		case watch.DefaultGrace:
			return widgets.Option{Value: "", Label: words.ShortDuration(d)}
		}
		return widgets.Option{Value: d.String(), Label: words.ShortDuration(d)}
	}
	var options []widgets.Option
	for _, d := range gracePeriods {
		options = append(options, of(d))
	}
	p.choice(r, options, func(s Settings) widgets.Option { return of(s.GracePeriod) })
	return r
}

func (p *Page) soundRow() *settingRow {
	return p.toggle("sound", lang.L("Sound"), lang.L("Play the desktop's notification sound"), func(s Settings) bool { return s.Sound })
}

func (p *Page) testRow() *settingRow {
	r := newSettingRow("test", lang.L("Test"), lang.L("Check that this desktop shows notifications"))
	r.doneText = lang.L("Sent. If no notification appeared, the desktop may be in “Do not disturb” mode.")
	p.action(r, lang.L("Send test notification"), p.actions.TestNotification)
	return r
}

// intervals are the polling intervals that can be selected.
var intervals = []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}

func (p *Page) intervalRow() *settingRow {
	r := newSettingRow("polling_interval", lang.L("Polling interval"), lang.L("Automatic: every 250 ms, or every second on battery or while you are away"))
	of := func(d time.Duration) widgets.Option {
		if d == 0 {
			return widgets.Option{Value: "", Label: lang.L("Automatic")}
		}
		return widgets.Option{Value: d.String(), Label: words.ShortDuration(d)}
	}
	options := []widgets.Option{of(0)}
	for _, d := range intervals {
		options = append(options, of(d))
	}
	p.choice(r, options, func(s Settings) widgets.Option { return of(s.PollingInterval) })
	return r
}

func (p *Page) udpRow() *settingRow {
	return p.toggle("udp", lang.L("UDP"), lang.L("Also show bound UDP sockets without a peer (UDP has no listening state)"), func(s Settings) bool { return s.UDP })
}

func (p *Page) allAddressesRow() *settingRow {
	return p.toggle("all_addresses", lang.L("Other addresses"), lang.L("Also show ports that cannot be reached through loopback"), func(s Settings) bool { return s.AllAddresses })
}

// terminalRow returns the row of the terminal in which programs are started again.
func (p *Page) terminalRow() *settingRow {
	r := newSettingRow("terminal", lang.L("Terminal"), lang.L("Where “Start again” runs a command. Automatic: in tmux or the terminal where it ran, else in that of the desktop. Another one, such as kitty -e, is set in the settings file."))
	options := []widgets.Option{{Value: "", Label: lang.L("Automatic")}, {Value: "none", Label: lang.L("None, output in a log")}}
	p.choice(r, options, func(s Settings) widgets.Option {
		if i := slices.IndexFunc(options, func(o widgets.Option) bool { return o.Value == s.Terminal }); i >= 0 {
			return options[i]
		}
		return widgets.Option{Value: s.Terminal, Label: s.Terminal} // set in the file
	})
	return r
}

// The limits of the history in the settings file, and their defaults.
const (
	maxHistoryDays, defaultDays     = 3650, 90
	maxHistoryEvents, defaultEvents = 1_000_000, 100_000
)

func (p *Page) daysRow() *settingRow {
	return p.number("history_days", lang.L("Days to keep"), lang.L("Older events are deleted"), maxHistoryDays, defaultDays, func(s Settings) int { return s.HistoryDays })
}

func (p *Page) eventsRow() *settingRow {
	return p.number("history_events", lang.L("Events to keep"), lang.L("The oldest events beyond this number are deleted"), maxHistoryEvents, defaultEvents, func(s Settings) int { return s.HistoryEvents })
}

// The limits of recorded traffic in the settings file in MB, and their defaults.
const (
	maxTrafficBody, defaultTrafficBody     = 64, 1
	maxTrafficMemory, defaultTrafficMemory = 2048, 64
)

func (p *Page) trafficBodyRow() *settingRow {
	return p.number("traffic_body", lang.L("MB of each body"), lang.L("Of larger bodies only the beginning is kept. Applies to recordings that start afterwards."), maxTrafficBody, defaultTrafficBody, func(s Settings) int { return s.TrafficBody })
}

func (p *Page) trafficMemoryRow() *settingRow {
	return p.number("traffic_memory", lang.L("MB of all bodies"), lang.L("A recording removes its oldest bodies beyond this size, and says so"), maxTrafficMemory, defaultTrafficMemory, func(s Settings) int { return s.TrafficMemory })
}

// KeySettingsFile is the key with which Page.ShowResult reports the result of OpenSettingsFile.
const KeySettingsFile = "settings_file"

// fileRow returns the row that opens the settings file.
func (p *Page) fileRow() *settingRow {
	r := newSettingRow(KeySettingsFile, lang.L("Settings file"), lang.L("Text with all settings, also those that are not on this page, such as commands of watches. Changes apply when you save."))
	p.action(r, lang.L("Open settings file"), p.actions.OpenSettingsFile)
	r.worksOffline = true
	return r
}

// KeyDiagnostics is the key with which Page.ShowResult reports the result of CopyDiagnostics.
const KeyDiagnostics = "diagnostics"

// diagnosticsRow returns the row that copies the diagnostics for a bug report.
func (p *Page) diagnosticsRow() *settingRow {
	r := newSettingRow(KeyDiagnostics, lang.L("Diagnostics"), lang.L("The output of “porthole doctor”: what works on this system. It contains no secrets."))
	r.doneText = lang.L("Copied")
	p.action(r, lang.L("Copy diagnostics"), p.actions.CopyDiagnostics)
	r.worksOffline = true
	return r
}
