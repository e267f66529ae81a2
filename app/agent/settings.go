package agent

import (
	"os"

	"porthole/app/autostart"
	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/ui"
)

// This file is how the window changes settings.

// changeSetting changes a setting and answers c, after a status that says how it is now.
func (a *Agent) changeSetting(c *ipc.WindowConn, key, value string) {
	problem := ""
	if key == ipc.KeyStartAtLogin {
		problem = a.setAutostart(value == "true")
	} else if s, err := a.settingsFile.Set(key, value); err != nil {
		a.log.Warn("a setting was not changed", "setting", key, "problem", err)
		problem = settingRefusedProblem(err)
	} else {
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		a.showTray()
	}
	a.sendStatus()
	c.Send(ipc.Message{Kind: ipc.Result, Key: key, Problem: problem})
}

// sendTestNotification shows a test notification and tells c what became of it.
func (a *Agent) sendTestNotification(c *ipc.WindowConn) {
	a.notes.NotifyAndReport(notify.Sample(), func(err error) {
		c.Send(ipc.Message{Kind: ipc.Result, Key: ipc.KeyTestNotification, Problem: notificationProblem(err)})
	})
}

// restartForLanguage lets a successor take over that speaks the language which the settings
// say now: all words of this process were made in another.
func (a *Agent) restartForLanguage() {
	program, err := os.Executable()
	if err != nil {
		a.log.Error("the language holds from the next start on", "problem", err)
		return
	}
	a.successor = &Successor{Program: program, Session: a.opts.Session, Hidden: a.window.cmd == nil, Page: ui.PageSettings}
	a.quit()
}

// startsHidden reports whether a start shows the tray icon alone. Where there
// is none, nothing would show that Porthole runs.
func (a *Agent) startsHidden() bool {
	return a.opts.Hidden || a.settings.StartHidden && !a.opts.ShowWindow && a.opts.Port == 0 && a.tray != nil
}

// initAutostart finds out whether the session starts Porthole, and sees to it that
// it starts this one where the one before was moved.
func (a *Agent) initAutostart() {
	login, err := autostart.Current()
	if err != nil {
		a.log.Warn("whether the session starts Porthole cannot be told", "problem", err)
		return
	}
	a.autostart = login
	moved, err := login.Repair()
	if err != nil {
		a.log.Warn("what the session starts could not be changed", "problem", err)
	}
	if moved {
		a.log.Info("the session starts this program from now on: the one before is gone")
	}
	a.checkAutostart()
}

// checkAutostart sees whether the session starts Porthole, and reports whether
// that has changed.
func (a *Agent) checkAutostart() bool {
	on, err := a.autostart.Enabled()
	if err != nil {
		a.log.Warn("whether the session starts Porthole cannot be told", "problem", err)
	}
	changed := on != a.startsAtLogin
	a.startsAtLogin = on
	return changed
}

// setAutostart lets the session start Porthole, or no longer; it returns why that
// could not be done, in a sentence.
func (a *Agent) setAutostart(on bool) string {
	defer a.checkAutostart()
	if err := a.autostart.Set(on); err != nil {
		a.log.Warn("what the session starts could not be changed", "problem", err)
		return autostartProblem()
	}
	return ""
}
