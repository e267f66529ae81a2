// Package agent is the process that stays: it watches, tells, and starts the
// window when it is wanted. It puts the parts together and is the one place
// where their threads meet.
package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"porthole/app/desktop"
	"porthole/app/link"
	"porthole/app/notify"
	"porthole/app/settings"
	traypkg "porthole/app/tray"
	"porthole/monitor"
	"porthole/monitor/activity/store"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
	"porthole/ui/tray"
)

// Options say how the agent starts.
type Options struct {
	Place   link.Place
	Session desktop.Session
	Hidden  bool   // do not show the window
	Port    uint16 // show the window at this port, where it is not 0
	Build   string // tells this program from another build of it
	Logger  *slog.Logger
}

// Successor is the program that takes over when an agent ends for a newer build.
type Successor struct {
	Program string
	Session desktop.Session
	Hidden  bool
}

// Agent is the running agent. All its state belongs to the goroutine of hub;
// everyone else sends it a function.
type Agent struct {
	opts     Options
	log      *slog.Logger
	monitor  *monitor.Monitor
	settings *settings.File
	notes    *notify.Worker
	activity *store.Store
	inbox    chan func()
	quit     context.CancelFunc
	ctx      context.Context // ends when the agent is to end

	// of hub's goroutine
	tray        *traypkg.Tray
	update      monitor.Update
	rules       watch.Rules
	problems    problems
	interval    time.Duration // from the settings; 0 where Porthole chooses
	quiet       bool          // on battery, or nobody is there
	paused      bool
	pausedUntil time.Time
	resume      *time.Timer
	unseen      bool
	alarm       bool
	window      *windowProcess
	successor   *Successor
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
	a := &Agent{
		opts: opts, log: opts.Logger, ctx: ctx, quit: quit,
		monitor:  monitor.New(table, owner.New(), monitor.Options{Describe: service.Describe, Logger: opts.Logger}),
		settings: settings.Open(settings.Path()),
		inbox:    make(chan func(), 64),
	}
	a.window = newWindowProcess(a)
	server, err := link.Listen(opts.Place, a, a.monitor, opts.Logger)
	if err != nil {
		return nil, err
	}
	a.activity = a.openActivity()
	a.loadSettings()

	// The parts end in the reverse order of what feeds them: first the hub,
	// which ends the window, then all the rest.
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	var parts sync.WaitGroup
	a.notes = notify.Start(rest, a.notifier(), a.delivered, a.log)
	parts.Go(func() { a.monitor.Run(rest) })
	parts.Go(func() { a.recordActivity(rest, a.monitor.Subscribe()) })
	parts.Go(func() { server.Serve(rest) })
	parts.Go(func() {
		if err := a.settings.Watch(rest, func() { a.do(a.reloadSettings) }); err != nil {
			a.log.Warn("edits of the settings file are seen at the next start only", "problem", err)
		}
	})
	parts.Go(func() {
		if opts.Session.WaitEnd(rest, a.log) {
			quit()
		}
	})
	parts.Go(func() { a.checkNotifications(rest) })
	parts.Go(func() {
		opts.Session.WatchQuiet(rest, a.log, func(quiet bool) { a.do(func() { a.quiet = quiet; a.setPace() }) })
	})
	var hub sync.WaitGroup
	a.startTray()
	hub.Go(a.hub)
	a.runTray()
	hub.Wait()
	stopRest()
	parts.Wait()
	a.notes.Wait()
	return a.successor, nil
}

// hub is the loop in which everything happens.
func (a *Agent) hub() {
	updates := a.monitor.Subscribe()
	defer updates.Close()
	defer a.endTray()
	if !a.opts.Hidden {
		a.window.show(a.opts.Port)
	}
	for {
		select {
		case <-a.ctx.Done():
			a.window.end()
			return
		case do := <-a.inbox:
			do()
		case <-updates.C:
			if u, ok := updates.Take(); ok {
				a.take(u)
			}
		}
	}
}

// do lets hub call f. It waits only where 64 functions wait already, and gives
// up when the agent ends.
func (a *Agent) do(f func()) {
	select {
	case a.inbox <- f:
	case <-a.ctx.Done():
	}
}

// take is the way of the data: what the monitor sees goes to the watches, the
// notifications, the tray and the window's status.
func (a *Agent) take(u monitor.Update) {
	health := a.update.Health
	a.update = u
	if alerts := a.rules.Alerts(u.Changes); len(alerts) > 0 {
		a.alert(alerts)
	}
	if h := u.Health; h.Problem != health.Problem || h.Source != health.Source || h.Interval != health.Interval {
		a.problems.set("table", tableProblem(u.Health))
		a.tellStatus()
	}
	a.showTray()
}

func (a *Agent) alert(alerts []watch.Alert) {
	if !a.window.looked() {
		a.unseen = true
	}
	for _, alert := range alerts {
		c := alert.Change
		exposed := (c.Kind == monitor.ReachChanged || c.Kind == monitor.Opened) && c.Listener.Reach == monitor.TheNetwork
		if (exposed || c.Kind == monitor.OwnerChanged) && !a.window.looked() {
			a.alarm = true
		}
	}
	if a.paused {
		return
	}
	for _, n := range notify.Notes(alerts) {
		a.notes.Tell(n)
	}
}

