// Package agent is the long-running background process. It runs the monitor and
// the watches, sends notifications, stores the history, shows the tray icon, and
// starts the window process on demand.
package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"porthole/app/autostart"
	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/paths"
	"porthole/app/settings"
	traypkg "porthole/app/tray"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/container"
	"porthole/monitor/enrich"
	"porthole/monitor/health"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/history/store"
	"porthole/monitor/inuse"
	"porthole/monitor/owner"
	"porthole/monitor/procevents"
	"porthole/monitor/service"
	"porthole/monitor/socket"
	"porthole/monitor/socketunit"
	"porthole/monitor/sockevents"
	"porthole/monitor/tunnel"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// Options configure Run.
type Options struct {
	RuntimeDir ipc.RuntimeDir
	Session    desktop.Session
	Hidden     bool   // start without the window
	ShowWindow bool   // start with the window, regardless of the settings
	Port       uint16 // show the window at this port unless 0
	Page       string // show the window at this page unless ""
	Token      string // permits raising the window; see desktop.TakeActivationToken
	// Language is the language of the program, "" for the system's. If the settings
	// change to another one, the agent ends with a Successor.
	Language string
	Build    string // identity of this build
	Logger   *slog.Logger
}

// Successor describes the program that takes over from an agent that ends for
// another build or another language.
type Successor struct {
	Program string
	Session desktop.Session
	Hidden  bool   // without the window
	Port    uint16 // to show in the window; 0: none
	Page    string // to show in the window; "": the default
}

// Args returns the command-line arguments of the successor. Every build accepts
// them, except for --page.
func (s Successor) Args() []string {
	if s.Port != 0 && !s.Hidden {
		return []string{"show", strconv.Itoa(int(s.Port))}
	}
	args := []string{fmt.Sprintf("--hidden=%v", s.Hidden)}
	if s.Page != "" {
		args = append(args, "--page="+s.Page)
	}
	return args
}

// Agent is the running agent. Its state belongs to the goroutine of loop; other
// goroutines send functions to it (see do).
type Agent struct {
	opts          Options
	log           *slog.Logger
	monitor       *monitor.Monitor
	settingsFile  *settings.File
	notifications *notify.Worker
	history       *store.Store
	hooks         *hooks
	shortcut      shortcut
	panel         desktop.Style // of the panel, as far as it is known
	tracker       *sockevents.Tracker
	checker       *health.Checker
	openings      *openings
	labels        labels
	inbox         chan func()
	// vacantRequests has the ports that answerVacant is asked about; it holds the latest.
	vacantRequests chan []uint16
	// lastOwnerQueries has the queries of lastOwners to the history.
	lastOwnerQueries chan lastOwnerQuery
	quit             context.CancelFunc
	ctx              context.Context // canceled by quit

	// owned by the goroutine of loop
	tray             *traypkg.Tray // nil without a session bus
	update           monitor.Update
	rules            watch.Rules
	unsavedEdits     []func(watch.Rules) watch.Rules // edits that could not be written to the settings file, oldest first
	unsavedSince     [32]byte                        // fingerprint of the settings file at that time
	watcher          *watch.Watcher
	recent           []monitor.Event // the latest events, for the tray's menu
	problems         problems
	missing          map[string]*time.Timer // by subject of the problem: parts of the desktop that have been missing for less than missingDelay
	settings         settings.Settings
	autostart        autostart.Entry
	startsAtLogin    bool // the session starts Porthole
	powerSave        bool // on battery, or the session is locked or idle
	paused           bool
	pausedUntil      time.Time // zero: until resumed
	pausePath        string    // path of the file that stores the pause
	pauseSaved       time.Time // last write of that file
	uiState          uiStateFile
	missed           []watch.Alert // alerts missed during the pause
	fileHooks        watch.Rules   // rules with a hook that were in the settings file
	hookFailures     []hookFailure // of hooks whose last run failed, oldest first
	exposure         exposure
	userStops        userStops
	shownPorts       []uint16          // ports whose connections are counted because the window has shown them
	counted          sockevents.Wanted // what the tracker was told last
	clients          knownClients
	checks           []health.Check // what the health checks found last
	checked          checked
	attempts         []connection.Burst      // that go on
	notifiedAttempts map[uint16]time.Time    // when the bursts of attempts began that were notified, by port
	silenced         silenced                // by the last notification with Stop watching
	unread           bool                    // the tray shows the dot
	alert            bool                    // the tray shows the triangle
	askedVacant      []uint16                // the last request of askVacant
	vacant           map[uint16]inuse.Answer // about watched ports that nothing listens on
	lastOwners       *lastowner.Book         // of watched ports
	pendingTrayCheck bool                    // started hidden by the settings; show the window if no tray host appears
	window           *windowProcess
	menu             *menuProcess
	handsOverWindow  bool // the successor's window takes the place of this agent's
	successor        *Successor
}

