// Package settings is the Settings page.
//
// Everything must be called on Fyne's goroutine.
package settings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/assets"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Actions are the requests that the page sends to the program. The methods are called
// on Fyne's goroutine and must not block.
type Actions interface {
	// Set changes a setting. The value is in the format of the settings file, "" for the default. The
	// program then calls Page.SetSettings and Page.ShowResult.
	Set(key, value string)
	ReloadSettings()   // calls Page.SetSettings with settings that another program changed
	TestNotification() // sends a notification; calls Page.ShowResult with the key "test"
	// CopyDiagnostics copies the output of "porthole doctor" and calls Page.ShowResult with
	// KeyDiagnostics.
	CopyDiagnostics()
	StartAgent() // starts an agent after the last one exited
}

// Page shows the settings. A change applies immediately. The page shows the values that
// the agent reports, and the reason if a change failed. Create it with New.
type Page struct {
	actions Actions

	loaded, connected bool // whether the settings have been loaded; whether an agent is running
	settings          Settings
	groups            []settingGroup
	rows              []*settingRow // of all groups
	seconds           int           // since the page was last shown

	scroll  *container.Scroll
	column  *settingColumn
	hint    *widgets.Note
	warning *widgets.WarningBar
	Content *fyne.Container
}

// settingGroup is a framed group of rows with a heading.
type settingGroup struct {
	heading *widgets.Note
	frame   fyne.CanvasObject
	rows    []*settingRow
}

// New returns the page. version is the version of the program.
func New(actions Actions, version string) *Page {
	p := &Page{actions: actions, connected: true, warning: widgets.NewWarningBar(actions.StartAgent)}
	p.group(lang.L("Appearance"), p.themeRow(), p.trayIconRow(), p.zoomRow(), p.languageRow())
	p.group(lang.L("Startup"), p.atLoginRow(), p.startHiddenRow())
	p.group(lang.L("Notifications"), p.notificationsRow(), p.newExposedRow(), p.quietHoursRow(), p.soundRow(), p.testRow())
	p.group(lang.L("Monitoring"), p.intervalRow(), p.udpRow(), p.allAddressesRow())
	p.group(lang.L("History"), p.daysRow(), p.eventsRow())
	p.group(lang.L("About"), p.diagnosticsRow(), p.licencesRow())
	p.Content = p.layout(version)
	p.enable()
	return p
}

// group adds a group of rows.
func (p *Page) group(heading string, rows ...*settingRow) {
	g := settingGroup{heading: widgets.NewNote(false), frame: widgets.NewFramedRectangle(uitheme.ColorPanel, theme.ColorNameSeparator), rows: rows}
	g.heading.Size(theme.SizeNameText)
	g.heading.Set(heading, table.ColorMuted)
	p.groups = append(p.groups, g)
	p.rows = append(p.rows, rows...)
}

// layout returns the page's content: the groups in one column, and at the bottom a hint
// that concerns all of them, with the version.
func (p *Page) layout(version string) *fyne.Container {
	p.column = newSettingColumn(p.groups)
	p.scroll = container.NewVScroll(p.column.object)
	p.column.changed = p.scroll.Refresh
	p.hint = widgets.NewNote(false)
	about := widgets.NewNote(false).WithoutEllipsis()
	about.Set(lang.L("Porthole {{.Version}}", map[string]any{"Version": version}), table.ColorMuted)
	foot := container.NewBorder(nil, nil, nil, about.Object, p.hint.Object)
	bottom := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(foot, 4))
	return container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(0), p.warning.Object), p.scroll, bottom)
}

// ShowProblems shows problems, such as a settings file that cannot be read.
func (p *Page) ShowProblems(problems []string) {
	if p.warning.Show(problems, true) {
		widgets.Relayout(p.Content)
	}
}

// enable enables the controls if the settings are loaded and an agent can apply changes.
func (p *Page) enable() {
	for _, r := range p.rows {
		r.enable(p.loaded && p.connected)
	}
	if p.connected {
		p.hint.Set(lang.L("Changes apply immediately and are saved in the settings file"), table.ColorMuted)
		return
	}
	p.hint.Set(lang.L("Porthole has stopped monitoring. This is the last known state."), uitheme.ColorAlert)
}

