package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"porthole/app/notify"
	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/watch"
)

const (
	maxMissed          = 1000             // alerts stored during a pause
	maxPauseSleep      = 15 * time.Second // timers do not advance while the machine sleeps
	missedSaveInterval = 10 * time.Second // between writes of missed alerts; a crash loses at most this much
)

// savedPause is the content of pause.json in the state directory. The file exists
// only during a pause, or while alerts wait for the end of the quiet hours, which survives restarts of the agent.
type savedPause struct {
	Until  time.Time     `json:"until,omitzero"` // zero: until resumed
	Missed []watch.Alert `json:"missed,omitempty"`
	Quiet  bool          `json:"quiet,omitempty"` // not paused: the alerts are of quiet hours
}

func pausePath() string { return filepath.Join(paths.State(), "pause.json") }

// pause pauses notifications for d; 0: until resumed. The end is a wall clock time,
// so that it does not shift while the machine sleeps.
func (a *Agent) pause(d time.Duration) {
	a.paused, a.pausedUntil = true, time.Time{}
	if d > 0 {
		a.pausedUntil = time.Now().Add(d).Round(0)
	}
	a.savePause()
	a.showTray()
	a.sendStatus()
}

// resume ends the pause and shows one notification about the missed alerts.
func (a *Agent) resume() {
	a.paused, a.pausedUntil = false, time.Time{}
	if !a.heldBack(time.Now()) {
		a.showMissed(notify.MissedSummary)
	}
	a.savePause()
	a.showTray()
	a.sendStatus()
}

// endPause ends a pause that has expired.
func (a *Agent) endPause(now time.Time) {
	if a.paused && !a.pausedUntil.IsZero() && !now.Before(a.pausedUntil) {
		a.resume()
	}
}

// heldBack reports whether alerts wait for the end of the quiet hours.
func (a *Agent) heldBack(now time.Time) bool {
	return !a.paused && len(a.missed) > 0 && a.settings.QuietHours.Contains(now)
}

// quietEnded reports whether alerts have waited for the end of the quiet hours, and these
// have ended or are no longer in the settings.
func (a *Agent) quietEnded(now time.Time) bool {
	return !a.paused && len(a.missed) > 0 && !a.settings.QuietHours.Contains(now)
}

// endQuietHours shows one notification about the alerts of the quiet hours after
// they have ended.
func (a *Agent) endQuietHours(now time.Time) {
	if a.quietEnded(now) {
		a.showMissed(notify.QuietSummary)
		a.savePause()
	}
}

// showMissed shows one notification about the missed alerts, and forgets them.
func (a *Agent) showMissed(summary func([]watch.Alert) notify.Notification) {
	if len(a.missed) > 0 && a.settings.Notifications {
		a.notifications.Notify(summary(a.missed))
	}
	a.missed = nil
}

// addMissed stores alerts for the end of the pause, without secrets.
func (a *Agent) addMissed(alerts []watch.Alert) {
	for _, alert := range alerts {
		alert.Listener, alert.Before = withoutSecrets(alert.Listener), withoutSecrets(alert.Before)
		alert.Rule.Run, alert.Rule.Post = nil, ""
		a.missed = append(a.missed, alert)
	}
	a.missed = slices.Clone(a.missed[max(0, len(a.missed)-maxMissed):])
	if len(alerts) > 0 && time.Since(a.pauseSaved) >= missedSaveInterval {
		a.savePause()
	}
}

// identifyMissed adds the owners of listeners to missed alerts without one.
func (a *Agent) identifyMissed(listeners []*monitor.Listener) {
	for _, l := range listeners {
		for i := range a.missed {
			if m := &a.missed[i]; m.Listener.ID == l.ID && len(m.Listener.Owners) == 0 && m.Kind != watch.Closed && m.Kind != watch.Crashed {
				m.Listener = withoutSecrets(l)
			}
		}
	}
}

// withoutSecrets returns a copy of l, for a file, with only what a notification
// needs: no command lines, which can contain secrets.
func withoutSecrets(l *monitor.Listener) *monitor.Listener {
	if l == nil {
		return nil
	}
	b := *l
	b.Sockets, b.Owners, b.Inferred = nil, slices.Clone(l.Owners), nil
	for i, o := range b.Owners {
		b.Owners[i] = monitor.Owner{PID: o.PID, Start: o.Start, Name: o.Name, User: o.User, Project: o.Project}
	}
	if l.Inferred != nil {
		b.Inferred = &monitor.Owner{PID: l.Inferred.PID, Name: l.Inferred.Name, User: l.Inferred.User}
	}
	return &b
}

// savePause writes the pause for the next run; without a pause it removes the file.
func (a *Agent) savePause() {
	a.pauseSaved = time.Now()
	var err error
	if a.paused || len(a.missed) > 0 {
		err = writePause(a.pausePath, savedPause{Until: a.pausedUntil, Missed: a.missed, Quiet: !a.paused})
	} else if err = os.Remove(a.pausePath); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		a.log.Warn("can't save the pause of notifications; it ends when Porthole quits", "error", err)
	}
}

// loadPause restores the pause of the last run. A pause that has expired ends
// immediately, with a notification about the missed alerts.
func (a *Agent) loadPause(now time.Time) {
	p, err := readPause(a.pausePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		a.log.Warn("can't read the saved pause; notifications are not paused", "error", err)
		a.savePause() // removes the file
		return
	}
	a.paused, a.pausedUntil, a.missed = !p.Quiet, p.Until, p.Missed
	a.endQuietHours(now)
	a.endPause(now)
}

func readPause(path string) (p savedPause, _ error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return p, fmt.Errorf("read the saved pause: %w", err)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("decode %s: %w", path, err)
	}
	p.Missed = slices.DeleteFunc(p.Missed, func(a watch.Alert) bool { return a.Listener == nil })
	return p, nil
}

func writePause(path string, p savedPause) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode the pause: %w", err)
	}
	return writePrivateFile(path, b)
}
