package agent

import (
	"time"

	"porthole/app/desktop"
	traypkg "porthole/app/tray"
	"porthole/ui"
	"porthole/ui/tray"
)

// startTray creates the tray icon, unless there is no session bus.
func (a *Agent) startTray() {
	if err := a.opts.Session.CheckBus(); err != nil {
		a.log.Warn("no tray icon", "error", err)
		a.problems.set("tray", trayProblem(err))
		return
	}
	a.tray = traypkg.New(tray.NewModel(a.trayState()), a.opts.Session.BusAddress(), trayActions{a}, a.log)
	// The session belongs to the goroutine of loop once that runs.
	if address := a.opts.Session.BusAddress(); address != "" { // otherwise the system shows the icon without a host
		go a.watchTrayHost(address)
	}
}

// watchTrayHost reports whether the desktop shows tray icons, until the agent ends.
func (a *Agent) watchTrayHost(address string) {
	err := desktop.WatchTrayHost(a.ctx, address, func(present bool) {
		a.do(func() {
			if present {
				a.pendingTrayCheck = false
				a.setProblem("tray", "")
				return
			}
			a.setMissing("tray", trayHostProblem(a.opts.Session.Environment()), func() {
				if a.pendingTrayCheck {
					a.window.show(0)
				}
				a.pendingTrayCheck = false
			})
		})
	})
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("can't determine whether the desktop shows tray icons", "error", err)
	}
}

// runTray shows the icon and returns after quitTray. Without an icon it returns immediately.
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
		a.askVacant(false)
		a.tray.Show(tray.NewModel(a.trayState()))
	}
}

// trayActions implements tray.Actions. Its methods do not block.
type trayActions struct{ a *Agent }

func (c trayActions) Show(port uint16, token string) {
	c.a.post(func() { c.a.window.activate(port, token) })
}
func (c trayActions) Opened() { c.a.post(c.a.refreshMenu) }
func (c trayActions) ShowSettings(token string) {
	c.a.post(func() { c.a.window.open(0, ui.PageSettings, token) })
}
func (c trayActions) ShowMenu(entries []string, x, y int, token string) {
	c.a.post(func() { c.a.menu.show(entries, x, y, token) })
}
func (c trayActions) Pause(d time.Duration) { c.a.post(func() { c.a.pause(d) }) }
func (c trayActions) Resume()               { c.a.post(c.a.resume) }
func (c trayActions) Quit()                 { c.a.quit() }

// refreshMenu asks again about what may have changed without an event.
func (a *Agent) refreshMenu() {
	a.lastOwners.Recheck()
	a.askVacant(true)
	a.showTray()
}

// post is like do, but drops f if 64 functions are waiting.
func (a *Agent) post(f func()) {
	select {
	case a.inbox <- f:
	default:
	}
}
