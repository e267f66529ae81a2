package agent

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/settings"
	"porthole/monitor/watch"
)

func TestQuietHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pause.json")
		a, notifier := newTestAgent(t, path)
		now := time.Now()
		minutes := now.Hour()*60 + now.Minute()
		a.settings.QuietHours = settings.Hours{From: minutes, To: (minutes + 60) % (24 * 60)}
		urgent := openedAlert(testListener())
		urgent.Rule.Urgency = watch.Critical
		a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
		notifier.want(t)
		a.notifyAlerts([]watch.Alert{urgent})
		notifier.want(t, "62893 is open: node")
		a.endQuietHours(time.Now())
		notifier.want(t, "62893 is open: node")
		if wake := a.nextWakeup(time.Now()); wake > maxPauseSleep {
			t.Errorf("the agent sleeps for %v while alerts wait", wake)
		}
		a.pause(0) // a pause in the quiet hours does not end them
		a.resume()
		notifier.want(t, "62893 is open: node")
		a.savePause()
		a.quit()

		a, notifier = newTestAgent(t, path) // a restart
		defer a.quit()
		a.settings.QuietHours = settings.Hours{From: minutes, To: (minutes + 60) % (24 * 60)}
		a.loadPause(time.Now())
		notifier.want(t)
		if a.paused {
			t.Error("quiet hours became a pause")
		}
		hours := a.settings.QuietHours
		a.settings.QuietHours = settings.Hours{} // removed from the settings
		if wake := a.nextWakeup(time.Now()); wake > 0 {
			t.Errorf("without quiet hours the agent sleeps for %v while alerts wait", wake)
		}
		a.settings.QuietHours = hours
		time.Sleep(time.Hour)
		// An update may have interrupted the sleep just after the end.
		if wake := a.nextWakeup(time.Now()); wake > 0 {
			t.Errorf("after the quiet hours the agent sleeps for %v while alerts wait", wake)
		}
		a.endQuietHours(time.Now())
		notifier.want(t, "During the quiet hours: 62893 is open: node")
		a.endQuietHours(time.Now())
		notifier.want(t, "During the quiet hours: 62893 is open: node")
	})
}
