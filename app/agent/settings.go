package agent

import (
	"os"

	"porthole/app/autostart"
	"porthole/app/link"
	"porthole/app/notify"
	"porthole/ui"
)

// This file is how the window changes settings.

// set changes a setting and answers c, after a status that says how it is now.
func (a *Agent) set(c *link.WindowConn, key, value string) {
	problem := ""
	if key == link.KeyAtLogin {
		problem = a.setAtLogin(value == "true")
	} else if s, err := a.settings.Set(key, value); err != nil {
		a.log.Warn("a setting was not changed", "setting", key, "problem", err)
		problem = unsetProblem(err)
	} else {
		a.use(s)
		a.settingsProblem(s, nil)
		a.showTray()
	}
	a.tellStatus()
	c.Send(link.Message{Kind: link.Answer, Key: key, Problem: problem})
}

// test shows a test notification and tells c what became of it.
func (a *Agent) test(c *link.WindowConn) {
	a.notes.Try(notify.Test(), func(err error) {
		c.Send(link.Message{Kind: link.Answer, Key: link.KeyTest, Problem: notificationProblem(err)})
	})
}

// speak lets a successor take over that speaks the language which the settings
// say now: all words of this process were made in another.
func (a *Agent) speak() {
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
	return a.opts.Hidden || a.chosen.StartHidden && !a.opts.Shown && a.opts.Port == 0 && a.tray != nil
}

// findLogin finds out whether the session starts Porthole, and sees to it that
// it starts this one where the one before was moved.
func (a *Agent) findLogin() {
	login, err := autostart.Own()
	if err != nil {
		a.log.Warn("whether the session starts Porthole cannot be told", "problem", err)
		return
	}
	a.login = login
	moved, err := login.Follow()
	if err != nil {
		a.log.Warn("what the session starts could not be changed", "problem", err)
	}
	if moved {
		a.log.Info("the session starts this program from now on: the one before is gone")
	}
	a.lookAtLogin()
}

// lookAtLogin sees whether the session starts Porthole, and reports whether
// that has changed.
func (a *Agent) lookAtLogin() bool {
	on, err := a.login.Enabled()
	if err != nil {
		a.log.Warn("whether the session starts Porthole cannot be told", "problem", err)
	}
	changed := on != a.atLogin
	a.atLogin = on
	return changed
}

// setAtLogin lets the session start Porthole, or no longer; it returns why that
// could not be done, in a sentence.
func (a *Agent) setAtLogin(on bool) string {
	defer a.lookAtLogin()
	if err := a.login.Set(on); err != nil {
		a.log.Warn("what the session starts could not be changed", "problem", err)
		return loginProblem()
	}
	return ""
}
