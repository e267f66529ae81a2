package agent

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// A burst of attempts is notified once, some seconds after its begin, if a rule asks for
// it.
func TestNotifiesAboutAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		a.settings.Notifications = true
		a.rules = watch.Rules{{Ports: monitor.Ports{{First: 62893, Last: 62893}}, NotifyOn: watch.DefaultEvents | watch.OnAttempt}}
		a.watcher.SetRules(a.rules, 0)
		burst := connection.Burst{Port: 62893, First: time.Now(), Last: time.Now(), Attempts: 1, LastMinute: 1}
		a.handleAttempts([]connection.Burst{burst}, nil)
		notifier.want(t)
		if len(a.status().Attempts) != 1 || len(a.trayState().Attempts) != 1 {
			t.Error("the attempt is not shown")
		}
		time.Sleep(5 * time.Second)
		burst.Attempts, burst.LastMinute = 3, 3
		for range 2 {
			a.handleAttempts([]connection.Burst{burst}, nil)
		}
		time.Sleep(2 * time.Second)
		notifier.want(t, "62893 is closed, and something tried to connect at least 3 times in the last minute")
		a.handleAttempts(nil, nil)
		if len(a.status().Attempts) != 0 {
			t.Error("the attempt is still shown")
		}
	})
}

// An alert about attempts names who had the port last.
func TestAttemptAlertsNameTheLastOwner(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	l := testListener()
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: l.Port, Last: l.Port}}, NotifyOn: watch.OnAttempt}}
	a.watcher.SetRules(a.rules, 0)
	now := time.Now()
	a.observeLastOwners([]monitor.Event{{At: now, Kind: monitor.Closed, Listener: l}})
	alerts := a.attemptAlerts(now, connection.Burst{Port: l.Port, LastMinute: 1})
	if len(alerts) != 1 || alerts[0].LastOwner != words.Owner(l) {
		t.Errorf("got %+v, want one alert with the last owner %q", alerts, words.Owner(l))
	}
}

// Ports of watches are closed unless something listens there for clients on this machine.
func TestClosedPorts(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: 62890, Last: 62899}}, Except: monitor.Ports{{First: 62899, Last: 62899}}}}
	if got := a.closedPorts(); got != nil {
		t.Errorf("before the first snapshot: got %v, want none", got)
	}
	a.update.Ready = true
	a.update.Snapshot.Listeners = []*monitor.Listener{testListener()}
	if got := a.closedPorts().String(); got != "62890-62892, 62894-62898" {
		t.Errorf("got %s, want 62890-62892, 62894-62898", got)
	}
}