// Run runs the agent until ctx ends, the user quits, or the session ends. The
// caller holds the lock of opts.RuntimeDir and starts the returned successor, if
// any. All goroutines and processes of the agent have ended when Run returns, except
// for those that hang: see shutdownTimeout.
func Run(ctx context.Context, opts Options) (*Successor, error) {
	table, err := socket.Open(opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("open the socket table: %w", err)
	}
	// The heap is a few megabytes of long-lived strings. Collecting at 25 % growth
	// instead of 100 % has no measurable cost.
	debug.SetGCPercent(25)
	programs := procevents.Open()
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	containers, tunnels := container.New(), tunnel.New()
	openings := &openings{}
	var a *Agent
	describe := func(l *monitor.Listener) {
		socketunit.Describe(l)
		service.Describe(l)
		containers.Describe(l)
		tunnels.Describe(l)
		openings.describe(l)
		a.labels.describe(l)
	}
	a = &Agent{
		opts: opts, log: opts.Logger, ctx: ctx, quit: quit,
		monitor:      monitor.New(table, owner.New(), monitor.Options{Enrich: enrich.New(), Describe: describe, Programs: programs, Logger: opts.Logger}),
		settingsFile: settings.Open(settings.Path()), pausePath: pausePath(), uiState: uiStateFile{path: uiStatePath()},
		openings: openings, inbox: make(chan func(), 64), vacantRequests: make(chan []uint16, 1),
		watcher: watch.NewWatcher(nil, watch.DefaultGrace),
	}
	a.lastOwnerQueries = make(chan lastOwnerQuery, maxLastOwnerQueries)
	a.lastOwners = newLastOwners(a)
	a.watcher.Stopped = a.userStops.stopped
	a.log.Info(procevents.Describe(programs))
	a.window, a.menu = newWindowProcess(a), newMenuProcess(a)
	a.missing = map[string]*time.Timer{}
	a.shortcut.wanted = make(chan bool, 1)
	a.hooks = newHooks(a.reportHook)
	a.exposure = newExposure(exposurePath())
	a.clients = knownClients{path: clientsPath()}
	server, err := ipc.Listen(opts.RuntimeDir, a, a.monitor, opts.Logger)
	if err != nil {
		table.Close()
		_ = programs.Close() // nothing was written to it
		return nil, err
	}
	a.tracker = sockevents.Open(opts.Logger, sockevents.Callbacks{
		Attempts: func(current, ended []connection.Burst) { a.do(func() { a.handleAttempts(current, ended) }) },
		Clients:  func(added []connection.NewVisitor) { a.do(func() { a.handleClients(added) }) },
	})
	a.checker = newChecker(a)
	if found, err := a.tracker.Availability(); err != nil {
		a.log.Info("connections are not counted", "messages", found, "reason", err)
	}
	_, err = os.Stat(paths.History())
	a.loadUIState(err == nil) // before openHistory creates the file
	a.history = a.openHistory()

	// Shutdown is in reverse order of the data flow: first the loop, which ends the
	// window, then everything else.
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	var parts sync.WaitGroup
	a.notifications = notify.Start(rest, notify.New(opts.Session.BusAddress(), a.handleAction, a.log), a.reportDelivery, a.log)
	a.loadSettings()
	a.loadPause(time.Now())
	a.initAutostart()
	parts.Go(func() { a.watchNotifications(rest, opts.Session.BusAddress()) })
	parts.Go(func() { a.keepShortcut(rest, opts.Session) })
	parts.Go(func() { a.watchPanel(rest, opts.Session) })
	parts.Go(func() { a.keepMemoryLow(rest) })
	parts.Go(func() { tunnels.Run(rest, a.monitor.Redescribe) })
	parts.Go(func() { tunnels.Await(rest); a.monitor.Run(rest) })
	parts.Go(func() { a.hooks.run(rest) })
	parts.Go(func() { a.tracker.Run(rest) })
	parts.Go(func() { a.checker.Run(rest) })
	parts.Go(func() { containers.Run(rest, a.monitor.Redescribe) })
	parts.Go(func() { a.recordHistory(rest, a.monitor.Subscribe()) })
	parts.Go(func() { server.Serve(rest) })
	parts.Go(func() { a.answerVacant(rest) })
	parts.Go(func() { a.answerLastOwners(rest) })
	parts.Go(func() {
		if err := a.settingsFile.Watch(rest, func() { a.do(a.reloadSettings) }); err != nil {
			a.log.Warn("can't watch the settings file: edits apply at the next start", "error", err)
		}
	})
	parts.Go(func() {
		if opts.Session.WaitEnd(rest, a.log) {
			quit()
		}
	})
	parts.Go(func() {
		opts.Session.WatchPowerSave(rest, a.log, func(save bool) { a.do(func() { a.powerSave = save; a.applyPollingInterval(); a.checkHealth() }) })
	})
	var loop sync.WaitGroup
	a.startTray()
	loop.Go(a.loop)
	a.runTray()
	loop.Wait()
	a.storeAttempts(a.attempts)
	if a.paused || len(a.missed) > 0 {
		a.savePause() // with the alerts missed so far
	}
	stopRest()
	ended := make(chan struct{})
	go func() {
		parts.Wait()
		a.notifications.Wait()
		close(ended)
	}()
	if !waitFor(ended, shutdownTimeout) {
		a.log.Error("parts of the agent did not end in time, for example because a disk does not answer; exiting without them", "timeout", shutdownTimeout)
		return a.successor, nil // the table may still be in use
	}
	table.Close()
	_ = programs.Close() // nothing was written to it
	return a.successor, nil
}

