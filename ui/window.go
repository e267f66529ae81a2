// Package ui is what is seen: the window, its pages, the process windows. All
// of it belongs to Fyne's goroutine; it knows no disk, no bus and no process.
package ui

import (
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/history"
	"porthole/ui/ports"
	"porthole/ui/process"
	"porthole/ui/settings"
	"porthole/ui/stop"
	uitheme "porthole/ui/theme"
	"porthole/ui/watches"
	"porthole/ui/widgets"
)

// Window is Porthole's window with the process windows that it opened.
type Window struct {
	// OnProbeRequest is called when Wanted has something new; nil at first.
	OnProbeRequest func()
	// OnProcessClosed is called when a process window has closed; nil at first.
	OnProcessClosed func()
	// FitScreen returns as much of a size as the screen has room for; nil at first, where
	// it has room for all.
	FitScreen func(fyne.Size) fyne.Size

	app       fyne.App
	window    fyne.Window
	actions   Actions
	now       func() time.Time
	tabs      *widgets.Tabs
	ports     *ports.Page
	history   *history.Page
	memory    History
	watches   *watches.Page
	settings  *settings.Page
	processes map[string]*process.Window
	snapshot  monitor.Snapshot
	updated   bool // there was a snapshot
	status    Status
	stopping  *stop.Dialog // that is open
	stale     bool         // nobody watches any more
}

// The names of the pages, as Page and State have them.
const (
	PagePorts    = "ports"
	PageHistory  = "history"
	PageWatches  = "watches"
	PageSettings = "settings"
)

// DefaultSize is the window's size at first.
var DefaultSize = fyne.NewSize(1180, 740)

// NewWindow builds the window, which Show shows. memory is nil where nothing is
// kept; now is the clock.
func NewWindow(app fyne.App, actions Actions, memory History, now func() time.Time) *Window {
	w := &Window{app: app, actions: actions, memory: memory, now: now, processes: map[string]*process.Window{}}
	read := uitheme.LoadFonts()
	w.window = app.NewWindow("Porthole")
	<-read
	w.window.SetPadded(false)
	w.ports = ports.New(actions, memory, now, ports.Callbacks{
		Open: w.OpenProcess,
		Stop: func(l *monitor.Listener) {
			w.askStop(w.window, l.Owners, []*monitor.Listener{l}, w.ports.Focus)
		},
		Watches:      func() { w.tabs.Open(PageWatches) },
		ProbeChanged: w.probeChanged,
		Key:          w.key,
	})
	w.history = history.New(actions, memory, now, w.window, history.Callbacks{ShowPort: w.ShowPort, Key: w.key})
	w.watches = watches.New(actions, now, w.key)
	w.settings = settings.New(actions, app.Metadata().Version)
	w.tabs = widgets.NewTabs(
		widgets.Tab{Name: PagePorts, Label: lang.L("Ports"), Content: w.ports.Content, Focus: w.ports.Focus},
		widgets.Tab{Name: PageHistory, Label: lang.L("History"), Content: w.history.Content, Focus: w.history.Focus, OnShown: w.history.OnShown},
		widgets.Tab{Name: PageWatches, Label: lang.L("Watches"), Content: w.watches.Content, Focus: w.watches.Focus, OnShown: w.watches.OnShown},
		widgets.Tab{Name: PageSettings, Label: lang.L("Settings"), Content: w.settings.Content, Focus: w.settings.Focus, OnShown: w.settings.OnShown},
	)
	w.window.SetContent(w.tabs.Object)
	w.tabs.Placed = true
	w.window.Resize(DefaultSize)
	w.window.SetMaster() // closing it ends the process, and all is given back
	w.shortcuts()
	return w
}

// Fyne returns Fyne's window.
func (w *Window) Fyne() fyne.Window { return w.window }

// Page names the page that is shown.
func (w *Window) Page() string { return w.tabs.Name() }

// OnPageChanged lets do be called, on Fyne's goroutine, when another page is shown.
func (w *Window) OnPageChanged(do func()) { w.tabs.OnChange = do }

// Show shows the window with the keyboard in its page.
func (w *Window) Show() {
	w.tabs.Pages[w.tabs.Current].Focus() // first: Show paints, and is to paint the selected row
	w.window.Show()
}

// Update shows what the monitor saw.
func (w *Window) Update(u monitor.Update) {
	if w.updated && len(u.Events) == 0 && slices.Equal(u.Snapshot.Listeners, w.snapshot.Listeners) {
		return // nothing that anyone could see
	}
	w.snapshot, w.updated = u.Snapshot, true
	w.ports.Update(u)
	w.history.Update(u)
	w.watches.Update(u.Snapshot)
	for _, p := range w.processes {
		p.Update(u.Snapshot)
	}
}

