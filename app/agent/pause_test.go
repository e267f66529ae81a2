package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
)

func TestPauseEndsAtItsTimeAndShowsMissedAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		a.pause(15 * time.Minute)
		a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
		for end := time.Now().Add(15*time.Minute - time.Second); time.Now().Before(end); {
			d := a.nextWakeup(time.Now())
			if d <= 0 || d > maxPauseSleep {
				t.Fatalf("nextWakeup: got %v, want at most %v", d, maxPauseSleep)
			}
			time.Sleep(min(d, time.Until(end)))
			a.endPause(time.Now())
		}
		notifier.want(t)
		time.Sleep(a.nextWakeup(time.Now()))
		a.endPause(time.Now())
		notifier.want(t, "While notifications were paused: 62893 is open: node")
		if a.paused {
			t.Error("notifications are still paused")
		}
	})
}

func TestPauseSurvivesARestart(t *testing.T) {
	for _, c := range []struct {
		what      string
		d, off    time.Duration // off is the time without an agent
		paused    bool
		wantFirst []string
	}{
		{"until resumed", 0, 24 * time.Hour, true, nil},
		{"not expired", time.Hour, 30 * time.Minute, true, nil},
		{"expired", time.Hour, 2 * time.Hour, false, []string{"While notifications were paused: 62893 is open: node"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "state", "pause.json")
				a, notifier := newTestAgent(t, path)
				a.pause(c.d)
				a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
				a.savePause() // as at the end of Run
				a.quit()
				notifier.want(t)
				time.Sleep(c.off)

				b, notifier := newTestAgent(t, path)
				defer b.quit()
				b.loadPause(time.Now())
				if b.paused != c.paused || !b.pausedUntil.Equal(a.pausedUntil) && c.paused {
					t.Errorf("got paused %t until %v, want %t until %v", b.paused, b.pausedUntil, c.paused, a.pausedUntil)
				}
				notifier.want(t, c.wantFirst...)
				if c.paused {
					b.resume()
					notifier.want(t, "While notifications were paused: 62893 is open: node")
				}
				if _, err := readPause(path); err == nil {
					t.Error("the file exists after the pause")
				}
			})
		})
	}
}

func TestMissedAlertsAreSavedPeriodically(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pause.json")
		a, _ := newTestAgent(t, path)
		defer a.quit()
		a.pause(0)
		for n := range 3 {
			time.Sleep(missedSaveInterval)
			a.notifyAlerts([]watch.Alert{openedAlert(testListener()), openedAlert(testListener())}[n%2:])
			p, err := readPause(path)
			if err != nil || len(p.Missed) != len(a.missed) {
				t.Errorf("step %d: got %d saved alerts, error %v; want %d", n, len(p.Missed), err, len(a.missed))
			}
		}
		a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
		if p, _ := readPause(path); len(p.Missed) != len(a.missed)-1 {
			t.Errorf("immediately after a write: got %d saved alerts, want %d of %d", len(p.Missed), len(a.missed)-1, len(a.missed))
		}
	})
}

func TestInvalidPauseFileIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pause.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ := newTestAgent(t, path)
	defer a.quit()
	a.loadPause(time.Now())
	if _, err := os.Stat(path); a.paused || err == nil {
		t.Errorf("got paused %t, file exists %t; want false and false", a.paused, err == nil)
	}
}

func TestSavedPauseContainsNoSecrets(t *testing.T) {
	l := testListener()
	l.Inferred = &monitor.Owner{Command: []string{"hunter2"}}
	path := filepath.Join(t.TempDir(), "pause.json")
	a, _ := newTestAgent(t, path)
	defer a.quit()
	a.pause(0)
	a.addMissed([]watch.Alert{{Kind: watch.OwnerChanged, Listener: l, Before: l}})
	a.savePause()
	p, err := readPause(path)
	if err != nil || len(p.Missed) != 1 {
		t.Fatalf("got %+v, error %v; want one alert", p, err)
	}
	for _, l := range []*monitor.Listener{p.Missed[0].Listener, p.Missed[0].Before} {
		if l.Owners[0].Name != "node" || len(l.Owners[0].Command) > 0 || len(l.Inferred.Command) > 0 {
			t.Errorf("saved %+v, want the name without the command line", l)
		}
	}
	if !strings.Contains(strings.Join(testListener().Owners[0].Command, " "), "hunter2") {
		t.Error("testListener contains no secret")
	}
}

// The owner of a port may be found after its alert was stored.
func TestMissedAlertsAreIdentified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		a.pause(0)
		unknown := testListener()
		unknown.Owners = nil
		a.notifyAlerts([]watch.Alert{openedAlert(unknown)})
		a.handleUpdate(monitor.Update{Events: []monitor.Event{{Kind: monitor.Updated, Listener: testListener(), Before: unknown}}})
		a.resume()
		notifier.want(t, "While notifications were paused: 62893 is open: node")
	})
}
