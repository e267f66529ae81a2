// Package agent is the process that stays: it watches, tells, and starts the
// window when it is wanted. It puts the parts together and is the one place
// where their threads meet.
package agent

import (
	"cmp"
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
	"porthole/app/settings"
	traypkg "porthole/app/tray"
	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/history/store"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// Options say how the agent starts.
type Options struct {
	RuntimeDir ipc.RuntimeDir
	Session    desktop.Session
	Hidden     bool   // do not show the window
	ShowWindow bool   // show it, whatever the settings say
	Port       uint16 // show the window at this port, where it is not 0
	Page       string // show it at this page, where it is not ""
	// Language is what the program speaks, "" as the system does. Where the
	// settings come to say another, the agent ends for a successor.
	Language string
	Build    string // tells this program from another build of it
	Logger   *slog.Logger
}

// Successor is the program that takes over when an agent ends for a newer build.
type Successor struct {
	Program string
	Session desktop.Session
	Hidden  bool
	Port    uint16 // its window is to show; may be 0
	Page    string // its window is to show; may be ""
}

// Args are the arguments of the program that takes over. Every build knows them,
// but for the page.
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

// Agent is the running agent. All its state belongs to the goroutine of hub;
// everyone else sends it a function.
type Agent struct {
	opts         Options
	log          *slog.Logger
	monitor      *monitor.Monitor
	settingsFile *settings.File
	notes        *notify.Worker
	history      *store.Store
	inbox        chan func()
	quit         context.CancelFunc
	ctx          context.Context // ends when the agent is to end

	// of hub's goroutine
	tray             *traypkg.Tray
	update           monitor.Update
	rules            watch.Rules
	unsavedEdits     []func(watch.Rules) watch.Rules // edits that the file could not take, the oldest first
	watcher          *watch.Watcher
	recent           []monitor.Event // the last few, for the tray's menu
	problems         problems
	settings         settings.Settings
	autostart        autostart.Entry
	startsAtLogin    bool // the session starts Porthole
	powerSave        bool // on battery, or nobody is there
	paused           bool
	pausedUntil      time.Time
	pausePath        string // the file that keeps it
	pauseSaved       time.Time
	uiState          uiStateFile
	missed           []watch.Alert // while paused
	userStops        userStops
	unread           bool
	alert            bool
	pendingTrayCheck bool // the settings hid the window at the start, and whether the tray icon is seen is not known yet
	window           *windowProcess
	successor        *Successor
}

// Run is the agent's life. The caller holds the place's lock. It returns when
// ctx ends, when the user quits, or when the session ends; then everything that
// it started has ended. A successor is to be started by the caller.
func Run(ctx context.Context, opts Options) (*Successor, error) {
	table, err := socket.Open(opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("open the table of listening sockets: %w", err)
	}
	defer table.Close()
	// The heap is a few megabytes of long-lived words; collecting at a quarter
	// more rather than at twice of that costs nothing that can be measured.
	debug.SetGCPercent(25)
	// What starting needed goes back to the system once it is over.
	tidy := time.AfterFunc(5*time.Second, debug.FreeOSMemory)
	defer tidy.Stop()
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	names := container.New()
	describe := func(l *monitor.Listener) {
		service.Describe(l)
		names.Describe(l)
	}
	a := &Agent{
		opts: opts, log: opts.Logger, ctx: ctx, quit: quit,
		monitor:      monitor.New(table, owner.New(), monitor.Options{Describe: describe, Logger: opts.Logger}),
		settingsFile: settings.Open(settings.Path()), pausePath: pausePath(), uiState: uiStateFile{path: uiStatePath()},
		inbox:   make(chan func(), 64),
		watcher: watch.NewWatcher(nil, watch.DefaultGrace),
	}
	a.window = newWindowProcess(a)
	server, err := ipc.Listen(opts.RuntimeDir, a, a.monitor, opts.Logger)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(settings.HistoryPath())
	a.loadUIState(err == nil) // before there is any activity
	a.history = a.openHistory()

	// The parts end in the reverse order of what feeds them: first the hub,
	// which ends the window, then all the rest.
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	var parts sync.WaitGroup
	a.notes = notify.Start(rest, notify.New(opts.Session.BusAddress(), a.handleAction, a.log), a.reportDelivery, a.log)
	a.loadSettings()
	a.loadPause(time.Now())
	a.initAutostart()
	parts.Go(func() { a.watchNotifications(rest, opts.Session.BusAddress()) })
	parts.Go(func() { a.monitor.Run(rest) })
	parts.Go(func() { names.Run(rest, a.monitor.Redescribe) })
	parts.Go(func() { a.recordHistory(rest, a.monitor.Subscribe()) })
	parts.Go(func() { server.Serve(rest) })
	parts.Go(func() {
		if err := a.settingsFile.Watch(rest, func() { a.do(a.reloadSettings) }); err != nil {
			a.log.Warn("edits of the settings file are seen at the next start only", "problem", err)
		}
	})
	parts.Go(func() {
		if opts.Session.WaitEnd(rest, a.log) {
			quit()
		}
	})
	parts.Go(func() {
		opts.Session.WatchPowerSave(rest, a.log, func(quiet bool) { a.do(func() { a.powerSave = quiet; a.applyPollingInterval() }) })
	})
	var hub sync.WaitGroup
	a.startTray()
	hub.Go(a.loop)
	a.runTray()
	hub.Wait()
	if a.paused {
		a.savePause() // with what was missed
	}
	stopRest()
	parts.Wait()
	a.notes.Wait()
	return a.successor, nil
}

// loop is the loop in which everything happens.
func (a *Agent) loop() {
	updates := a.monitor.Subscribe()
	defer updates.Close()
	defer a.quitTray()
	if a.startsHidden() {
		a.pendingTrayCheck = !a.opts.Hidden
	} else {
		a.window.showAt(a.opts.Port, a.opts.Page)
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
			a.notifyAlerts(a.watcher.Due(time.Now()))
			a.endPause(time.Now())
		case do := <-a.inbox:
			do()
		case <-updates.C:
			if u, ok := updates.Take(); ok {
				a.handleUpdate(u)
			}
		}
	}
}

