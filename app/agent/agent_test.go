package agent

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/settings"
	"porthole/app/tray"
	"porthole/monitor"
	"porthole/monitor/history/store"
	"porthole/monitor/sockevents"
	"porthole/monitor/watch"
	"porthole/ui"
)

// fakeNotifier is a Notifier that records the titles of notifications.
type fakeNotifier struct {
	mu     sync.Mutex
	titles []string
	shown  chan struct{} // gets a value for each if there is room
}

func (f *fakeNotifier) Notify(_ context.Context, n notify.Notification) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.titles = append(f.titles, n.Title)
	select {
	case f.shown <- struct{}{}:
	default:
	}
	return nil
}
func (f *fakeNotifier) Withdraw(context.Context, string) error { return nil }
func (f *fakeNotifier) Close()                                 {}

// want fails unless exactly these titles were shown so far.
func (f *fakeNotifier) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.titles, want) {
		t.Errorf("got notifications %q, want %q", f.titles, want)
	}
}

// newTestAgent returns an agent without monitor, server and tray. Its loop does not
// run: the test calls the agent's methods instead. It ends with the test's context.
func newTestAgent(t testing.TB, pausePath string) (*Agent, *fakeNotifier) {
	t.Helper()
	ctx, quit := context.WithCancel(t.Context())
	a := &Agent{log: slog.New(slog.DiscardHandler), settings: settings.Defaults(), ctx: ctx, quit: quit, inbox: make(chan func(), 64), vacantRequests: make(chan []uint16, 1),
		tracker: &sockevents.Tracker{}, missing: map[string]*time.Timer{},
		watcher: watch.NewWatcher(watch.Default(), 0), rules: watch.Default(), pausePath: pausePath}
	a.checker = newChecker(a)
	a.lastOwnerQueries = make(chan lastOwnerQuery, maxLastOwnerQueries)
	a.lastOwners = newLastOwners(a)
	a.window, a.menu = newWindowProcess(a), newMenuProcess(a)
	a.hooks = newHooks(a.reportHook)
	a.exposure = newExposure(pausePath + ".exposed")
	notifier := &fakeNotifier{shown: make(chan struct{}, 1)}
	a.notifications = notify.Start(ctx, notifier, func(error) {}, a.log)
	return a, notifier
}

// testListener returns a listener on the port that is watched by default.
func testListener() *monitor.Listener {
	return &monitor.Listener{ID: "a", Port: 62893, Protocol: monitor.TCP, Exposure: monitor.ExposureLoopback, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Owners: []monitor.Owner{{PID: 7, Start: 7, Name: "node", Command: []string{"node", "--password=hunter2"}}}}
}

func openedAlert(l *monitor.Listener) watch.Alert {
	return watch.Alert{Kind: watch.Opened, Listener: l, Rule: watch.Default()[0]}
}

func TestViewedPagesClearTheMarks(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	exposed := testListener()
	exposed.Exposure = monitor.ExposureNetwork
	events := []monitor.Event{{Kind: monitor.Opened, Listener: exposed}}
	view := func(what, page string, unread, alert bool) {
		t.Helper()
		a.window.viewedPage = page
		a.clearViewed()
		if a.unread != unread || a.alert != alert {
			t.Errorf("%s: got unread %t and alert %t, want %t and %t", what, a.unread, a.alert, unread, alert)
		}
	}
	a.markUnread(events)
	view("no window", "", true, true)
	a.window.conn = &ipc.WindowConn{}
	view("empty window", "", true, true)
	view("Watches page", ui.PageWatches, true, true)
	view("History page", ui.PageHistory, false, true)
	view("Ports page", ui.PagePorts, false, false)
	a.markUnread(events)
	view("event while on the Ports page", ui.PagePorts, false, false)
	a.window.viewedPage = ui.PageHistory
	a.markUnread(events)
	view("event while on the History page", ui.PageHistory, false, true)
}

// "porthole who" asks the agent for the owners as first seen.
func TestLookupReturnsTheListenersOfAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, "")
		defer a.quit()
		l, other := testListener(), testListener()
		l.Owners[0].Parents = []monitor.Parent{{PID: 5, Start: 3, Name: "zsh"}}
		other.ID, other.Port = "b", 3000
		a.update.Snapshot.Listeners = []*monitor.Listener{other, l}
		got := a.handleCommand(ipc.Message{Kind: ipc.Lookup, Port: 62893})
		if got.Kind != ipc.Done || len(got.Listeners) != 1 || got.Listeners[0] != l {
			t.Errorf("got %+v, want the listener with its parents", got)
		}
		if got = a.handleCommand(ipc.Message{Kind: ipc.Lookup, Port: 1}); got.Kind != ipc.Done || len(got.Listeners) != 0 {
			t.Errorf("free port: got %+v, want no listeners", got)
		}
	})
}

func TestDisabledNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		alerts := []watch.Alert{openedAlert(testListener())}
		a.settings.Notifications = false
		a.notifyAlerts(alerts)
		notifier.want(t)
		a.pause(0)
		a.notifyAlerts(alerts)
		a.resume()
		notifier.want(t)
		a.settings.Notifications = true
		a.pause(0)
		a.notifyAlerts(alerts)
		a.settings.Notifications = false
		a.resume()
		notifier.want(t)
	})
}

func TestStartsHidden(t *testing.T) {
	for _, c := range []struct {
		opts              Options
		startHidden, tray bool
		want              bool
	}{
		{Options{}, false, true, false},
		{Options{}, true, true, true},
		{Options{Hidden: true}, false, false, true},
		{Options{ShowWindow: true}, true, true, false},
		{Options{Port: 80}, true, true, false},
		{Options{}, true, false, false}, // nothing would show that Porthole is running
	} {
		a := &Agent{opts: c.opts, settings: settings.Settings{StartHidden: c.startHidden}}
		if c.tray {
			a.tray = &tray.Tray{}
		}
		if got := a.startsHidden(); got != c.want {
			t.Errorf("options %+v, start_hidden %t, tray %t: got %t, want %t", c.opts, c.startHidden, c.tray, got, c.want)
		}
	}
}

// The last alert about a flapping port describes its present state, and openings
// that were held back are dropped if the port has closed since.
func TestDelayedAlertsShowThePresentState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, notifier := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		defer a.quit()
		flapping := openedAlert(testListener())
		flapping.Kind, flapping.Count = watch.Flapping, 3
		a.notifyAlerts(a.current([]watch.Alert{flapping, openedAlert(testListener())}))
		notifier.want(t, "62893 is closed after 3 changes")
		time.Sleep(time.Minute)
		present := testListener()
		present.ID, present.Owners[0].Name = "b", "python3"
		a.update.Snapshot.Listeners = []*monitor.Listener{present}
		a.notifyAlerts(a.current([]watch.Alert{flapping}))
		notifier.want(t, "62893 is closed after 3 changes", "62893 is open after 3 changes: python3")
	})
}

// After a restart of Porthole, the history still contains the time when a port opened.
func TestOpeningTimeSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	opened := testListener()
	opened.Since = time.Now().Add(-38 * time.Minute)
	s := store.Open(path, store.Options{Boot: "boot", Logger: slog.New(slog.DiscardHandler)})
	s.Record(monitor.Update{Ready: true})
	s.Record(monitor.Update{Ready: true, Snapshot: monitor.Snapshot{TakenAt: time.Now(), Listeners: []*monitor.Listener{opened}},
		Events: []monitor.Event{{At: opened.Since, Kind: monitor.Opened, Listener: opened}}})
	s.Close()
	var next openings
	if err := next.read(t.Context(), path, "another boot"); err != nil || len(next.at) > 0 {
		t.Errorf("after a reboot: got %v, %v, want nothing", next.at, err)
	}
	if err := next.read(t.Context(), path, "boot"); err != nil {
		t.Fatal(err)
	}
	found := testListener() // as the next agent sees it
	next.describe(found)
	if !found.Since.Equal(opened.Since.Truncate(time.Microsecond)) {
		t.Errorf("got opened at %v, want %v", found.Since, opened.Since)
	}
	later := testListener()
	later.Since = opened.Since.Add(time.Hour) // seen by this agent
	if next.describe(later); !later.Since.Equal(opened.Since.Add(time.Hour)) {
		t.Errorf("got opened at %v, want it unchanged", later.Since)
	}
}

// An owner that was found late is shown in the tray's menu, too.
func TestRecentEventsAreIdentified(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	unknown := testListener()
	unknown.Owners = nil
	a.handleUpdate(monitor.Update{Events: []monitor.Event{{Kind: monitor.Opened, Listener: unknown}}})
	a.handleUpdate(monitor.Update{Events: []monitor.Event{{Kind: monitor.Updated, Listener: testListener(), Before: unknown}}})
	if len(a.recent) != 1 || len(a.recent[0].Listener.Owners) == 0 {
		t.Errorf("got recent events %+v, want one with its owner", a.recent)
	}
}