// SetSettings shows s, except for rows that the user has changed and that await an answer.
func (p *Page) SetSettings(s Settings) {
	if p.loaded && s == p.settings {
		return
	}
	p.settings = s
	if !p.loaded {
		p.loaded = true
		p.enable()
	}
	for _, r := range p.rows {
		if r.pending == 0 {
			r.show(s)
		}
	}
}

// request requests a new value for a row.
func (p *Page) request(r *settingRow, value string) {
	r.pending++
	r.problem = ""
	p.showNote(r)
	p.actions.Set(r.key, value)
}

// ShowResult reports that a request for key succeeded, or the problem if it failed. After
// the last answer the row shows the value that applies.
func (p *Page) ShowResult(key, problem string) {
	for _, r := range p.rows {
		if r.key != key {
			continue
		}
		r.pending = max(r.pending-1, 0) // the Ports page sends requests, too
		r.problem = problem
		r.succeeded = r.pending == 0 && problem == ""
		if r.pending == 0 {
			r.show(p.settings)
		}
		p.showNote(r)
	}
}

// showNote updates the note below the name of a row.
func (p *Page) showNote(r *settingRow) {
	if r.showNote() {
		p.column.Refresh()
	}
}

// OnShown must be called when the page becomes visible. It discards old results and
// unfinished input.
func (p *Page) OnShown() {
	p.seconds = 0
	p.actions.ReloadSettings()
	for _, r := range p.rows {
		r.problem, r.typingHint, r.succeeded = "", "", false
		if e, ok := r.focusTarget.(*numberEntry); ok {
			e.restore()
		}
		p.showNote(r)
	}
}

// reloadSeconds is the interval, in seconds, for reloading settings that are stored
// outside the settings file, which other programs can change.
const reloadSeconds = 2

// Tick must be called every second. It reloads the settings while the page is visible.
func (p *Page) Tick() {
	if p.Content.Visible() && p.connected {
		if p.seconds++; p.seconds%reloadSeconds == 0 {
			p.actions.ReloadSettings()
		}
	}
}

// Disconnect disables the page, because no agent can apply changes.
func (p *Page) Disconnect() {
	p.connected = false
	for _, r := range p.rows {
		r.pending = 0
		if p.loaded {
			r.show(p.settings)
		}
	}
	p.enable()
}

// Focus focuses the first setting.
func (p *Page) Focus() {
	if o, ok := p.rows[0].focusTarget.(fyne.Focusable); ok {
		table.FocusOn(o)
	}
}

// reveal scrolls to a row that gained the keyboard focus.
func (p *Page) reveal(r *settingRow) {
	top, bottom, height := r.top, r.top+r.height, p.scroll.Size().Height
	offset := p.scroll.Offset
	switch {
	case top < offset.Y:
		offset.Y = top
	case bottom > offset.Y+height:
		offset.Y = bottom - height
	default:
		return
	}
	p.scroll.ScrollToOffset(offset)
}

func (p *Page) themeRow() *settingRow {
	r := newSettingRow("theme", lang.L("Theme"), "")
	p.segments(r, []option{{"", lang.L("System")}, {"light", lang.L("Light")}, {"dark", lang.L("Dark")}}, func(s Settings) string { return s.Theme })
	return r
}

// ZoomSteps are the zooms in percent that the page and the keys offer. Fyne rounds to tenths.
var ZoomSteps = []int{80, 90, 100, 110, 120, 130, 150, 170, 200}

// NextZoom returns the next step from a zoom in a direction, 1 or -1.
func NextZoom(zoom, direction int) int {
	next := zoom
	for _, step := range ZoomSteps {
		if direction > 0 && step > zoom {
			return step
		}
		if direction < 0 && step < zoom {
			next = step
		}
	}
	return next
}

// ZoomValue returns a zoom as the value of its setting; "" for the default.
func ZoomValue(zoom int) string {
	if zoom == 100 {
		return ""
	}
	return strconv.Itoa(zoom)
}

func (p *Page) zoomRow() *settingRow {
	keys := widgets.ZoomInKeys.String() + ", " + widgets.ZoomOutKeys.String() + ", " + widgets.ZoomResetKeys.String()
	r := newSettingRow("zoom", lang.L("Zoom"), lang.L("Size of everything in the window; also with {{.Keys}}", map[string]any{"Keys": keys}))
	var options []option
	for _, step := range ZoomSteps {
		options = append(options, option{ZoomValue(step), strconv.Itoa(step) + " %"})
	}
	p.choice(r, options, func(s Settings) option {
		zoom := cmp.Or(s.Zoom, 100)
		return option{ZoomValue(zoom), strconv.Itoa(zoom) + " %"}
	})
	return r
}

