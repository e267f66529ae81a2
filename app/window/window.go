//go:build cgo

// Package window implements the window process. It connects package ui with the
// agent and is the only package that calls into Fyne's goroutine from others.
package window

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver"

	"porthole/app/agent"
	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/paths"
	"porthole/assets"
	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/socket"
	"porthole/monitor/traffic"
	"porthole/monitor/username"
	"porthole/ui"
	"porthole/ui/settings"
	"porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/words"
)

// How long the window waits for the agent's first messages before it is shown. The agent
// sends the state of the last window and its own as soon as the window has connected; a
// window that restores its size after its first frame may lose it again: Fyne (2.8.1) sets
// the size it knew before that frame.
const (
	stateWait    = 2 * time.Second
	snapshotWait = 200 * time.Millisecond
)

// freeMemoryDelay is the time from closing a process window to returning its memory to
// the system. Fyne caches objects for 15 s and then until the next repaint, which
// happens every minute because rows show their age.
const freeMemoryDelay = 90 * time.Second

// startupGCPercent is the GC percentage (debug.SetGCPercent) while the window starts,
// which allocates 25 MB of garbage, mostly for fonts and translations: 2 collections
// instead of 6 on a CPU that the window system needs too.
const startupGCPercent = 400

// Built reports whether this build includes the window.
const Built = true

// Run shows the window until the user or the agent closes it or ctx ends. It must be
// called on the main goroutine. It returns the exit status for the agent (see
// agent.ExitNoGL and the others) and writes errors to stderr, which the agent reads.
func Run(ctx context.Context, dir ipc.RuntimeDir, o Options, stderr io.Writer) (status int) {
	if err := desktop.Current().CheckDisplay(); err != nil {
		_, _ = fmt.Fprintln(stderr, "porthole window:", err) // there is no other place to report it
		return agent.ExitNoDisplay
	}
	if err := choosePlatform(); err != nil {
		_, _ = fmt.Fprintln(stderr, "porthole window:", err)
		return agent.ExitRefused
	}
	client, err := ipc.Connect(dir)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "porthole window:", err)
		return 1
	}
	// stderr is a pipe to the agent. If the agent has died, writing to it must not end
	// this process, whose window reports that to the user.
	signal.Ignore(syscall.SIGPIPE)
	paths.NameProcess()
	createCacheDir()
	p := &program{client: client, version: o.Version, size: ui.DefaultSize, idle: newIdle(), log: slog.New(slog.NewTextHandler(stderr, nil))}
	defer func() {
		if r := recover(); r != nil {
			status = p.handlePanic(r)
		}
	}()
	return p.run(ctx, o)
}

// program is the running window process. Its flags belong to Fyne's goroutine.
type program struct {
	client      *ipc.Client
	log         *slog.Logger
	app         fyne.App
	window      *ui.Window
	connected   bool      // to the agent
	shown       bool      // the window is open
	wayland     bool      // it is on Wayland
	loopEnded   bool      // Fyne's loop and GLFW have ended
	focused     bool      // the window has the focus, as far as known
	hasSnapshot bool      // a snapshot has been received
	hasStatus   bool      // the agent's status has been received, and before it the state of the last window
	size        fyne.Size // of the window, as far as it fits on the screen
	// restorePosition is where the window is moved when it is shown; nil: where the desktop puts it.
	restorePosition *ui.Position
	stateSent       bool     // sendState was called
	keptState       ui.State // was sent last with ipc.KeepState, without its time
	sharpener       sharpener
	idle            *idle
	status          int             // exit status
	ctx             context.Context // ends with the window
	work            sync.WaitGroup  // goroutines of actions
	asking          sync.Mutex      // held while a port is asked what answers there
	closeTryPage    func()          // closes the page that OpenTryPage opened; nil if there is none

	version string
	limits  traffic.Limits // of recordings of traffic

	doing sync.Mutex // guards ended, and fyne.Do against the end of Fyne's loop
	ended bool       // Fyne's loop has ended
}

// do runs f on Fyne's goroutine. It drops f once Fyne's loop has ended, because Fyne
// would then run it on the caller's goroutine, concurrently with others.
func (p *program) do(f func()) {
	p.doing.Lock()
	defer p.doing.Unlock()
	if !p.ended {
		p.idle.do(f, fyne.Do)
	}
}

