// Package ui implements the user interface: the window, its pages and the process windows.
// Everything in it runs on Fyne's goroutine. It does not access disks, D-Bus or processes.
package ui

import (
	"cmp"
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/history"
	"porthole/ui/ports"
	"porthole/ui/process"
	"porthole/ui/settings"
	"porthole/ui/stop"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/traffic"
	"porthole/ui/watches"
	"porthole/ui/widgets"
)

// Window is Porthole's main window, with the process windows opened from it. All methods must be
// called on Fyne's goroutine.
type Window struct {
	// OnProbeRequest, if not nil, is called when ProbeRequest has changed.
	OnProbeRequest func()
	// OnProcessClosed, if not nil, is called when a process window has closed.
	OnProcessClosed func()
	// OnZoom, if not nil, changes the size of everything to a percentage.
	OnZoom func(percent int)
	// FitScreen reduces a window size to the size of the screen. If nil, sizes are not limited.
	FitScreen func(fyne.Size) fyne.Size

	app       fyne.App
	window    fyne.Window
	actions   Actions
	now       func() time.Time
	tabs      *widgets.Tabs
	ports     *ports.Page
	history   *history.Page
	store     History
	watches   *watches.Page
	settings  *settings.Page
	processes map[string]*process.Window
	traffic   map[string]*traffic.Window // by the listener's ID
	snapshot  monitor.Snapshot
	updated   bool // Update was called
	status    Status
	stopping  *stop.Dialog // the open stop dialog, or nil
	stale     bool         // the agent has disconnected
}

// Names of the pages, as used by Page and State.
const (
	PagePorts    = "ports"
	PageHistory  = "history"
	PageWatches  = "watches"
	PageSettings = "settings"
)

// keepFilter is how long a closed window keeps the text of its filter for the next one.
const keepFilter = 10 * time.Minute

// DefaultSize is the initial size of the window, in device-independent pixels.
var DefaultSize = fyne.NewSize(1180, 740)

// MinimumSize is the smallest size of the window, in device-independent pixels. All pages
// fit into it.
var MinimumSize = fyne.NewSize(480, 320)

// fixedMinimum is the layout of the window's content. Its minimum size does not depend on
// the content: whenever that of a window changes, Fyne (2.8.1) sets the last size it knows
// again, which undoes a resize in progress.
type fixedMinimum struct{}

// MinSize implements fyne.Layout.
func (fixedMinimum) MinSize([]fyne.CanvasObject) fyne.Size { return MinimumSize }

// Layout implements fyne.Layout.
func (fixedMinimum) Layout(o []fyne.CanvasObject, s fyne.Size) { o[0].Resize(s) }

// NewWindow creates the window; Show shows it. store is nil if no history is kept. now is the
// clock.
func NewWindow(app fyne.App, actions Actions, store History, now func() time.Time) *Window {
	w := &Window{app: app, actions: actions, store: store, now: now, processes: map[string]*process.Window{}, traffic: map[string]*traffic.Window{}}
	loaded := uitheme.LoadFonts()
	w.window = app.NewWindow("Porthole")
	<-loaded
	w.window.SetPadded(false)
	w.ports = ports.New(actions, store, now, ports.Callbacks{
		Open: w.OpenProcess,
		Stop: func(l *monitor.Listener) {
			w.askStop(w.window, l.Owners, []*monitor.Listener{l}, w.ports.Focus)
		},
		StopAll: func(listeners []*monitor.Listener) {
			w.askStop(w.window, ownersOf(listeners), listeners, w.ports.Focus)
		},
		Traffic:      w.OpenTraffic,
		Watches:      func() { w.tabs.Open(PageWatches) },
		ProbeChanged: w.probeChanged,
		Key:          w.key,
	})
	w.history = history.New(actions, store, now, w.window, history.Callbacks{ShowPort: w.ShowPort, Key: w.key})
	w.watches = watches.New(actions, now, w.key)
	w.settings = settings.New(actions, app.Metadata().Version)
	w.tabs = widgets.NewTabs(
		widgets.Tab{Name: PagePorts, Label: lang.L("Ports"), Content: w.ports.Content, Focus: w.ports.Focus},
		widgets.Tab{Name: PageHistory, Label: lang.L("History"), Content: w.history.Content, Focus: w.history.Focus, OnShown: w.history.OnShown},
		widgets.Tab{Name: PageWatches, Label: lang.L("Watches"), Content: w.watches.Content, Focus: w.watches.Focus, OnShown: w.watches.OnShown},
		widgets.Tab{Name: PageSettings, Label: lang.L("Settings"), Content: w.settings.Content, Focus: w.settings.Focus, OnShown: w.settings.OnShown},
	)
	w.window.SetContent(tooltip.Layer(container.New(fixedMinimum{}, w.tabs.Object)))
	w.tabs.Placed = true
	w.window.Resize(DefaultSize)
	w.window.SetMaster() // closing it ends the process, which frees all memory
	w.shortcuts()
	app.Settings().AddListener(func(fyne.Settings) { w.recolour() })
	return w
}

