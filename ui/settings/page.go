// Package settings is the Settings page. All of it belongs to
// Fyne's goroutine.
package settings

import (
	"slices"
	"strconv"
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

// Actions is what the page asks of the program. It is called from Fyne's goroutine and must
// not wait.
type Actions interface {
	// Set gives a setting a value, as the settings file has it, or "" for the default. Page.SetSettings
	// and then Page.ShowResult are called with what became of it.
	Set(key, value string)
	ReloadSettings()   // reports settings that another program has changed
	TestNotification() // Page.ShowResult reports what became of it, with the key "test"
	// CopyDiagnostics copies what "porthole doctor" prints. Page.ShowResult reports what became of it,
	// with KeyDiagnostics.
	CopyDiagnostics()
	StartAgent() // starts an agent after the last one has ended
}

// Page shows what the user can choose. What they choose holds at once;
// the page shows what the agent says holds, and beside it why a choice does not.
type Page struct {
	actions Actions

	loaded, connected bool // the settings have come; the agent watches
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

// settingGroup is some rows in a frame under a heading.
type settingGroup struct {
	heading *widgets.Note
	frame   fyne.CanvasObject
	rows    []*settingRow
}

// New builds the page. version is the program's.
func New(actions Actions, version string) *Page {
	p := &Page{actions: actions, connected: true, warning: widgets.NewWarningBar(actions.StartAgent)}
	p.group(lang.L("Appearance"), p.themeRow(), p.trayIconRow(), p.languageRow())
	p.group(lang.L("Startup"), p.atLoginRow(), p.startHiddenRow())
	p.group(lang.L("Notifications"), p.notificationsRow(), p.soundRow(), p.testRow())
	p.group(lang.L("Monitoring"), p.intervalRow(), p.udpRow(), p.allAddressesRow())
	p.group(lang.L("History"), p.daysRow(), p.eventsRow())
	p.group(lang.L("About"), p.diagnosticsRow(), p.licencesRow())
	p.Content = p.layout(version)
	p.enable()
	return p
}

func (p *Page) group(heading string, rows ...*settingRow) {
	g := settingGroup{heading: widgets.NewNote(false), frame: widgets.NewFramedRectangle(uitheme.ColorPanel, theme.ColorNameSeparator), rows: rows}
	g.heading.Size(theme.SizeNameText)
	g.heading.Set(heading, table.ColorMuted)
	p.groups = append(p.groups, g)
	p.rows = append(p.rows, rows...)
}

// layout puts the page together: the groups in one column, and at the bottom
// what holds for all of them.
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

// ShowProblems says what is wrong, such as a settings file that cannot be used.
func (p *Page) ShowProblems(problems []string) {
	if p.warning.Show(problems, true) {
		widgets.Relayout(p.Content)
	}
}

// enable lets the controls be used while somebody takes what is chosen.
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

// SetSettings shows s where it is not what the user has chosen meanwhile.
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

// request asks for another value of a row.
func (p *Page) request(r *settingRow, value string) {
	r.pending++
	r.problem = ""
	p.showNote(r)
	p.actions.Set(r.key, value)
}

// ShowResult tells what became of what was asked. After the last answer the row
// shows what holds.
func (p *Page) ShowResult(key, problem string) {
	for _, r := range p.rows {
		if r.key != key {
			continue
		}
		r.pending = max(r.pending-1, 0) // the Ports page asks too
		r.problem = problem
		r.succeeded = r.pending == 0 && problem == ""
		if r.pending == 0 {
			r.show(p.settings)
		}
		p.showNote(r)
	}
}

// showNote shows what is to be said below the name of a row.
func (p *Page) showNote(r *settingRow) {
	if r.showNote() {
		p.column.Refresh()
	}
}

// OnShown is called when the page comes to be seen: what was said before is over.
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

// reloadSeconds is how often it is seen whether others changed what does not stand
// in the settings file, in seconds.
const reloadSeconds = 2

// Tick lets a second pass.
func (p *Page) Tick() {
	if p.Content.Visible() && p.connected {
		if p.seconds++; p.seconds%reloadSeconds == 0 {
			p.actions.ReloadSettings()
		}
	}
}

// Disconnect greys the page: nobody takes what is chosen.
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

// Focus gives the first setting the keyboard.
func (p *Page) Focus() {
	if o, ok := p.rows[0].focusTarget.(fyne.Focusable); ok {
		table.FocusOn(o)
	}
}

// reveal scrolls to a row that got the keyboard.
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

func (p *Page) trayIconRow() *settingRow {
	r := newSettingRow("tray_icon", lang.L("Tray icon"), lang.L("Outlined fits any panel, light fits dark panels, dark fits light panels"))
	p.segments(r, []option{{"", lang.L("Outlined")}, {"light", lang.L("Light")}, {"dark", lang.L("Dark")}}, func(s Settings) string { return s.TrayIcon })
	return r
}

// segments gives r its options beside each other, of which value is chosen.
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

// selectSegment chooses one of segments.
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

func (p *Page) soundRow() *settingRow {
	return p.toggle("sound", lang.L("Sound"), lang.L("Play the desktop's notification sound"), func(s Settings) bool { return s.Sound })
}

func (p *Page) testRow() *settingRow {
	r := newSettingRow("test", lang.L("Test"), lang.L("Check that this desktop shows notifications"))
	r.doneText = lang.L("Sent. If no notification appeared, the desktop may be in “Do not disturb” mode.")
	p.action(r, lang.L("Send test notification"), p.actions.TestNotification)
	return r
}

// diagnosticsRow copies what a report of a problem needs.
func (p *Page) diagnosticsRow() *settingRow {
	r := newSettingRow(KeyDiagnostics, lang.L("Diagnostics"), lang.L("The output of “porthole doctor”: what works on this system. It contains no secrets."))
	r.doneText = lang.L("Copied")
	p.action(r, lang.L("Copy diagnostics"), p.actions.CopyDiagnostics)
	r.worksOffline = true
	return r
}

// action gives r a button that asks for something, and for nothing more until that is
// answered.
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

// licencesRow returns the row with Porthole's licence and those of the modules in it.
func (p *Page) licencesRow() *settingRow {
	r := newSettingRow("licences", lang.L("Licences"), lang.L("MIT licence, © 2026 the Porthole authors; includes third-party software"))
	r.show = func(Settings) {}
	button := newSettingButton(lang.L("Show licences"), nil, func() { p.reveal(r) })
	button.OnTapped = func() { showLicences(button) }
	r.focusTarget, r.control, r.worksOffline = button, button, true
	return r
}

// intervals are those that can be chosen, as the settings file says them.
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
	return p.toggle("all_addresses", lang.L("Other addresses"), lang.L("Also show ports that are not reachable on loopback"), func(s Settings) bool { return s.AllAddresses })
}

// How much activity can be kept, as the settings file has it, and what is kept
// where nothing is chosen.
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

// toggle is a row whose setting is on or off.
func (p *Page) toggle(key, label, help string, of func(Settings) bool) *settingRow {
	r := newSettingRow(key, label, help)
	t := widgets.NewToggle(label, func(on bool) { p.request(r, strconv.FormatBool(on)) }, func() { p.reveal(r) })
	r.focusTarget, r.control = t, t
	r.show = func(s Settings) { t.Set(of(s)) }
	return r
}

// choice gives r a list of options. What holds is among them, whatever it is.
func (p *Page) choice(r *settingRow, options []option, of func(Settings) option) {
	c := newChoice(r.title.Segment.Text, options, func(value string) { p.request(r, value) }, func() { p.reveal(r) })
	r.focusTarget, r.control = c, container.NewStack(widgets.NewFramedRectangle(theme.ColorNameInputBackground, theme.ColorNameInputBorder),
		container.New(layout.NewCustomPaddedLayout(1, 1, 1, 1), c))
	r.show = func(s Settings) { c.selectOption(of(s)) }
}

// number is a row whose setting is a number from 1 to most.
func (p *Page) number(key, label, help string, most, usual int, of func(Settings) int) *settingRow {
	r := newSettingRow(key, label, help)
	e := newNumberEntry(label, most, usual, func(value string) { p.request(r, value) }, func(wrong, typed string) {
		r.problem, r.typingHint = wrong, typed
		p.showNote(r)
	}, func() { p.reveal(r) })
	r.focusTarget, r.control = e, e
	r.show = func(s Settings) { e.show(of(s)) }
	return r
}

// KeyDiagnostics is the key of CopyDiagnostics's answer.
const KeyDiagnostics = "diagnostics"

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