func (p *program) run(ctx context.Context, o Options) int {
	defaultGCPercent := debug.SetGCPercent(startupGCPercent)
	_ = os.Unsetenv("FYNE_CACHE") // Fyne has read it, and child processes must not inherit it
	token := desktop.TakeActivationToken()
	app.SetMetadata(fyne.AppMetadata{ID: paths.AppID, Name: "Porthole", Version: o.Version,
		Migrations: map[string]bool{"fyneDo": !checkGoroutine}})
	if err := words.SetUpLanguage(o.Language); err != nil {
		p.log.Warn("can't load the translations", "error", err)
	}
	p.app = app.NewWithID(paths.AppID)
	p.app.Settings().SetTheme(theme.Theme{Fixed: o.Theme})
	p.app.SetIcon(fyne.NewStaticResource("porthole.png", assets.WindowIcon()))
	end := ctx
	ctx, cancel := context.WithCancel(context.WithoutCancel(end)) // ends after the window has sent its state
	defer cancel()
	p.ctx = ctx
	messages := make(chan func())
	go p.listen(ctx, messages)
	history := openHistory(ctx, p.do, p.log)
	tooltip.After = func(d time.Duration, do func()) func() {
		timer := time.AfterFunc(d, func() { p.do(do) })
		return func() { timer.Stop() }
	}
	p.window = ui.NewWindow(p.app, actions{p}, history, time.Now)
	setWindowClass()
	p.window.OnZoom = newZoom(p).apply
	p.connected = true
	p.window.Fyne().SetCloseIntercept(p.close)
	p.handleInitial(messages)
	p.wayland = onWayland()
	p.fit() // compositors of Wayland keep the first size
	p.window.Show()
	debug.SetGCPercent(defaultGCPercent)
	if !hasNativeWindow(p.window.Fyne()) {
		p.log.Error("can't open a window: OpenGL does not work")
		return agent.ExitNoGL
	}
	p.shown = true
	if token != "" { // the user's click opened it
		p.activate(token)
		p.raiseX11(token)
	}
	p.fit() // Fyne finds the scale for X11 when it shows the window
	p.moveTo(p.restorePosition)
	p.sharpenSoon()
	p.focused = true // not every window manager reports the focus of a new window
	p.reportPage()
	p.app.Lifecycle().SetOnEnteredForeground(func() { p.focused = true; p.sharpen(); p.sharpenSoon(); p.reportPage() })
	p.app.Lifecycle().SetOnExitedForeground(func() { p.focused = false; p.send(ipc.Message{Kind: ipc.Unfocused}) })
	p.window.OnPageChanged(p.reportPage)
	p.window.FitScreen = p.fitToScreen

	listening := make(chan struct{})
	go func() {
		defer close(listening)
		for f := range messages {
			p.do(f)
		}
	}()
	nudge := make(chan struct{}, 1)
	p.window.OnProbeRequest = func() {
		select {
		case nudge <- struct{}{}:
		default: // one is pending
		}
	}
	p.work.Go(func() { p.runProber(ctx, nudge) })
	p.work.Go(func() { p.keepState(ctx) })
	p.work.Go(func() { p.runIdle(ctx) })
	freeMemory := time.AfterFunc(freeMemoryDelay, debug.FreeOSMemory) // also after starting
	defer freeMemory.Stop()
	p.window.OnProcessClosed = func() { freeMemory.Reset(freeMemoryDelay) }
	stop := context.AfterFunc(end, func() { p.do(p.close) })
	p.app.Run()
	p.loopEnded = true
	p.sendState() // on a signal, Fyne's loop may end without p.close
	p.doing.Lock()
	p.ended = true
	p.doing.Unlock()
	stop()
	cancel()
	<-listening
	history.wait()
	p.work.Wait()
	return p.status
}

// listen receives from the agent and sends functions that handle its messages on
// Fyne's goroutine. It closes messages when the connection or ctx ends.
func (p *program) listen(ctx context.Context, messages chan<- func()) {
	defer close(messages)
	handle := func(f func()) {
		select {
		case messages <- f:
		case <-ctx.Done():
		}
	}
	err := p.client.Receive(ctx, func(u monitor.Update) {
		handle(func() { p.update(u) })
	}, func(m ipc.Message) {
		handle(func() { p.handleMessage(m) })
	})
	if err != nil {
		p.log.Error("can't read from the agent", "error", err)
	}
	if ctx.Err() == nil {
		handle(func() {
			p.connected = false
			p.window.Disconnect()
		})
	}
}

// handleInitial handles the agent's first messages, for at most stateWait, so that the
// first frame shows their content: a frame takes 100 ms with software rendering. It waits
// for the snapshot for at most snapshotWait.
func (p *program) handleInitial(messages <-chan func()) {
	limit, late := time.After(stateWait), time.After(snapshotWait)
	wantSnapshot := true
	for !p.hasStatus || !p.hasSnapshot && wantSnapshot {
		select {
		case f, ok := <-messages:
			if !ok {
				return
			}
			f()
		case <-late:
			wantSnapshot = false
		case <-limit:
			return
		}
	}
}

// update shows u.
func (p *program) update(u monitor.Update) {
	p.window.Update(u)
	if !p.hasSnapshot {
		p.hasSnapshot = true
		p.reportPage()
	}
}

// reportPage sends the page that the user is looking at to the agent, once it has content.
func (p *program) reportPage() {
	if p.focused && p.hasSnapshot && p.hasStatus {
		p.send(ipc.Message{Kind: ipc.Focused, Page: p.window.Page()})
	}
}