func (p *Page) trayIconRow() *settingRow {
	r := newSettingRow("tray_icon", lang.L("Tray icon"), lang.L("Outlined fits any panel, light fits dark panels, dark fits light panels"))
	p.segments(r, []option{{"", lang.L("Outlined")}, {"light", lang.L("Light")}, {"dark", lang.L("Dark")}}, func(s Settings) string { return s.TrayIcon })
	return r
}

// segments gives r segments for its options; value returns the selected one.
func (p *Page) segments(r *settingRow, options []option, value func(Settings) string) {
	var segments []*widgets.Segment
	for i, o := range options {
		s := widgets.NewSegment(o.label, func() {
			if r.enabled {
				selectSegment(segments, i)
				p.request(r, o.value)
			}
		})
		paint := s.Changed
		s.Changed = func() {
			paint()
			if s.Focused {
				p.reveal(r)
			}
		}
		segments = append(segments, s)
	}
	r.focusTarget, r.control = segments[0], widgets.NewSegmentBar(segments...)
	r.show = func(s Settings) {
		i := max(slices.IndexFunc(options, func(o option) bool { return o.value == value(s) }), 0)
		selectSegment(segments, i)
		r.focusTarget = segments[i]
	}
}

// selectSegment shows one of segments as selected.
func selectSegment(segments []*widgets.Segment, chosen int) {
	for i, s := range segments {
		s.Choose(i == chosen)
	}
}

func (p *Page) languageRow() *settingRow {
	r := newSettingRow("language", lang.L("Language"), lang.L("Porthole restarts in the selected language"))
	options := []option{{"", lang.L("System")}}
	for _, code := range assets.Languages() {
		options = append(options, option{code, words.LanguageName(code)})
	}
	p.choice(r, options, func(s Settings) option { return option{s.Language, words.LanguageName(s.Language)} })
	return r
}

func (p *Page) atLoginRow() *settingRow {
	return p.toggle("start_at_login", lang.L("Start at login"), lang.L("Show only the tray icon, not the window"), func(s Settings) bool { return s.StartAtLogin })
}

func (p *Page) startHiddenRow() *settingRow {
	return p.toggle("start_hidden", lang.L("Start hidden"), lang.L("Show only the tray icon at startup; start Porthole again to open the window"), func(s Settings) bool { return s.StartHidden })
}

func (p *Page) notificationsRow() *settingRow {
	return p.toggle("notifications", lang.L("Notifications"), lang.L("Notify you about events of watched ports; the table, tray and history always show them"), func(s Settings) bool { return s.Notifications })
}

func (p *Page) newExposedRow() *settingRow {
	return p.toggle("new_exposed", lang.L("Anything newly exposed"), lang.L("Notify you about every server that becomes reachable from the network, watched or not; what is reachable during the first day is familiar"), func(s Settings) bool { return s.NewExposed })
}

func (p *Page) quietHoursRow() *settingRow {
	r := newSettingRow("quiet_hours", lang.L("Quiet hours"), lang.L("Notifications wait until these hours end, except those of urgent watches"))
	options := []option{{"", lang.L("None")}}
	for _, hours := range []string{"20:00-08:00", "22:00-07:00", "00:00-06:00"} {
		options = append(options, option{hours, strings.ReplaceAll(hours, "-", "–")})
	}
	p.choice(r, options, func(s Settings) option {
		if s.QuietHours == "" {
			return options[0]
		}
		return option{s.QuietHours, strings.ReplaceAll(s.QuietHours, "-", "–")}
	})
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

// diagnosticsRow returns the row that copies the diagnostics for a bug report.
func (p *Page) diagnosticsRow() *settingRow {
	r := newSettingRow(KeyDiagnostics, lang.L("Diagnostics"), lang.L("The output of “porthole doctor”: what works on this system. It contains no secrets."))
	r.doneText = lang.L("Copied")
	p.action(r, lang.L("Copy diagnostics"), p.actions.CopyDiagnostics)
	r.worksOffline = true
	return r
}

// action gives r a button that runs do. While an answer is pending, the button does nothing.
func (p *Page) action(r *settingRow, label string, do func()) {
	button := newSettingButton(label, func() {
		if r.pending == 0 {
			r.pending, r.problem, r.succeeded = 1, "", false
			p.showNote(r)
			do()
		}
	}, func() { p.reveal(r) })
	r.focusTarget, r.control = button, button
	r.show = func(Settings) {}
}

// licencesRow returns the row with Porthole's licence and those of its modules.
func (p *Page) licencesRow() *settingRow {
	r := newSettingRow("licences", lang.L("Licences"), lang.L("MIT licence, © 2026 the Porthole authors; includes third-party software"))
	r.show = func(Settings) {}
	button := newSettingButton(lang.L("Show licences"), nil, func() { p.reveal(r) })
	button.OnTapped = func() { showLicences(button) }
	r.focusTarget, r.control, r.worksOffline = button, button, true
	return r
}

// intervals are the polling intervals that can be selected.
var intervals = []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}

