package agent

import (
	"time"

	"porthole/app/desktop"
	traypkg "porthole/app/tray"
	"porthole/ui"
	"porthole/ui/tray"
)

// startTray builds the tray icon where there is a bus to show it through.
func (a *Agent) startTray() {
	if err := a.opts.Session.CheckBus(); err != nil {
		a.log.Warn("there is no tray icon", "problem", err)
		a.problems.set("tray", trayProblem(err))
		return
	}
	a.tray = traypkg.New(tray.NewModel(a.trayState()), trayActions{a}, a.log)
	if a.opts.Session.BusAddress() != "" { // else the system itself shows the icon
		go a.watchTrayHost()
	}
}

// watchTrayHost notes whether anyone shows tray icons here.
func (a *Agent) watchTrayHost() {
	err := desktop.WatchTrayHost(a.ctx, a.opts.Session.BusAddress(), func(present bool) {
		a.do(func() {
			if !present && a.pendingTrayCheck {
				a.window.show(0)
			}
			a.pendingTrayCheck = false
			if a.problems.set("tray", trayHostProblem(present)) {
				a.sendStatus()
			}
		})
	})
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("whether tray icons are shown here cannot be told", "problem", err)
	}
}

// runTray shows the icon and returns when the hub has ended.
func (a *Agent) runTray() {
	if a.tray != nil {
		a.tray.Run()
	}
}

func (a *Agent) quitTray() {
	if a.tray != nil {
		a.tray.Quit()
	}
}

func (a *Agent) showTray() {
	if a.tray != nil {
		a.tray.Show(tray.NewModel(a.trayState()))
	}
}

// trayActions are what the tray asks for; they return at once.
type trayActions struct{ a *Agent }

func (c trayActions) Show(port uint16)      { c.a.post(func() { c.a.window.show(port) }) }
func (c trayActions) ShowSettings()         { c.a.post(func() { c.a.window.showAt(0, ui.PageSettings) }) }
func (c trayActions) Pause(d time.Duration) { c.a.post(func() { c.a.pause(d) }) }
func (c trayActions) Resume()               { c.a.post(c.a.resume) }
func (c trayActions) Quit()                 { c.a.quit() }

// post is do without waiting: a click that finds 64 functions waiting is lost.
func (a *Agent) post(f func()) {
	select {
	case a.inbox <- f:
	default:
	}
}
