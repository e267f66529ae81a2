package agent

import "porthole/app/autostart"

// initAutostart finds out whether the session starts Porthole at login. If it
// starts another program file that does not exist any more, it switches to this one.
func (a *Agent) initAutostart() {
	entry, err := autostart.Current()
	if err != nil {
		a.log.Warn("can't determine whether Porthole starts at login", "error", err)
		return
	}
	a.autostart = entry
	moved, err := entry.Repair()
	if err != nil {
		a.log.Warn("can't update the autostart entry", "error", err)
	}
	if moved {
		a.log.Info("the autostart entry was updated: its program file did not exist any more")
	}
	a.checkAutostart()
}

// checkAutostart updates startsAtLogin and reports whether it has changed.
func (a *Agent) checkAutostart() bool {
	on, err := a.autostart.Enabled()
	if err != nil {
		a.log.Warn("can't determine whether Porthole starts at login", "error", err)
	}
	changed := on != a.startsAtLogin
	a.startsAtLogin = on
	return changed
}

// setAutostart turns starting at login on or off. It returns "" or a sentence for
// the user.
func (a *Agent) setAutostart(on bool) string {
	defer a.checkAutostart()
	if err := a.autostart.Set(on); err != nil {
		a.log.Warn("can't change the autostart entry", "error", err)
		return autostartProblem()
	}
	return ""
}
