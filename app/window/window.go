//go:build cgo

// Package window is the window process: it takes what the agent tells into ui,
// and is the one place that crosses into Fyne's goroutine.
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
	"porthole/assets"
	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/socket"
	"porthole/ui"
)

// ID is the program's name among all desktop programs.
const ID = "io.github.porthole.porthole"

// initialWait is how long the agent's first words are waited for before the window
// is shown: it tells them as soon as the window has connected.
const initialWait = 200 * time.Millisecond

// freeMemoryDelay is how long after a process window has closed what it took goes back to
// the system. Fyne keeps what such a window showed for a quarter of a minute, and until
// it next paints anew, which the ages of rows let it do each minute.
const freeMemoryDelay = 90 * time.Second

// startupGCPercent is how much the heap may grow, in percent, before it is collected while the
// window starts, which throws away 25 MB of fonts and words: twice rather than six
// times, on a processor that the window system needs.
const startupGCPercent = 400

// Built says whether this build has a window.
const Built = true

// Run shows the window until it is closed, the agent says so, or ctx ends. It
// must be called from the main goroutine and returns the exit status, which
// tells the agent what happened (see agent.ExitNoGL and its like). What went
// wrong is written to stderr, which the agent reads.
func Run(ctx context.Context, place ipc.RuntimeDir, o Options, stderr io.Writer) (status int) {
	if err := desktop.Current().CheckDisplay(); err != nil {
		_, _ = fmt.Fprintln(stderr, "porthole window:", err) // nobody else listens
		return agent.ExitNoDisplay
	}
	client, err := ipc.Connect(place)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "porthole window:", err)
		return 1
	}
	// stderr is a pipe to the agent. When that has died, a line must not be the
	// end of a window that is there to say so.
	signal.Ignore(syscall.SIGPIPE)
	nameProcess()
	makeCacheFolder()
	p := &program{client: client, version: o.Version, log: slog.New(slog.NewTextHandler(stderr, nil))}
	defer func() {
		if r := recover(); r != nil {
			status = p.handlePanic(r)
		}
	}()
	return p.run(ctx, o)
}

// program is the running window process.
type program struct {
	client       *ipc.Client
	log          *slog.Logger
	app          fyne.App
	window       *ui.Window
	connected    bool // the agent is there
	shown        bool // a window could be opened
	focused      bool // it has the focus, as far as that is known
	hasSnapshot  bool // it shows a snapshot
	hasStatus    bool // it shows the agent's status, and what the last window left
	sizeRestored bool // it has the size that the last window had
	stateSent    bool // the agent was told how it was left
	status       int
	ctx          context.Context // ends with the window
	work         sync.WaitGroup  // what actions do beside Fyne's goroutine

	version string // of the program

	doing sync.Mutex // over ended, and over what Fyne does on our goroutines once it has ended
	ended bool
}

// do lets Fyne do f on its goroutine, and nothing once its loop has ended: it
// would do it here then, beside whoever else comes.
func (p *program) do(f func()) {
	p.doing.Lock()
	defer p.doing.Unlock()
	if !p.ended {
		fyne.Do(f)
	}
}