// Fyne returns the underlying Fyne window.
func (w *Window) Fyne() fyne.Window { return w.window }

// Page returns the name of the current page.
func (w *Window) Page() string { return w.tabs.Name() }

// OnPageChanged sets a function to call, on Fyne's goroutine, when another page is shown.
func (w *Window) OnPageChanged(do func()) { w.tabs.OnChange = do }

// Show shows the window and focuses the current page.
func (w *Window) Show() {
	w.tabs.Pages[w.tabs.Current].Focus() // before Show, which paints: the selected row is to be painted with the focus
	w.window.Show()
}

// Update shows the listeners and events of a monitor update.
func (w *Window) Update(u monitor.Update) {
	if w.updated && len(u.Events) == 0 && slices.Equal(u.Snapshot.Listeners, w.snapshot.Listeners) {
		return // nothing visible has changed
	}
	w.snapshot, w.updated = u.Snapshot, true
	w.ports.Update(u)
	w.history.Update(u)
	w.watches.Update(u.Snapshot)
	for _, p := range w.processes {
		p.Update(u)
	}
}

// HistoryAdded shows events of the history that come with no update: about clients.
func (w *Window) HistoryAdded() { w.history.LoadSoon() }

// SetStatus shows the status of the agent.
func (w *Window) SetStatus(s Status) {
	w.status = s
	w.setTheme(s.Settings.Theme)
	if w.OnZoom != nil {
		w.OnZoom(cmp.Or(s.Settings.Zoom, 100))
	}
	w.settings.SetSettings(s.Settings)
	w.settings.ShowProblems(s.Problems, s.CanDismiss)
	w.ports.SetStatus(s.ports())
	w.history.SetRules(s.Rules)
	w.watches.SetRules(s.Rules)
	w.watches.SetDefaultEvents(s.Settings.NotifyOn)
	w.watches.ShowProblems(s.Problems, s.CanDismiss)
}

// setTheme applies a theme to everything on the screen: "light", "dark", or "" for the system's.
func (w *Window) setTheme(theme string) {
	if w.app.Settings().Theme() != (uitheme.Theme{Fixed: theme}) {
		w.app.Settings().SetTheme(uitheme.Theme{Fixed: theme})
	}
}

// recolour gives what is not a widget the colours of a new theme, which the user or the desktop
// has chosen.
func (w *Window) recolour() {
	widgets.Recolour()
	w.Tick()
}

// ShowSettingResult shows the result of changing the setting key, or of the test notification
// ("test"). problem is a sentence; "" means success.
func (w *Window) ShowSettingResult(key, problem string) {
	w.settings.ShowResult(key, problem)
	if problem != "" && w.tabs.Name() != PageSettings {
		w.ShowNotice(problem)
	}
}

// Disconnect shows that the agent has disconnected and nothing is monitored any more.
func (w *Window) Disconnect() {
	w.stale = true
	w.ports.Disconnect()
	w.history.Disconnect()
	w.watches.Disconnect()
	w.settings.Disconnect()
	for _, p := range w.processes {
		p.Disconnect()
	}
}

// ShowNotice shows a sentence for some seconds in the status line and in the process windows: why
// something that the user asked for did not work.
func (w *Window) ShowNotice(sentence string) {
	w.ports.ShowNotice(sentence)
	for _, p := range w.processes {
		p.ShowNotice(sentence)
	}
}

// ShowPage shows the page of that name (see PagePorts). It ignores unknown names.
func (w *Window) ShowPage(name string) { w.tabs.Open(name) }