// nextWakeup is how long hub has nothing to do by itself.
func (a *Agent) nextWakeup(now time.Time) time.Duration {
	d := time.Hour
	if next := a.watcher.NextDue(); !next.IsZero() {
		d = min(d, next.Sub(now))
	}
	if a.paused && !a.pausedUntil.IsZero() {
		d = min(d, a.pausedUntil.Sub(now), maxPauseSleep)
	}
	return d
}

// do lets hub call f. It waits only where 64 functions wait already, and gives
// up when the agent ends.
func (a *Agent) do(f func()) {
	select {
	case a.inbox <- f:
	case <-a.ctx.Done():
	}
}

func (a *Agent) loadSettings() {
	s, err := a.settingsFile.Load()
	a.reportSettingsProblem(s, err)
	a.applySettings(s)
}

// applySettings lets s hold from now on.
func (a *Agent) applySettings(s settings.Settings) {
	a.settings, a.rules = s, s.Watches
	a.watcher.SetRules(a.rules, s.GracePeriod)
	a.notes.SetSound(s.Sound)
	a.monitor.SetUDP(s.UDP)
	a.history.SetRetention(s.HistoryDays, s.HistoryEvents)
	a.applyPollingInterval()
	if s.Language != a.opts.Language {
		a.restartForLanguage()
	}
}

// The pace that Porthole chooses.
const (
	defaultInterval   = 250 * time.Millisecond
	powerSaveInterval = time.Second
)

func (a *Agent) applyPollingInterval() {
	d := defaultInterval
	if a.powerSave {
		d = powerSaveInterval
	}
	a.monitor.SetInterval(cmp.Or(a.settings.PollingInterval, d))
}

func (a *Agent) reportSettingsProblem(s settings.Settings, err error) {
	for _, remark := range s.Warnings {
		a.log.Warn("the settings file says what is not understood", "problem", remark)
	}
	a.problems.set("settings remarks", settingsWarning(s.Warnings))
	if err == nil {
		a.problems.set("settings", newerSettingsProblem(s.Newer))
		return
	}
	a.log.Warn("the settings file cannot be used, and is not written over", "problem", err)
	a.problems.set("settings", settingsProblem(err))
}

// reloadSettings takes over a file that was edited. Where it has a mistake, the
// last good settings hold. Edits that wait for a file that can be written are
// made now.
func (a *Agent) reloadSettings() {
	s, err := a.settingsFile.Load()
	if err == nil {
		a.applySettings(s)
	}
	a.reportSettingsProblem(s, err)
	if err == nil && len(a.unsavedEdits) > 0 {
		a.saveWatches(a.withUnsavedEdits)
	}
	a.showTray()
	a.sendStatus()
}

// changeWatches changes the rules in the file and, where that cannot be
// written, for this run only, which is said.
func (a *Agent) changeWatches(change func(watch.Rules) watch.Rules) {
	a.unsavedEdits = append(a.unsavedEdits, change)
	a.saveWatches(change)
	a.showTray()
	a.sendStatus()
}

// saveWatches makes the edits that the file does not have yet; where it cannot
// take them, the rules become what now makes of them.
func (a *Agent) saveWatches(now func(watch.Rules) watch.Rules) {
	s, err := a.settingsFile.ChangeWatches(a.withUnsavedEdits)
	if err == nil {
		a.unsavedEdits = nil
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		return
	}
	a.rules = now(a.rules)
	a.watcher.SetRules(a.rules, a.settings.GracePeriod)
	a.log.Warn("the watches could not be saved; they hold until Porthole ends", "problem", err)
	a.problems.set("settings", unsavedWatchesProblem(err))
}

// withUnsavedEdits are rules with the edits that the file does not have yet.
func (a *Agent) withUnsavedEdits(rules watch.Rules) watch.Rules {
	for _, change := range a.unsavedEdits {
		rules = change(rules)
	}
	return rules
}

// clearViewed notes what the user looks at: that something changed is seen where
// changes are shown, and that a port needs a look where it is looked at.
func (a *Agent) clearViewed() {
	a.unread = a.unread && !a.window.viewsEvents()
	a.alert = a.alert && !a.window.viewsPorts()
}

func (a *Agent) status() *ipc.Status {
	s := &ipc.Status{Health: a.update.Health, Watches: a.rules, Settings: a.settings, StartAtLogin: a.startsAtLogin,
		Paused: a.paused, PausedUntil: a.pausedUntil, Problems: a.problems.texts(),
		Welcome: a.uiState.state.Welcome && !a.problems.has("tray")}
	// The watches above hold, also where they could not be saved; the remarks are problems.
	s.Settings.Watches, s.Settings.Warnings = nil, nil
	return s
}

func (a *Agent) sendStatus() {
	a.window.send(ipc.Message{Kind: ipc.StatusUpdate, Status: a.status()})
}

func (a *Agent) trayState() tray.State {
	return tray.State{
		Snapshot: a.update.Snapshot, Rules: a.rules, Paused: a.paused, Unread: a.unread, Alert: a.alert,
		Recent: a.recent, Problem: a.update.Health.Problem, Ink: a.settings.TrayIcon,
	}
}
