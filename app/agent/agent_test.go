package agent

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history/store"
	"porthole/monitor/watch"
	"porthole/ui"
)

// fakeNotifier is a Notifier that remembers what it is to show.
type fakeNotifier struct {
	mu     sync.Mutex
	titles []string
}

func (s *fakeNotifier) Notify(_ context.Context, n notify.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.titles = append(s.titles, n.Title)
	return nil
}
func (s *fakeNotifier) Withdraw(context.Context, string) error { return nil }
func (s *fakeNotifier) Close()                                 {}

// newTestAgent is an agent without what surrounds it, whose hub is the test. It ends
// with the test's context.
func newTestAgent(t *testing.T, pauseTo string) (*Agent, *fakeNotifier) {
	t.Helper()
	ctx, quit := context.WithCancel(t.Context())
	a := &Agent{log: slog.New(slog.DiscardHandler), settings: settings.Defaults(), ctx: ctx, quit: quit, inbox: make(chan func(), 64),
		watcher: watch.NewWatcher(watch.Default(), 0), rules: watch.Default(), pausePath: pauseTo}
	a.window = newWindowProcess(a)
	to := &fakeNotifier{}
	a.notes = notify.Start(ctx, to, func(error) {}, a.log)
	return a, to
}

func (s *fakeNotifier) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.titles, want) {
		t.Errorf("told %q, want %q", s.titles, want)
	}
}

// testListener listens on the watched port.
func testListener() *monitor.Listener {
	return &monitor.Listener{ID: "a", Port: 62893, Protocol: monitor.TCP, Exposure: monitor.ExposureLoopback, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Owners: []monitor.Owner{{PID: 7, Start: 7, Name: "node", Command: []string{"node", "--password=hunter2"}}}}
}

func openedAlert(l *monitor.Listener) watch.Alert {
	return watch.Alert{Kind: watch.Opened, Listener: l, Rule: watch.Default()[0]}
}

func TestAPauseEndsByTheClockAndTellsWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, told := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		a.pause(15 * time.Minute)
		a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
		for end := time.Now().Add(15*time.Minute - time.Second); time.Now().Before(end); {
			d := a.nextWakeup(time.Now())
			if d <= 0 || d > maxPauseSleep {
				t.Fatalf("hub sleeps %v in a pause with an end, want at most %v", d, maxPauseSleep)
			}
			time.Sleep(min(d, time.Until(end)))
			a.endPause(time.Now())
		}
		told.want(t)
		time.Sleep(a.nextWakeup(time.Now()))
		a.endPause(time.Now())
		told.want(t, "While notifications were paused: 62893 is open: node")
		if a.paused {
			t.Error("it is still paused")
		}
	})
}

func TestAPauseOutlivesTheAgent(t *testing.T) {
	for _, c := range []struct {
		what      string
		d, off    time.Duration // off is how long no agent runs
		paused    bool
		wantFirst []string
	}{
		{"until resumed", 0, 24 * time.Hour, true, nil},
		{"still within its time", time.Hour, 30 * time.Minute, true, nil},
		{"over meanwhile", time.Hour, 2 * time.Hour, false, []string{"While notifications were paused: 62893 is open: node"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "state", "pause.json")
				a, told := newTestAgent(t, path)
				a.pause(c.d)
				a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
				a.savePause() // as Run does at the end
				a.quit()
				told.want(t)
				time.Sleep(c.off)

				b, told := newTestAgent(t, path)
				defer b.quit()
				b.loadPause(time.Now())
				if b.paused != c.paused || !b.pausedUntil.Equal(a.pausedUntil) && c.paused {
					t.Errorf("paused %v until %v, want %v until %v", b.paused, b.pausedUntil, c.paused, a.pausedUntil)
				}
				told.want(t, c.wantFirst...)
				if c.paused {
					b.resume()
					told.want(t, "While notifications were paused: 62893 is open: node")
				}
				if _, err := readPause(path); err == nil {
					t.Error("the file of a pause that is over stays")
				}
			})
		})
	}
}

func TestACrashInAPauseCostsSecondsOfWhatWasMissed(t *testing.T) {
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
				t.Errorf("after %d: kept %d alerts, %v; want %d", n, len(p.Missed), err, len(a.missed))
			}
		}
		a.notifyAlerts([]watch.Alert{openedAlert(testListener())})
		if p, _ := readPause(path); len(p.Missed) != len(a.missed)-1 {
			t.Errorf("right after it %d are kept of %d: each alert writes the file", len(p.Missed), len(a.missed))
		}
	})
}

func TestAPauseThatCannotBeReadIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pause.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ := newTestAgent(t, path)
	defer a.quit()
	a.loadPause(time.Now())
	if _, err := os.Stat(path); a.paused || err == nil {
		t.Errorf("paused %v, the file: %v; want neither", a.paused, err)
	}
}

func TestNoSecretIsWrittenOfAPause(t *testing.T) {
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
		t.Fatalf("read %+v, %v; want one alert", p, err)
	}
	for _, l := range []*monitor.Listener{p.Missed[0].Listener, p.Missed[0].Before} {
		if l.Owners[0].Name != "node" || len(l.Owners[0].Command) > 0 || len(l.Inferred.Command) > 0 {
			t.Errorf("kept %+v; want the name without the command", l)
		}
	}
	if !strings.Contains(strings.Join(testListener().Owners[0].Command, " "), "hunter2") {
		t.Error("the test has no secret")
	}
}