// handleMessage handles a message of the agent.
func (p *program) handleMessage(m ipc.Message) {
	switch m.Kind {
	case ipc.StatusUpdate:
		if m.Status != nil {
			p.limits = m.Status.Settings.TrafficLimits()
			p.window.SetStatus(uiStatus(m.Status))
			if !p.hasStatus {
				p.hasStatus = true
				p.reportPage()
			}
		}
	case ipc.Raise:
		p.raise(m)
	case ipc.HistoryAdded:
		p.window.HistoryAdded()
	case ipc.ConnectionTotals:
		p.window.ShowTotals(m.Totals)
	case ipc.Result:
		p.window.ShowSettingResult(m.Key, m.Problem)
	case ipc.ShowPort:
		if m.Port != 0 {
			p.window.ShowPort(m.Port)
		}
		p.window.ShowPage(m.Page)
	case ipc.Restore:
		var s ui.State
		if err := json.Unmarshal(m.State, &s); err != nil {
			p.log.Warn("can't read the state of the last window", "error", err)
			return
		}
		size := p.fitToScreen(fyne.NewSize(s.Width, s.Height))
		s.Width, s.Height = size.Width, size.Height
		if s.Width > 0 && s.Height > 0 {
			p.size = size
		}
		p.window.Restore(s)
		p.restorePosition = s.Position
	case ipc.Quit:
		p.close()
	}
}

// userName returns the name of this user, as for owners of sockets; "" if unknown.
var userName = sync.OnceValue(func() string {
	uid := os.Getuid()
	if uid < 0 { // Windows has none
		u, err := user.Current()
		if err != nil {
			return ""
		}
		return u.Username
	}
	return username.Await(context.Background(), uint32(uid))
})

// systemFacts returns the port ranges of this machine when it was first called.
var systemFacts = sync.OnceValue(func() (s explain.System) {
	s.EphemeralPorts, s.ReservedPorts = socket.EphemeralPorts()
	return s
})

func uiStatus(s *ipc.Status) ui.Status {
	return ui.Status{User: userName(), Health: s.Health, Rules: s.Watches, Labels: s.Settings.Labels, Paused: s.Paused, PausedUntil: s.PausedUntil, Problems: s.Problems, Attempts: s.Attempts, Checks: s.Checks, CanDismiss: s.CanDismiss,
		Settings: uiSettings(s), System: systemFacts(), Welcome: s.Welcome, NoTray: s.NoTray, RaisesWindows: desktop.Windows{Session: desktop.Current()}.Accessible()}
}

// uiSettings returns what the Settings page shows.
func uiSettings(s *ipc.Status) settings.Settings {
	c := s.Settings
	return settings.Settings{Theme: c.Theme, Zoom: c.Zoom, TrayIcon: c.TrayIcon, Language: c.Language, StartAtLogin: s.StartAtLogin, StartHidden: c.StartHidden, Shortcut: c.Shortcut, ShortcutAdvice: s.ShortcutAdvice, Notifications: c.Notifications, NotifyOn: c.NotifyOn, Urgency: c.Urgency, CrashUrgency: c.CrashUrgency, Expiry: c.Expiry, NewExposed: c.NewExposed, QuietHours: c.QuietHours.String(), GracePeriod: c.GracePeriod, Sound: c.Sound,
		PollingInterval: c.PollingInterval, UDP: c.UDP, AllAddresses: c.AllAddresses, Terminal: c.Terminal, HistoryDays: c.HistoryDays, HistoryEvents: c.HistoryEvents, TrafficBody: c.TrafficBody, TrafficMemory: c.TrafficMemory}
}

// close sends the state and ends Fyne's loop.
func (p *program) close() {
	p.sendState()
	p.app.Quit()
}

// send sends m to the agent. Errors are only logged: listen notices a lost connection.
func (p *program) send(m ipc.Message) {
	if !p.connected {
		return
	}
	if err := p.client.Send(m); err != nil {
		p.log.Info("can't send to the agent", "error", err)
	}
}

// handlePanic logs the panic r and returns the exit status. Before the window is open,
// panics come from the GL driver or GLFW; later ones are bugs of Porthole.
func (p *program) handlePanic(r any) int {
	p.log.Error("the window panicked", "reason", fmt.Sprint(r), "stack", string(debug.Stack()))
	switch {
	case p.shown:
		return 1
	case strings.Contains(fmt.Sprint(r), "display"), // GLFW's "Failed to open display"
		strings.Contains(fmt.Sprint(r), "initialized"): // "The GLFW library is not initialized": Fyne logs the first error and goes on
		return agent.ExitNoDisplay
	}
	return agent.ExitNoGL
}

// hasNativeWindow reports whether w has a window of the system. If OpenGL is broken,
// it has none, and Fyne only logs that.
func hasNativeWindow(w fyne.Window) bool {
	native, ok := w.(driver.NativeWindow)
	if !ok {
		return true
	}
	has := true
	native.RunNative(func(context any) {
		switch c := context.(type) {
		case driver.X11WindowContext:
			has = c.WindowHandle != 0
		case driver.WaylandWindowContext:
			has = c.WaylandSurface != 0
		case driver.WindowsWindowContext:
			has = c.HWND != 0
		case driver.MacWindowContext:
			has = c.NSWindow != 0
		}
	})
	return has
}

// createCacheDir creates the user's cache directory. Without it, Fyne logs two errors.
func createCacheDir() {
	if dir, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(dir, 0o700) // Fyne logs it
	}
}