// SetStatus shows what the agent says of itself.
func (w *Window) SetStatus(s Status) {
	w.status = s
	w.setTheme(s.Settings.Theme)
	w.settings.SetSettings(s.Settings)
	w.settings.ShowProblems(s.Problems)
	w.ports.SetStatus(s.ports())
	w.history.SetRules(s.Rules)
	w.watches.SetRules(s.Rules)
}

// setTheme lets everything that is shown look as theme says: "light", "dark",
// or as the system where it is "".
func (w *Window) setTheme(theme string) {
	if w.app.Settings().Theme() != (uitheme.Theme{Fixed: theme}) {
		w.app.Settings().SetTheme(uitheme.Theme{Fixed: theme})
		w.Tick() // what is drawn rather than a widget takes its colours anew
	}
}

// ShowSettingResult tells what became of a setting that was asked for, or of the test
// notification ("test"): problem is a sentence, "" where it was done.
func (w *Window) ShowSettingResult(key, problem string) {
	w.settings.ShowResult(key, problem)
	if problem != "" && w.tabs.Name() != PageSettings {
		w.ShowNotice(problem)
	}
}

// Disconnect says that nobody watches any more.
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

// ShowNotice shows a sentence in the status line, and in the windows of processes, for
// some seconds: what the user asked for did not work.
func (w *Window) ShowNotice(sentence string) {
	w.ports.ShowNotice(sentence)
	for _, p := range w.processes {
		p.ShowNotice(sentence)
	}
}

// ShowPage shows the page of that name, as State calls it, where there is one.
func (w *Window) ShowPage(name string) { w.tabs.Open(name) }

// ShowPort shows the row of port.
func (w *Window) ShowPort(port uint16) {
	w.tabs.Open(PagePorts)
	w.ports.ShowPort(port)
}

// Raise brings the window to the front, at port where that is not 0.
func (w *Window) Raise(port uint16) {
	w.window.Show()
	w.window.RequestFocus()
	if port != 0 {
		w.ShowPort(port)
	}
}

// Tick lets a second pass: ages grow, marks end.
func (w *Window) Tick() {
	w.ports.Tick()
	w.history.Tick()
	w.watches.Tick()
	w.settings.Tick()
	for _, p := range w.processes {
		p.Tick()
	}
	if w.stopping != nil {
		w.stopping.Tick()
	}
}

// OpenProcess opens the window of the process that has l, or raises it.
func (w *Window) OpenProcess(l *monitor.Listener) {
	key := process.Key(l)
	if p := w.processes[key]; p != nil {
		p.Fyne().Show()
		p.Fyne().RequestFocus()
		return
	}
	p := process.New(w.app, l, w.snapshot, w.actions, w.memory, func() process.Context {
		return process.Context{User: w.status.User, System: w.status.System}
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
	p.SetStop(func() {
		owners, listeners := p.StopTargets()
		w.askStop(window, owners, listeners, p.FocusStop)
	})
	window.SetOnClosed(func() {
		delete(w.processes, key)
		p.Closed()
		if d := w.stopping; d != nil && d.Window() == window {
			d.Hide() // nothing is waited for any more
		}
		// Fyne (2.8.1) keeps the textures of a closed window's texts for ever, and with
		// them its canvas. It gives them back where the window, unlike its canvas, gets
		// another content.
		window.SetContent(canvas.NewRectangle(color.Transparent))
		if w.OnProcessClosed != nil {
			w.OnProcessClosed()
		}
	})
	window.Show()
	w.probeChanged()
}

// State is what the next window should begin with.
func (w *Window) State() State {
	p, size := w.ports.State(), w.window.Canvas().Size()
	return State{
		Width: size.Width, Height: size.Height, Tab: w.tabs.Name(), Filter: p.Filter, Sort: p.Sort, Down: p.Down, Selected: p.Selected,
		Quick: p.Quick, Columns: p.Columns, Grouped: p.Grouped, Explained: p.Explained,
	}
}

// Restore begins as the window before ended.
func (w *Window) Restore(s State) {
	if s.Width > 200 && s.Height > 150 && s.Width < 20000 && s.Height < 20000 {
		w.window.Resize(fyne.NewSize(s.Width, s.Height))
	}
	w.ports.Restore(ports.State{
		Filter: s.Filter, Quick: s.Quick, Sort: s.Sort, Down: s.Down, Selected: s.Selected, Columns: s.Columns, Grouped: s.Grouped, Explained: s.Explained,
	})
	w.tabs.Open(s.Tab)
}

// key is a key that no widget has a use for.
func (w *Window) key(e *fyne.KeyEvent) { w.window.Canvas().OnTypedKey()(e) }

func (w *Window) shortcuts() {
	canvas := w.window.Canvas()
	widgets.Bind(canvas, w.keys()...)
	canvas.SetOnTypedRune(func(r rune) {
		switch w.tabs.Name() {
		case PagePorts:
			w.ports.FilterField().Take(r)
		case PageHistory:
			w.history.FilterField().Take(r)
		case PageWatches:
			widgets.ShowKeysOn(canvas, r)
		}
	})
}