func (p *program) run(ctx context.Context, o Options) int {
	usual := debug.SetGCPercent(startupGCPercent)
	_ = os.Unsetenv("FYNE_CACHE") // Fyne has read it: what the user opens from here is to know nothing of it
	app.SetMetadata(fyne.AppMetadata{ID: ID, Name: "Porthole", Version: o.Version,
		Migrations: map[string]bool{"fyneDo": !checkGoroutine}})
	if err := ui.SetUpLanguage(o.Language); err != nil {
		p.log.Warn("the translations cannot be used", "problem", err)
	}
	p.app = app.NewWithID(ID)
	p.app.Settings().SetTheme(ui.Theme{Fixed: o.Theme})
	p.app.SetIcon(fyne.NewStaticResource("porthole.png", assets.WindowIcon()))
	end := ctx
	ctx, cancel := context.WithCancel(context.WithoutCancel(end)) // the window says how it was left before all ends
	defer cancel()
	p.ctx = ctx
	heard := make(chan func())
	go p.listen(ctx, heard)
	memory := openHistory(ctx, p.do, p.log)
	p.window = ui.NewWindow(p.app, actions{p}, memory, time.Now)
	p.connected = true
	p.window.Fyne().SetCloseIntercept(p.close)
	p.handleInitial(heard)
	p.window.Show()
	debug.SetGCPercent(usual)
	if !hasNativeWindow(p.window.Fyne()) {
		p.log.Error("no window could be opened: OpenGL does not work here")
		return agent.ExitNoGL
	}
	p.shown = true
	if size := p.fitToScreen(ui.DefaultSize); size != ui.DefaultSize && !p.sizeRestored {
		p.window.Fyne().Resize(size)
	}
	p.focused = true // a window that comes is looked at, and not every window manager says so
	p.reportPage()
	p.app.Lifecycle().SetOnEnteredForeground(func() { p.focused = true; p.reportPage() })
	p.app.Lifecycle().SetOnExitedForeground(func() { p.focused = false; p.send(ipc.Message{Kind: ipc.Unfocused}) })
	p.window.OnPageChanged(p.reportPage)
	p.window.FitScreen = p.fitToScreen

	listening := make(chan struct{})
	go func() {
		defer close(listening)
		for f := range heard {
			p.do(f)
		}
	}()
	nudge := make(chan struct{}, 1)
	p.window.OnProbeRequest = func() {
		select {
		case nudge <- struct{}{}:
		default: // one is on its way
		}
	}
	p.work.Go(func() { p.runProber(ctx, nudge) })
	tidy := time.AfterFunc(freeMemoryDelay, debug.FreeOSMemory) // of what starting needed, too
	defer tidy.Stop()
	p.window.OnProcessClosed = func() { tidy.Reset(freeMemoryDelay) }
	stop := context.AfterFunc(end, func() { p.do(p.close) })
	p.app.Run()
	p.sendState() // Fyne ends by itself at a signal, and may be faster than we are
	p.doing.Lock()
	p.ended = true
	p.doing.Unlock()
	stop()
	cancel()
	<-listening
	memory.wait()
	p.work.Wait()
	return p.status
}

// listen hands over what to do for all that the agent tells, for Fyne's goroutine,
// and closes heard at its end.
func (p *program) listen(ctx context.Context, heard chan<- func()) {
	defer close(heard)
	tell := func(f func()) {
		select {
		case heard <- f:
		case <-ctx.Done():
		}
	}
	err := p.client.Receive(ctx, func(u monitor.Update) {
		tell(func() { p.update(u) })
	}, func(m ipc.Message) {
		tell(func() { p.handleMessage(m) })
	})
	if err != nil {
		p.log.Error("the agent cannot be understood", "problem", err)
	}
	if ctx.Err() == nil {
		tell(func() {
			p.connected = false
			p.window.Disconnect()
		})
	}
}

// handleInitial takes what the agent tells of at once, so that the first picture has it:
// each picture costs a tenth of a second where the processor paints. An agent that
// is late is not waited for.
func (p *program) handleInitial(heard <-chan func()) {
	late := time.After(initialWait)
	for !p.hasSnapshot || !p.hasStatus {
		select {
		case f, ok := <-heard:
			if !ok {
				return
			}
			f()
		case <-late:
			return
		}
	}
}

// update shows what the monitor saw.
func (p *program) update(u monitor.Update) {
	p.window.Update(u)
	if !p.hasSnapshot {
		p.hasSnapshot = true
		p.reportPage()
	}
}

// reportPage tells the agent which page the user looks at, once there is anything
// to look at.
func (p *program) reportPage() {
	if p.focused && p.hasSnapshot && p.hasStatus {
		p.send(ipc.Message{Kind: ipc.Focused, Page: p.window.Page()})
	}
}

