package agent

import (
	"cmp"
	"os"
	"time"

	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/settings"
)

func (a *Agent) loadSettings() {
	s, err := a.settingsFile.Load()
	a.reportSettingsProblem(s, err)
	a.applySettings(s)
}

// reloadSettings loads the settings file after an edit. If the file is invalid, the
// last valid settings stay in force. Edits of watches that could not be saved are
// saved now, unless the file was edited since: then they are dropped.
func (a *Agent) reloadSettings() {
	s, err := a.settingsFile.Load()
	if err == nil {
		a.applySettings(s)
	}
	a.reportSettingsProblem(s, err)
	if err == nil {
		a.dropOutdatedEdits()
	}
	if err == nil && len(a.unsavedEdits) > 0 {
		a.saveWatches(a.withUnsavedEdits)
	}
	a.showTray()
	a.sendStatus()
}

func (a *Agent) applySettings(s settings.Settings) {
	shortcutChanged := s.Shortcut != a.settings.Shortcut
	a.settings, a.rules = s, s.Watches
	a.rememberHooks(s.Watches)
	a.dropHookFailures()
	a.notifyAlerts(a.exposure.turn(s.NewExposed, time.Now(), a.update.Snapshot, a.log))
	a.watcher.SetRules(a.effectiveRules(), s.GracePeriod)
	a.notifications.SetSound(s.Sound)
	a.notifications.SetExpiry(s.Expiry)
	a.applyLabels()
	if shortcutChanged {
		a.askShortcut()
	}
	a.pollUDP()
	a.countConnections()
	a.checkHealth()
	a.history.SetRetention(s.HistoryDays, s.HistoryEvents)
	a.applyPollingInterval()
	if s.Language != a.opts.Language {
		a.restartForLanguage()
	}
}

// pollUDP makes the monitor include UDP sockets if they are shown or watched.
func (a *Agent) pollUDP() { a.monitor.SetUDP(a.settings.UDP || a.rules.HasUDP()) }

// Default polling intervals.
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
	for _, warning := range s.Warnings {
		a.log.Warn("unknown entry in the settings file", "warning", warning)
	}
	a.problems.set("settings warnings", settingsWarning(s.Warnings))
	if err == nil {
		a.problems.set("settings", newerSettingsProblem(s.Newer))
		return
	}
	a.log.Warn("can't use the settings file; it will not be overwritten", "error", err)
	a.problems.set("settings", settingsProblem(err))
}

// changeSetting changes a setting for the window c and sends the result, after a
// status update with the new value.
func (a *Agent) changeSetting(c *ipc.WindowConn, key, value string) {
	problem := ""
	if key == ipc.KeyStartAtLogin {
		problem = a.setAutostart(value == "true")
	} else if s, err := a.settingsFile.Set(key, value); err != nil {
		a.log.Warn("can't change a setting", "setting", key, "error", err)
		problem = settingRefusedProblem(err)
	} else {
		a.applySettings(s)
		a.reportSettingsProblem(s, nil)
		a.showTray()
	}
	a.sendStatus()
	c.Send(ipc.Message{Kind: ipc.Result, Key: key, Problem: problem})
}

// sendTestNotification shows a test notification and sends the result to c.
func (a *Agent) sendTestNotification(c *ipc.WindowConn) {
	a.notifications.NotifyAndReport(notify.Sample(), func(err error) {
		c.Send(ipc.Message{Kind: ipc.Result, Key: ipc.KeyTestNotification, Problem: notificationProblem(err)})
	})
}

// restartForLanguage ends the agent for a successor that uses the language of the
// settings, because this process has already loaded the texts of another
// language.
func (a *Agent) restartForLanguage() {
	program, err := os.Executable()
	if err != nil {
		a.log.Error("can't restart Porthole: the language changes at the next start", "error", err)
		return
	}
	a.successor = &Successor{Program: program, Session: a.opts.Session, Hidden: a.window.cmd == nil}
	a.handsOverWindow = true
	a.quit()
}