// ShowPort shows the row of port on the Ports page.
func (w *Window) ShowPort(port uint16) {
	w.tabs.Open(PagePorts)
	w.ports.ShowPort(port)
}

// Raise brings the window, which must be shown, to the front, and shows port if it is not 0. It does not call
// Show again: on X11, GLFW 3.4 then waits for an event that never comes if the window is on another workspace.
func (w *Window) Raise(port uint16) {
	w.window.RequestFocus()
	if port != 0 {
		w.ShowPort(port)
	}
}

// Tick updates everything that depends on the time: ages, marks of changed rows. It is called once
// a second.
func (w *Window) Tick() {
	w.ports.Tick()
	w.history.Tick()
	w.watches.Tick()
	w.settings.Tick()
	for _, p := range w.processes {
		p.Tick()
	}
	for _, t := range w.traffic {
		t.Tick()
	}
	if w.stopping != nil {
		w.stopping.Tick()
	}
}

// OpenProcess opens the process window of the owner of l, or raises it if it is open.
func (w *Window) OpenProcess(l *monitor.Listener) {
	key := process.Key(l)
	if p := w.processes[key]; p != nil {
		p.Fyne().Show()
		p.Fyne().RequestFocus()
		return
	}
	p := process.New(w.app, l, w.snapshot, w.actions, w.store, func() process.Context {
		return process.Context{User: w.status.User, System: w.status.System, RaisesWindows: w.status.RaisesWindows}
	}, w.now)
	window := p.Fyne()
	size := process.DefaultSize
	if w.FitScreen != nil {
		size = w.FitScreen(size)
	}
	window.Resize(size)
	w.processes[key] = p
	if w.stale {
		p.Disconnect()
	}
	p.SetTraffic(w.OpenTraffic)
	p.SetStop(func() {
		owners, listeners := p.StopTargets()
		w.askStop(window, owners, listeners, p.FocusStop)
	})
	window.SetOnClosed(func() {
		delete(w.processes, key)
		p.Closed()
		tooltip.Reset()
		if d := w.stopping; d != nil && d.Window() == window {
			d.Hide() // the result is not needed any more
		}
		// Fyne (2.8.1) keeps the textures of a closed window's texts forever, and the canvas with
		// them. It frees them when the window (not its canvas) gets new content.
		window.SetContent(canvas.NewRectangle(color.Transparent))
		if w.OnProcessClosed != nil {
			w.OnProcessClosed()
		}
	})
	window.Show()
	w.probeChanged()
}

// State returns the state that the next window restores.
func (w *Window) State() State {
	p, size := w.ports.State(), w.window.Canvas().Size()
	return State{
		Width: size.Width, Height: size.Height, Tab: w.tabs.Name(), Filter: p.Filter, Sort: p.Sort, Down: p.Down, Selected: p.Selected,
		Quick: p.Quick, Columns: p.Columns, Group: p.Group, Folded: p.Folded, Closed: w.now(), Explained: p.Explained,
	}
}

// Restore restores the state of an earlier window.
func (w *Window) Restore(s State) {
	if s.Width > 200 && s.Height > 150 && s.Width < 20000 && s.Height < 20000 {
		w.window.Resize(fyne.NewSize(s.Width, s.Height))
	}
	if !s.Closed.IsZero() && w.now().Sub(s.Closed) > keepFilter {
		s.Filter = "" // forgotten by now, it would hide most ports
	}
	w.ports.Restore(ports.State{
		Filter: s.Filter, Quick: s.Quick, Sort: s.Sort, Down: s.Down, Selected: s.Selected, Columns: s.Columns, Group: s.Group, Folded: s.Folded, Explained: s.Explained,
	})
	w.tabs.Open(s.Tab)
}

// key handles a key that no widget handled.
func (w *Window) key(e *fyne.KeyEvent) { w.window.Canvas().OnTypedKey()(e) }

func (w *Window) shortcuts() {
	canvas := w.window.Canvas()
	widgets.Bind(canvas, w.keys()...)
	w.bindUsualZoomKeys()
	canvas.SetOnTypedRune(func(r rune) {
		switch w.tabs.Name() {
		case PagePorts:
			w.ports.FilterField().Append(r)
		case PageHistory:
			w.history.FilterField().Append(r)
		case PageWatches:
			widgets.ShowKeysOn(canvas, r)
		}
	})
}