// handleMessage does what the agent asks for.
func (p *program) handleMessage(m ipc.Message) {
	switch m.Kind {
	case ipc.StatusUpdate:
		if m.Status != nil {
			p.window.SetStatus(uiStatus(m.Status))
			if !p.hasStatus {
				p.hasStatus = true
				p.reportPage()
			}
		}
	case ipc.Raise:
		if os.Getenv("WAYLAND_DISPLAY") != "" { // nobody can raise a window there: come again
			p.status = agent.ExitRestart
			p.close()
			return
		}
		p.window.Raise(m.Port)
		p.window.ShowPage(m.Page)
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
			p.log.Warn("the state of the last window cannot be read", "problem", err)
			return
		}
		size := p.fitToScreen(fyne.NewSize(s.Width, s.Height))
		s.Width, s.Height = size.Width, size.Height
		p.sizeRestored = s.Width > 0 && s.Height > 0
		p.window.Restore(s)
	case ipc.Quit:
		p.close()
	}
}

// userName is who looks, as owners of sockets are named; "" where unknown.
var userName = sync.OnceValue(func() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
})

// systemFacts is what this machine does with ports, as it was when the window began.
var systemFacts = sync.OnceValue(func() (s explain.System) {
	s.EphemeralPorts, s.ReservedPorts = socket.EphemeralPorts()
	return s
})

func uiStatus(s *ipc.Status) ui.Status {
	return ui.Status{User: userName(), Health: s.Health, Rules: s.Watches, Paused: s.Paused, PausedUntil: s.PausedUntil, Problems: s.Problems,
		Settings: uiSettings(s), System: systemFacts(), Welcome: s.Welcome}
}

// uiSettings is what the Settings page shows.
func uiSettings(s *ipc.Status) ui.Settings {
	c := s.Settings
	return ui.Settings{Theme: c.Theme, TrayIcon: c.TrayIcon, Language: c.Language, StartAtLogin: s.StartAtLogin, StartHidden: c.StartHidden, Notifications: c.Notifications, Sound: c.Sound,
		PollingInterval: c.PollingInterval, UDP: c.UDP, AllAddresses: c.AllAddresses, HistoryDays: c.HistoryDays, HistoryEvents: c.HistoryEvents}
}

// close leaves the state to the next window and ends.
func (p *program) close() {
	p.sendState()
	p.app.Quit()
}

// sendState tells the agent, once, how the window was left. A window that was not told
// yet how the last one was left has no state of its own.
func (p *program) sendState() {
	if p.stateSent {
		return
	}
	p.stateSent = true
	leaving := ipc.Message{Kind: ipc.Closing}
	if state, err := json.Marshal(p.window.State()); err == nil && p.hasStatus {
		leaving.State = state
	}
	p.send(leaving)
}

// send tells the agent something; where it has just gone, listen finds out.
func (p *program) send(m ipc.Message) {
	if !p.connected {
		return
	}
	if err := p.client.Send(m); err != nil {
		p.log.Info("the agent does not hear", "problem", err)
	}
}

// handlePanic tells a window that could not be opened, where the GL driver or
// GLFW panics, from a mistake of ours.
func (p *program) handlePanic(r any) int {
	p.log.Error("the window panicked", "reason", fmt.Sprint(r), "stack", string(debug.Stack()))
	switch {
	case p.shown:
		return 1
	case strings.Contains(fmt.Sprint(r), "display"): // GLFW's "Failed to open display"
		return agent.ExitNoDisplay
	}
	return agent.ExitNoGL
}

// hasNativeWindow reports whether the system has a window behind w: where OpenGL is
// broken Fyne only logs that it has not.
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

// makeCacheFolder spares Fyne two errors that it logs where there is none.
func makeCacheFolder() {
	if dir, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(dir, 0o700) // Fyne then logs what it logs
	}
}