func TestWhatWasLookedAtIsMarkedNoMore(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	exposed := testListener()
	exposed.Exposure = monitor.ExposureNetwork
	change := []monitor.Event{{Kind: monitor.Opened, Listener: exposed}}
	see := func(what, page string, unseen, alarm bool) {
		t.Helper()
		a.window.viewedPage = page
		a.clearViewed()
		if a.unread != unseen || a.alert != alarm {
			t.Errorf("%s: dot %v, triangle %v; want %v, %v", what, a.unread, a.alert, unseen, alarm)
		}
	}
	a.markUnread(change)
	see("nobody looks", "", true, true)
	a.window.conn = &ipc.WindowConn{}
	see("a window that shows nothing yet", "", true, true)
	see("the watches", ui.PageWatches, true, true)
	see("the activity", ui.PageHistory, false, true)
	see("the ports", ui.PagePorts, false, false)
	a.markUnread(change)
	see("a change before the eyes", ui.PagePorts, false, false)
	a.window.viewedPage = ui.PageHistory
	a.markUnread(change)
	see("a change on the activity page", ui.PageHistory, false, true)
}

// who asks for a port: the agent answers with the owners as it first saw them.
func TestTheAgentRecallsAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, "")
		defer a.quit()
		l, other := testListener(), testListener()
		l.Owners[0].Parents = []monitor.Parent{{PID: 5, Start: 3, Name: "zsh"}}
		other.ID, other.Port = "b", 3000
		a.update.Snapshot.Listeners = []*monitor.Listener{other, l}
		got := a.handleCommand(ipc.Message{Kind: ipc.Lookup, Port: 62893})
		if got.Kind != ipc.Done || len(got.Listeners) != 1 || got.Listeners[0] != l {
			t.Errorf("%+v; want the one listener with its parents", got)
		}
		if got = a.handleCommand(ipc.Message{Kind: ipc.Lookup, Port: 1}); got.Kind != ipc.Done || len(got.Listeners) != 0 {
			t.Errorf("of a free port: %+v", got)
		}
	})
}

func TestNotificationsThatAreOffTellNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, to := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		alerts := []watch.Alert{openedAlert(testListener())}
		a.settings.Notifications = false
		a.notifyAlerts(alerts)
		to.want(t)
		a.pause(0)
		a.notifyAlerts(alerts)
		a.resume()
		to.want(t)
		a.settings.Notifications = true
		a.pause(0)
		a.notifyAlerts(alerts)
		a.settings.Notifications = false
		a.resume()
		to.want(t)
	})
}

// withFile gives the agent a settings file in dir and returns its path.
func (a *Agent) withFile(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "settings.yaml")
	a.settingsFile = settings.Open(path)
	a.monitor = monitor.New(nil, nil, monitor.Options{Logger: a.log})
	a.history = store.Open(filepath.Join(dir, "activity.db"), store.Options{Logger: a.log})
	t.Cleanup(a.history.Close)
	return path
}

func TestAnEditOfTheWindowIsMergedWithTheFile(t *testing.T) {
	dir := t.TempDir()
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	defer a.quit()
	path := a.withFile(t, dir)
	const byHand = "watches:\n  - ports: 80 # mine\n    name: web\n  - ports: 90\n"
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := watch.Rules{}.WithPort(80).WithPort(81) // before the hand edit, which nobody has told it of
	a.WindowMessage(nil, ipc.Message{Kind: ipc.SetWatches, Base: seen, Watches: seen.Disable(seen[0])})
	(<-a.inbox)()
	b, err := os.ReadFile(path)
	if want := "watches:\n  - ports: 80 # mine\n    name: web\n    off: true\n  - ports: 90\n"; err != nil || string(b) != want {
		t.Errorf("the file is\n%s%v\nwant\n%s", b, err, want)
	}
	if len(a.rules) != 2 || !a.rules[0].Off || !a.rules.WatchesPort(90) {
		t.Errorf("the rules are %+v", a.rules)
	}
}

func TestAnEditThatCouldNotBeSavedIsMadeOnceTheFileIsMended(t *testing.T) {
	dir := t.TempDir()
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	defer a.quit()
	path := a.withFile(t, dir)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a.reloadSettings()
	}
	watches := func(what string, ports ...uint16) {
		t.Helper()
		for _, port := range ports {
			if !a.rules.WatchesPort(port) {
				t.Errorf("%s: %d is not watched: %+v", what, port, a.rules)
			}
		}
		if len(a.rules) != len(ports) {
			t.Errorf("%s: the rules are %+v, want %v", what, a.rules, ports)
		}
	}
	write("watches:\n  - ports: 80\n")
	write("watches: oops\n")
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) })
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(82) })
	watches("while the file is broken", 80, 81, 82)
	if len(a.problems) != 1 {
		t.Errorf("problems %q, want one", a.problems.texts())
	}
	write("watches:\n  - ports: 90\n")
	watches("once it is mended", 90, 81, 82)
	if len(a.problems) != 0 {
		t.Errorf("problems %q, want none", a.problems.texts())
	}
	write("version: 99\nwatches:\n  - ports: 70\n")
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(71) })
	watches("in a newer file", 70, 71)
	write("version: 99\nwatches:\n  - ports: 60\n")
	watches("in a newer file that was edited", 60, 71)
	if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), "71") {
		t.Errorf("the newer file is %q, %v", b, err)
	}
}