func (p *Page) intervalRow() *settingRow {
	r := newSettingRow("polling_interval", lang.L("Polling interval"), lang.L("Automatic: every 250 ms, or every second on battery or while you are away"))
	of := func(d time.Duration) option {
		if d == 0 {
			return option{"", lang.L("Automatic")}
		}
		return option{d.String(), words.ShortDuration(d)}
	}
	options := []option{of(0)}
	for _, d := range intervals {
		options = append(options, of(d))
	}
	p.choice(r, options, func(s Settings) option { return of(s.PollingInterval) })
	return r
}

func (p *Page) udpRow() *settingRow {
	return p.toggle("udp", lang.L("UDP"), lang.L("Also show bound UDP sockets without a peer (UDP has no listening state)"), func(s Settings) bool { return s.UDP })
}

func (p *Page) allAddressesRow() *settingRow {
	return p.toggle("all_addresses", lang.L("Other addresses"), lang.L("Also show ports that cannot be reached through loopback"), func(s Settings) bool { return s.AllAddresses })
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

// toggle returns a row whose setting is on or off.
func (p *Page) toggle(key, label, help string, of func(Settings) bool) *settingRow {
	r := newSettingRow(key, label, help)
	t := widgets.NewToggle(label, func(on bool) { p.request(r, strconv.FormatBool(on)) }, func() { p.reveal(r) })
	r.focusTarget, r.control = t, t
	r.show = func(s Settings) { t.Set(of(s)) }
	return r
}

// choice gives r a list of options. It also lists the current value if that is another one.
func (p *Page) choice(r *settingRow, options []option, of func(Settings) option) {
	c := newChoice(r.title.Segment.Text, options, func(value string) { p.request(r, value) }, func() { p.reveal(r) })
	r.focusTarget, r.control = c, container.NewStack(widgets.NewFramedRectangle(theme.ColorNameInputBackground, theme.ColorNameInputBorder),
		container.New(layout.NewCustomPaddedLayout(1, 1, 1, 1), c))
	r.show = func(s Settings) { c.selectOption(of(s)) }
}

// number returns a row whose setting is a number from 1 to maximum. usual is the default.
func (p *Page) number(key, label, help string, maximum, usual int, of func(Settings) int) *settingRow {
	r := newSettingRow(key, label, help)
	e := newNumberEntry(label, maximum, usual, func(value string) { p.request(r, value) }, func(wrong, hint string) {
		r.problem, r.typingHint = wrong, hint
		p.showNote(r)
	}, func() { p.reveal(r) })
	r.focusTarget, r.control = e, e
	r.show = func(s Settings) { e.show(of(s)) }
	return r
}

// KeyDiagnostics is the key with which Page.ShowResult reports the result of CopyDiagnostics.
const KeyDiagnostics = "diagnostics"

// Settings are the values that apply: the user's, or the defaults.
type Settings struct {
	Theme           string // "light" or "dark"; "" to follow the system
	Zoom            int    // in percent; 0 for 100
	TrayIcon        string // "light" or "dark"; "" for outlined
	Language        string // like "en"; "" to follow the system
	StartAtLogin    bool   // start Porthole with the session
	StartHidden     bool   // show only the tray icon at startup
	Notifications   bool
	NewExposed      bool          // notify about everything newly exposed
	QuietHours      string        // like "22:00-07:00"; "" for none
	Sound           bool          // play a sound with notifications
	PollingInterval time.Duration // 0 for automatic
	UDP             bool
	AllAddresses    bool // also show ports that are not reachable on loopback
	HistoryDays     int  // days to keep events; 0 for the default
	HistoryEvents   int  // number of events to keep; 0 for the default
}
