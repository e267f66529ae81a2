// Package settings is the Settings page.
//
// Everything must be called on Fyne's goroutine.
package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
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
	// OpenSettingsFile opens the settings file in the user's editor and calls Page.ShowResult
	// with KeySettingsFile.
	OpenSettingsFile()
	DismissProblems() // the user has read the problems that are over
	StartAgent()      // starts an agent after the last one exited
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
	p := &Page{actions: actions, connected: true}
	p.warning = widgets.NewWarningBar(actions.StartAgent, func() { actions.DismissProblems(); p.Focus() })
	p.group(lang.L("Appearance"), p.themeRow(), p.trayIconRow(), p.zoomRow(), p.languageRow())
	p.group(lang.L("Startup"), p.atLoginRow(), p.startHiddenRow(), p.shortcutRow())
	p.group(lang.L("Notifications"), p.notificationsRow(), p.notifyOnRow(), p.newExposedRow(), p.quietHoursRow(), p.graceRow(),
		p.urgencyRow(), p.crashUrgencyRow(), p.expiryRow(), p.soundRow(), p.testRow())
	p.group(lang.L("Monitoring"), p.intervalRow(), p.udpRow(), p.allAddressesRow())
	p.group(lang.L("Start again"), p.terminalRow())
	p.group(lang.L("History"), p.daysRow(), p.eventsRow())
	p.group(lang.L("Traffic"), p.trafficBodyRow(), p.trafficMemoryRow())
	p.group(lang.L("About"), p.fileRow(), p.diagnosticsRow(), p.licencesRow())
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
// dismissible reports that some of them are over and can be dismissed.
func (p *Page) ShowProblems(problems []string, dismissible bool) {
	if p.warning.Show(problems, true, dismissible) {
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