// shutdownTimeout limits how long Run waits for the monitor, the history and the
// notifications after the window has ended. A process that waits for a disk or a
// name service that does not answer may never end.
const shutdownTimeout = 3 * time.Second

// waitFor waits for ended, at most for limit, and reports whether it was closed.
func waitFor(ended <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}

// loop handles everything that happens until the agent ends.
func (a *Agent) loop() {
	updates := a.monitor.Subscribe()
	defer updates.Close()
	defer a.quitTray()
	if a.startsHidden() {
		a.pendingTrayCheck = !a.opts.Hidden
	} else {
		a.window.open(a.opts.Port, a.opts.Page, a.opts.Token)
	}
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		due.Reset(a.nextWakeup(time.Now()))
		select {
		case <-a.ctx.Done():
			a.window.shutDown()
			return
		case <-due.C:
			a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
			a.endPause(time.Now())
			a.endQuietHours(time.Now())
		case do := <-a.inbox:
			do()
		case <-updates.C:
			if u, ok := updates.Take(); ok {
				a.handleUpdate(u)
			}
		}
	}
}

// nextWakeup returns the time until loop must act without an event.
func (a *Agent) nextWakeup(now time.Time) time.Duration {
	d := time.Hour
	if next := a.watcher.NextDue(); !next.IsZero() {
		d = min(d, next.Sub(now))
	}
	switch {
	case a.heldBack(now):
		d = min(d, maxPauseSleep)
	case a.quietEnded(now): // an update came just after the end, or the settings changed
		d = 0
	}
	if a.paused && !a.pausedUntil.IsZero() {
		d = min(d, a.pausedUntil.Sub(now), maxPauseSleep)
	}
	return d
}

// do makes loop call f. It blocks only while 64 functions are waiting, and drops
// f when the agent ends. It must not be called by loop itself.
func (a *Agent) do(f func()) {
	select {
	case a.inbox <- f:
	case <-a.ctx.Done():
	}
}

// startsHidden reports whether Porthole starts without its window. Without a tray
// icon it never does: nothing would show that it is running.
func (a *Agent) startsHidden() bool {
	return a.opts.Hidden || a.settings.StartHidden && !a.opts.ShowWindow && a.opts.Port == 0 && a.tray != nil
}

// clearViewed clears the tray's marks for what the user is looking at: the dot on
// pages that show events, the triangle on the Ports page.
func (a *Agent) clearViewed() {
	a.unread = a.unread && !a.window.viewsEvents()
	a.alert = a.alert && !a.window.viewsPorts()
}

func (a *Agent) status() *ipc.Status {
	s := &ipc.Status{Health: a.update.Health, Watches: a.rules, Settings: a.settings, StartAtLogin: a.startsAtLogin,
		Paused: a.paused, PausedUntil: a.pausedUntil, Problems: a.problems.texts(), Attempts: a.attempts, Checks: a.checks, CanDismiss: a.problems.has(droppedEdits), HookFailedAt: a.hookFailedAt(),
		Welcome: a.uiState.state.Welcome, NoTray: a.problems.has("tray"), ShortcutAdvice: a.shortcut.advice}
	// Watches are sent above, including unsaved ones; warnings are among the problems.
	s.Settings.Watches, s.Settings.Warnings = nil, nil
	return s
}

func (a *Agent) sendStatus() {
	a.window.send(ipc.Message{Kind: ipc.StatusUpdate, Status: a.status()})
}

func (a *Agent) trayState() tray.State {
	return tray.State{
		Snapshot: a.update.Snapshot, Rules: a.rules, Paused: a.paused, Unread: a.unread, Alert: a.alert,
		Recent: a.userStops.markEvents(a.recent), Attempts: a.attempts, Checks: a.checks, Problem: a.update.Health.Problem, Ink: a.ink(), UDP: a.settings.UDP,
		Vacant: a.vacant, Last: a.lastOwnersOf(time.Now()),
	}
}