func (a *Agent) loadSettings() {
	s, err := a.settings.Load()
	a.settingsProblem(err)
	a.use(s)
}

// use lets s hold from now on.
func (a *Agent) use(s settings.Settings) {
	a.rules, a.interval = s.Watches, s.Interval
	a.monitor.SetUDP(s.UDP)
	a.activity.Keep(s.KeepDays, s.KeepRows)
	a.setPace()
}

// The pace that Porthole chooses.
const (
	pace      = 250 * time.Millisecond
	quietPace = time.Second
)

func (a *Agent) setPace() {
	d := pace
	if a.quiet {
		d = quietPace
	}
	a.monitor.SetInterval(cmp.Or(a.interval, d))
}

func (a *Agent) settingsProblem(err error) {
	if err == nil {
		a.problems.set("settings", "")
		return
	}
	a.log.Warn("the settings file cannot be used, and is not written over", "problem", err)
	a.problems.set("settings", settingsProblem(err))
}

// reloadSettings takes over a file that was edited. Where it has a mistake, the
// last good settings hold.
func (a *Agent) reloadSettings() {
	s, err := a.settings.Load()
	if err == nil {
		a.use(s)
	}
	a.settingsProblem(err)
	a.showTray()
	a.tellStatus()
}

// changeWatches changes the rules in the file and, where that cannot be
// written, for this run only, which is said.
func (a *Agent) changeWatches(change func(watch.Rules) watch.Rules) {
	s, err := a.settings.ChangeWatches(change)
	if err == nil {
		a.rules = s.Watches
		a.settingsProblem(nil)
	} else {
		a.rules = change(a.rules)
		a.log.Warn("the watches could not be saved; they hold until Porthole ends", "problem", err)
		a.problems.set("settings", unsavedProblem(err))
	}
	a.showTray()
	a.tellStatus()
}

// pause stops notifications for d, or until resumed where d is 0.
func (a *Agent) pause(d time.Duration) {
	a.stopResumeTimer()
	a.paused, a.pausedUntil = true, time.Time{}
	if d > 0 {
		a.pausedUntil = time.Now().Add(d)
		var timer *time.Timer
		timer = time.AfterFunc(d, func() {
			a.do(func() {
				if a.resume == timer { // not one of an earlier pause
					a.unpause()
				}
			})
		})
		a.resume = timer
	}
	a.showTray()
	a.tellStatus()
}

func (a *Agent) unpause() {
	a.stopResumeTimer()
	a.paused = false
	a.showTray()
	a.tellStatus()
}

func (a *Agent) stopResumeTimer() {
	if a.resume != nil {
		a.resume.Stop()
		a.resume = nil
	}
}

// seen notes that the user looks at the window.
func (a *Agent) seen() {
	a.unseen, a.alarm = false, false
	a.showTray()
}

func (a *Agent) status() *link.Status {
	s := &link.Status{Health: a.update.Health, Paused: a.paused, PausedUntil: a.pausedUntil, Problems: a.problems.sentences()}
	for _, r := range a.rules {
		s.Watches = append(s.Watches, link.WatchStatus{Ports: r.Ports, Name: r.Name})
	}
	return s
}

func (a *Agent) tellStatus() {
	a.window.send(link.Message{Kind: link.Told, Status: a.status()})
}

func (a *Agent) trayState() tray.State {
	return tray.State{
		Snapshot: a.update.Snapshot, Rules: a.rules, Paused: a.paused, Unseen: a.unseen, Alarm: a.alarm,
		Problem: a.update.Health.Problem,
	}
}

// notifier returns the way to the desktop's notifications.
func (a *Agent) notifier() notify.Notifier {
	if address := a.opts.Session.BusAddress(); address != "" {
		return notify.NewBus(address, func(port uint16) { a.do(func() { a.window.show(port) }) }, a.log)
	}
	if busOnly {
		return noNotifier{}
	}
	return notify.NewPortable()
}

// checkNotifications says at once what the first notification would find out.
func (a *Agent) checkNotifications(ctx context.Context) {
	var err error
	if address := a.opts.Session.BusAddress(); address != "" {
		var has bool
		if has, err = desktop.HasNotifications(ctx, address); err == nil && !has {
			err = errors.New("no notification service runs")
		}
	} else if busOnly {
		err = errors.New("there is no session bus")
	}
	if err != nil {
		a.delivered(err)
	}
}

// noNotifier stands where there is no session bus: beeep would start one.
type noNotifier struct{}

func (noNotifier) Notify(context.Context, notify.Note) error {
	return errors.New("there is no session bus")
}
func (noNotifier) Close() {}

// delivered is called by the notification worker after each delivery.
func (a *Agent) delivered(err error) {
	a.do(func() {
		if a.problems.set("notifications", notificationProblem(err)) {
			a.tellStatus()
		}
	})
}
