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
	"porthole/monitor"
	"porthole/monitor/watch"
)

// This file is the pause of notifications, which outlives the agent.

const (
	maxMissed          = 1000             // bounds what is remembered of a long pause
	maxPauseSleep      = 15 * time.Second // a timer does not run while the machine sleeps
	missedSaveInterval = 10 * time.Second // between two writes of what was missed: a crash costs no more
)

// savedPause is what is kept of a pause: beside the activity, and gone when the
// pause is over.
type savedPause struct {
	Until  time.Time     `json:"until,omitzero"` // zero: until resumed
	Missed []watch.Alert `json:"missed,omitempty"`
}

func pausePath() string { return filepath.Join(stateDir(), "pause.json") }

// pause stops notifications for d, or until resumed where d is 0. It ends at a
// moment of the clock on the wall: a machine that sleeps does not lengthen it.
func (a *Agent) pause(d time.Duration) {
	a.paused, a.pausedUntil = true, time.Time{}
	if d > 0 {
		a.pausedUntil = time.Now().Add(d).Round(0)
	}
	a.savePause()
	a.showTray()
	a.sendStatus()
}

// resume tells in one sentence what was missed.
func (a *Agent) resume() {
	a.paused, a.pausedUntil = false, time.Time{}
	if len(a.missed) > 0 && a.settings.Notifications {
		a.notes.Notify(notify.MissedSummary(a.missed))
	}
	a.missed = nil
	a.savePause()
	a.showTray()
	a.sendStatus()
}

// endPause ends a pause whose time is over.
func (a *Agent) endPause(now time.Time) {
	if a.paused && !a.pausedUntil.IsZero() && !now.Before(a.pausedUntil) {
		a.resume()
	}
}

// addMissed remembers what is not told, in a few words of each.
func (a *Agent) addMissed(alerts []watch.Alert) {
	for _, alert := range alerts {
		alert.Listener, alert.Before = withoutSecrets(alert.Listener), withoutSecrets(alert.Before)
		a.missed = append(a.missed, alert)
	}
	a.missed = slices.Clone(a.missed[max(0, len(a.missed)-maxMissed):])
	if len(alerts) > 0 && time.Since(a.pauseSaved) >= missedSaveInterval {
		a.savePause()
	}
}

// withoutSecrets is l as far as a notification needs it, without commands and their
// secrets: it is written to a file.
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

// savePause keeps the pause for the next run, or that there is none.
func (a *Agent) savePause() {
	a.pauseSaved = time.Now()
	var err error
	if a.paused {
		err = writePause(a.pausePath, savedPause{Until: a.pausedUntil, Missed: a.missed})
	} else if err = os.Remove(a.pausePath); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		a.log.Warn("the pause of notifications will not outlive this run", "problem", err)
	}
}

// loadPause goes on with the pause of the last run. One whose time is over ends
// now, with what was missed.
func (a *Agent) loadPause(now time.Time) {
	p, err := readPause(a.pausePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		a.log.Warn("whether notifications were paused cannot be told: they are not", "problem", err)
		a.savePause() // the file is of no use to anyone
		return
	}
	a.paused, a.pausedUntil, a.missed = true, p.Until, p.Missed
	a.endPause(now)
}

func readPause(path string) (p savedPause, _ error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return p, fmt.Errorf("read the pause: %w", err)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("read the pause of %s: %w", path, err)
	}
	p.Missed = slices.DeleteFunc(p.Missed, func(a watch.Alert) bool { return a.Listener == nil })
	return p, nil
}

func writePause(path string, p savedPause) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the pause: %w", err)
	}
	return writePrivateFile(path, b)
}
