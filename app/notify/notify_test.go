package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("LANGUAGE", "en") // the tests compare English text
	_ = os.Setenv("LC_ALL", "en_US.UTF-8")
	if err := words.SetUpLanguage(""); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var testTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func listener(port uint16, name, project, address string) *monitor.Listener {
	l := &monitor.Listener{Port: port, Project: project, User: "root", Since: testTime.Add(-12 * time.Minute)}
	l.Addresses = []netip.Addr{netip.MustParseAddr(address)}
	l.Exposure = monitor.ExposureOf(l.Addresses[0])
	if name != "" {
		l.Owners = []monitor.Owner{{PID: 77, Name: name, Command: []string{name, "--password=hunter2"}}}
	}
	return l
}

func alert(kind watch.Kind, l, before *monitor.Listener) watch.Alert {
	return watch.Alert{At: testTime, Kind: kind, Listener: l, Before: before, Rule: watch.Rule{Ports: monitor.Ports{{First: 1, Last: 65535}}}}
}

// alertsFrom3000 returns n alerts, on the ports 3000, 3001 and so on.
func alertsFrom3000(kind watch.Kind, n int) []watch.Alert {
	var alerts []watch.Alert
	for p := range n {
		alerts = append(alerts, alert(kind, listener(uint16(3000+p), "x", "", "127.0.0.1"), nil))
	}
	return alerts
}

// textOf returns the notification for alerts that arrive together.
func textOf(alerts ...watch.Alert) Notification {
	var b burst
	for _, a := range alerts {
		b.add(a)
	}
	return b.notification()
}

func TestCloseByUser(t *testing.T) {
	a := alert(watch.Closed, listener(62893, "node", "acme-web", "127.0.0.1"), nil)
	a.ByUser = true
	if n := textOf(a); n.Title != "62893 closed: node · acme-web (after 12 min)" || !strings.HasPrefix(n.Body, "stopped by you · 1-65535 · 127.0.0.1") {
		t.Errorf("got title %q and body %q", n.Title, n.Body)
	}
}

// A restart says that the previous process crashed, and a close how it ended.
func TestHowTheOwnerEnded(t *testing.T) {
	node := listener(62893, "node", "acme-web", "127.0.0.1")
	for want, a := range map[string]watch.Alert{
		"the previous process was killed by SIGSEGV (core dumped) · 1-65535": {Kind: watch.Restarted, Before: node, Exit: monitor.Exit{Signal: "SIGSEGV", CoreDumped: true}},
		"was killed by SIGTERM · 1-65535":                                    {Kind: watch.Closed, Exit: monitor.Exit{Signal: "SIGTERM"}},
		"1-65535":                                                            {Kind: watch.Restarted, Before: node, Exit: monitor.Exit{Signal: "SIGTERM"}},
	} {
		full := alert(a.Kind, node, a.Before)
		full.Exit = a.Exit
		if n := textOf(full); !strings.HasPrefix(n.Body, want) {
			t.Errorf("got body %q, want it to begin with %q", n.Body, want)
		}
	}
}

func TestTitles(t *testing.T) {
	node := listener(62893, "node", "acme-web", "127.0.0.1")
	unknown := listener(22, "", "", "0.0.0.0")
	unknown.Since = time.Time{}
	udp := listener(5353, "avahi", "", "127.0.0.1")
	udp.Protocol = monitor.UDP
	flapping := alert(watch.Flapping, node, nil)
	flapping.Count = 5
	flappedAndClosed := flapping
	flappedAndClosed.NowClosed = true
	crashed := alert(watch.Crashed, node, nil)
	crashed.Exit = monitor.ExitStatus(1)
	outOfMemory := alert(watch.Crashed, unknown, nil)
	outOfMemory.Exit = monitor.Exit{Signal: "SIGKILL", OutOfMemory: true}
	for want, a := range map[string]watch.Alert{
		"62893 crashed: node · acme-web exited with status 1 after 12 min":     crashed,
		"22 crashed: unknown (user root) was killed by SIGKILL: out of memory": outOfMemory,
		"62893 is open: node · acme-web":                                       alert(watch.Opened, node, nil),
		"62893 closed: node · acme-web (after 12 min)":                         alert(watch.Closed, node, nil),
		"22 closed: unknown (user root)":                                       alert(watch.Closed, unknown, nil),
		"62893 restarted: node · acme-web":                                     alert(watch.Restarted, node, node),
		"node · acme-web moved from 62892 to 62893":                            alert(watch.Moved, node, listener(62892, "node", "acme-web", "127.0.0.1")),
		"5432 changed owner: postgres → python3":                               alert(watch.OwnerChanged, listener(5432, "python3", "", "::1"), listener(5432, "postgres", "", "::1")),
		"8081 is exposed to the network: node":                                 alert(watch.NewlyExposed, listener(8081, "node", "", "0.0.0.0"), nil),
		"8081 is reachable from the internet: node":                            alert(watch.NewlyExposed, public(8081), nil),
		"8080 is now reachable from the internet":                              alert(watch.Exposed, public(8080), node),
		"8080 is now exposed to the network":                                   alert(watch.Exposed, listener(8080, "node", "", "0.0.0.0"), node),
		"62893 is open after 5 changes: node · acme-web":                       flapping,
		"62893 is closed after 5 changes":                                      flappedAndClosed,
	} {
		n := textOf(a)
		if n.Title != want || n.Port != a.Listener.Port || n.Key == "" {
			t.Errorf("got %+v, want title %q", n, want)
		}
		if strings.Contains(n.Body, "hunter2") {
			t.Errorf("the body contains a secret: %q", n.Body)
		}
	}
}

// public returns a listener on loopback that a tunnel publishes.
func public(port uint16) *monitor.Listener {
	l := *listener(port, "node", "", "127.0.0.1")
	l.Exposure, l.Tunnels = monitor.ExposurePublic, []monitor.Tunnel{{Through: "ngrok", Reach: monitor.ReachInternet, URL: "https://a.ngrok.app"}}
	return &l
}

// The notification says through what a port is public.
func TestPublicPortNamesTheTunnel(t *testing.T) {
	for _, kind := range []watch.Kind{watch.Opened, watch.Exposed, watch.NewlyExposed} {
		if n := forAlert(alert(kind, public(3000), nil)); !strings.Contains(n.Body, "Public through ngrok: https://a.ngrok.app") {
			t.Errorf("%s: got %q", kind, n.Body)
		}
	}
}

func TestNewlyExposedCanBeAccepted(t *testing.T) {
	one := watch.Alert{Kind: watch.NewlyExposed, Listener: listener(80, "nginx", "", "0.0.0.0")}
	two := watch.Alert{Kind: watch.NewlyExposed, Listener: listener(443, "nginx", "", "0.0.0.0")}
	for want, alerts := range map[string][]watch.Alert{
		"80 is exposed to the network: nginx":           {one},
		"2 ports newly exposed to the network: 80, 443": {one, two},
	} {
		if n := textOf(alerts...); n.Title != want || !slices.Equal(n.Actions, []Action{Show, Accept}) || len(n.Listeners) != len(alerts) {
			t.Errorf("got %+v, want %q with a button for all", n, want)
		}
	}
	opened := watch.Alert{Kind: watch.Opened, Listener: listener(3000, "node", "", "127.0.0.1")}
	n := textOf(one, opened)
	if n.Title != "2 events: 80, 3000" || !slices.Equal(n.Actions, []Action{Show, Accept}) || len(n.Listeners) != 1 || n.Listeners[0] != one.Listener {
		t.Errorf("among other events: got %+v, want a button for the exposed port, which no watch has to cover", n)
	}
	if a, b := textOf(one), textOf(two); a.Key == b.Key {
		t.Errorf("two servers share the notification %q", a.Key)
	}
}

func TestSeveralPortsAreOneNotification(t *testing.T) {
	alerts := alertsFrom3000(watch.Opened, 12)
	if n := textOf(alerts...); n.Title != "12 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …" {
		t.Errorf("12 openings: got %+v", n)
	}
	alerts[3].Kind = watch.Closed
	if n := textOf(alerts...); !strings.HasPrefix(n.Title, "12 events on watched ports: 3000") {
		t.Errorf("mixed kinds: got %+v", n)
	}
	if n := MissedSummary(alerts); !strings.HasPrefix(n.Title, "While notifications were paused: 12 events on watched ports: 3000") {
		t.Errorf("12 missed: got %+v", n)
	}
	if n := MissedSummary(alertsFrom3000(watch.Opened, 1)); n.Title != "While notifications were paused: 3000 is open: x" {
		t.Errorf("1 missed: got %+v", n)
	}
	const lines = "1-65535\n3002 is open: x\n3003 closed: x (after 12 min)"
	if n := textOf(alerts[2:4]...); n.Title != "2 events on watched ports: 3002, 3003" || n.Body != lines {
		t.Errorf("two ports: got %+v, want the body %q", n, lines)
	}
}

// The last word about a port is its present state.
func TestChangesOfOnePortAreCounted(t *testing.T) {
	opened, closed := alertsFrom3000(watch.Opened, 2), alertsFrom3000(watch.Closed, 2)
	for _, c := range []struct {
		want   string
		alerts []watch.Alert
	}{
		{"3000 closed: x (after 12 min)", []watch.Alert{opened[0], closed[0]}},
		{"3000 is open after 5 changes: x", []watch.Alert{opened[0], closed[0], opened[0], closed[0], opened[0]}},
		{"3000 is closed after 6 changes", []watch.Alert{opened[0], closed[0], opened[0], closed[0], opened[0], closed[0]}},
		{"2 ports closed: 3000, 3001", []watch.Alert{opened[0], closed[0], closed[1]}},
		{"3000 is now exposed to the network", []watch.Alert{
			alert(watch.Exposed, listener(3000, "x", "", "0.0.0.0"), nil), alert(watch.Restarted, listener(3000, "x", "", "0.0.0.0"), nil)}},
	} {
		if n := textOf(c.alerts...); n.Title != c.want {
			t.Errorf("got %q, want %q", n.Title, c.want)
		}
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	n := textOf(alert(watch.Opened, listener(80, "-x\n\x1b[1m\u202e"+strings.Repeat("y", 500), "", "127.0.0.1"), nil))
	if strings.ContainsAny(n.Title+n.Body, "\n\x1b\u202e") || len(n.Title) > 100 {
		t.Errorf("got %+v, want short text without control characters", n)
	}
}

// fakeNotifier is a Notifier that records its calls.
type fakeNotifier struct {
	mu    sync.Mutex
	calls []string
}

func (f *fakeNotifier) add(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
	return nil
}

func (f *fakeNotifier) Notify(_ context.Context, n Notification) error {
	key := n.Key
	if n.ReplacesKey != "" {
		key += " replacing " + n.ReplacesKey
	}
	if n.Correction {
		key += " corrected"
	}
	return f.add(key + ": " + n.Title)
}
func (f *fakeNotifier) Withdraw(_ context.Context, key string) error {
	return f.add(key + " withdrawn")
}
func (*fakeNotifier) Close() {}

// want fails unless exactly these calls were made since the last want.
func (f *fakeNotifier) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.calls, want) {
		t.Errorf("got calls:\n%s\nwant:\n%s", strings.Join(f.calls, "\n"), strings.Join(want, "\n"))
	}
	f.calls = nil
}

// withWorker runs test with a Worker in a synctest bubble.
func withWorker(t *testing.T, test func(*testing.T, *Worker, *fakeNotifier)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fakeNotifier{}
		w := Start(ctx, f, func(error) {}, slog.New(slog.DiscardHandler))
		test(t, w, f)
		cancel()
		w.Wait()
	})
}

// A notification is shown immediately and updated in place while more happens.
func TestBurstIsOneNotification(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Opened, 20)
		w.NotifyAlerts(all[:1])
		f.want(t, "3000: 3000 is open: x")
		for i := range all[1:] {
			w.NotifyAlerts(all[i+1 : i+2])
			time.Sleep(10 * time.Millisecond)
		}
		f.want(t)
		time.Sleep(updateInterval)
		f.want(t, "burst 1 replacing 3000: 20 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …")
		time.Sleep(time.Minute)
		w.NotifyAlerts(all[:1])
		f.want(t, "3000: 3000 is open: x")
	})
}

// Eight containers that end within three seconds.
func TestEightClosingsAreOneNotification(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 8)
		for i := range all {
			w.NotifyAlerts(all[i : i+1])
			time.Sleep(410 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		f.want(t, "3000: 3000 closed: x (after 12 min)",
			"burst 1 replacing 3000: 3 ports closed: 3000, 3001, 3002",
			"burst 1: 5 ports closed: 3000, 3001, 3002, 3003, 3004",
			"burst 1: 8 ports closed: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007")
		w.NotifyAlerts(all[:5])
		f.want(t, "burst 2: 5 ports closed: 3000, 3001, 3002, 3003, 3004")
	})
}

// The last alert of a burst is shown at most two seconds later, however many come.
func TestTwoHundredClosingsAreOneNotification(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 200)
		for i := range all {
			w.NotifyAlerts(all[i : i+1])
		}
		w.Closed([]*monitor.Listener{all[0].Listener})
		synctest.Wait()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		last := f.calls[len(f.calls)-1]
		if !strings.HasSuffix(last, ": 200 ports closed: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …") || len(f.calls) > 3 {
			t.Errorf("got calls %q, want one notification of 200 ports within 2 s", f.calls)
		}
	})
}

func TestLongBurstGetsANewNotification(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 40)
		w.NotifyAlerts(all[:10])
		for i := 10; i < 40; i++ {
			time.Sleep(time.Second)
			w.NotifyAlerts(all[i : i+1])
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		visible := map[string]int{} // by key: the alerts that a notification counts
		for _, call := range f.calls {
			key, title, _ := strings.Cut(call, ": ")
			if withdrawn, is := strings.CutSuffix(key, " withdrawn"); is {
				delete(visible, withdrawn)
				continue
			}
			key, replaced, _ := strings.Cut(key, " replacing ")
			delete(visible, replaced)
			visible[key] = 1
			if count, _, many := strings.Cut(title, " ports closed: "); many {
				visible[key], _ = strconv.Atoi(count)
			}
		}
		counted := 0
		for _, n := range visible {
			counted += n
		}
		if len(visible) < 2 || counted != len(all) {
			t.Errorf("the notifications count %v, %d alerts in all; want at least 2 that count %d", visible, counted, len(all))
		}
	})
}

func TestClosedPortsAreRemovedFromABurst(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		opened := alertsFrom3000(watch.Opened, 3)
		close := func(i int) { w.Closed([]*monitor.Listener{opened[i].Listener}) }
		w.NotifyAlerts(opened[:1])
		f.want(t, "3000: 3000 is open: x")
		w.NotifyAlerts(opened[1:2])
		close(1) // before it is shown
		time.Sleep(time.Minute)
		f.want(t)

		w.NotifyAlerts(opened)
		f.want(t, "3000 withdrawn", "burst 2: 3 ports opened: 3000, 3001, 3002")
		close(1)
		time.Sleep(updateInterval)
		f.want(t, "burst 2: 2 ports opened: 3000, 3002")
		close(0)
		time.Sleep(time.Minute)
		f.want(t, "3002 replacing burst 2: 3002 is open: x")
		close(2)
		f.want(t, "3002 withdrawn")

		w.NotifyAlerts(opened)
		f.want(t, "burst 3: 3 ports opened: 3000, 3001, 3002")
		time.Sleep(time.Minute)
		close(0) // an old summary is not shown again
		close(1)
		f.want(t)
		close(2)
		f.want(t, "burst 3 withdrawn")
	})
}

// The owner of a new listener may be found only after the notification.
func TestNotificationNamesTheOwnerOnceItIsKnown(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		unknown, known := listener(7400, "", "", "0.0.0.0"), listener(7400, "node", "", "0.0.0.0")
		unknown.ID, known.ID = "a", "a"
		identify := func() { w.Identified([]*monitor.Listener{known}) }
		searched := alert(watch.Opened, unknown, nil) // the owner is still being searched
		w.NotifyAlerts([]watch.Alert{searched})
		f.want(t)
		identify()
		f.want(t, "7400: 7400 is open: node")
		time.Sleep(time.Minute)

		w.NotifyAlerts([]watch.Alert{searched})
		time.Sleep(ownerWait)
		title := textOf(searched).Title
		f.want(t, "7400: "+title)
		time.Sleep(time.Minute)
		identify()
		f.want(t, "7400 corrected: 7400 is open: node")
		identify()
		f.want(t)
		time.Sleep(time.Minute)

		unowned := *unknown
		unowned.OwnerUnknown = monitor.UnknownNotFound // the search found none, the next one does
		two := []watch.Alert{alert(watch.Opened, listener(7399, "x", "", "::1"), nil), alert(watch.Opened, &unowned, nil)}
		w.NotifyAlerts(two)
		f.want(t, "7400 withdrawn", "burst 3: 2 ports opened: 7399, 7400")
		identify()
		time.Sleep(updateInterval)
		f.want(t, "burst 3 corrected: 2 ports opened: 7399, 7400")
		time.Sleep(time.Minute)

		w.NotifyAlerts(two[1:])
		w.Closed([]*monitor.Listener{unknown})
		identify() // nothing is shown any more
		time.Sleep(time.Minute)
		f.want(t)
	})
}

func TestClickedNotificationIsNotUpdated(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 2)
		w.NotifyAlerts(all[:1])
		f.want(t, "3000: 3000 closed: x (after 12 min)")
		w.Seen("3001")
		w.Seen("3000")
		w.NotifyAlerts(all[1:])
		f.want(t, "3001: 3001 closed: x (after 12 min)")
	})
}

func TestSummaryNamesRulesAndOwners(t *testing.T) {
	alerts := alertsFrom3000(watch.Closed, 8)
	for i := range alerts {
		alerts[i].Rule.Name = "compose"
	}
	alerts[3].Listener = listener(3003, "postgres", "", "127.0.0.1")
	if n := textOf(alerts...); n.Body != "compose · x, postgres" {
		t.Errorf("got %+v, want the rule and the owners in its body", n)
	}
}

// A port of a watch without a name does not appear to belong to another watch.
func TestSummaryNamesTheRuleOfEachLine(t *testing.T) {
	alerts := alertsFrom3000(watch.Opened, 2)
	alerts[0].Rule.Name = "compose"
	alerts[1].Rule = watch.Rule{Ports: monitor.Ports{{First: 3001, Last: 3001}}}
	if n, want := textOf(alerts...), "compose · 3000 is open: x\n3001 is open: x"; n.Body != want {
		t.Errorf("got body %q, want %q", n.Body, want)
	}
	alerts[1].Rule.Name = "compose"
	if n, want := textOf(alerts...), "compose\n3000 is open: x\n3001 is open: x"; n.Body != want {
		t.Errorf("one watch: got body %q, want %q", n.Body, want)
	}
}

func TestNotifyAndReportReportsTheResult(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		results := make(chan error, 2*queueLength)
		w.NotifyAndReport(Sample(), func(err error) { results <- err })
		f.want(t, "test: "+Sample().Title)
		if err := <-results; err != nil {
			t.Errorf("accepted notification: got error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2*queueLength)
		w := Start(ctx, blockingNotifier{}, func(error) {}, slog.New(slog.DiscardHandler))
		for range queueLength + 2 { // one is being delivered, and one does not fit into the queue
			w.NotifyAndReport(Sample(), func(err error) { results <- err })
			synctest.Wait()
		}
		if err := <-results; err == nil || !strings.Contains(err.Error(), "queue is full") {
			t.Errorf("full queue: got error %v", err)
		}
		time.Sleep(deliveryTimeout)
		if err := <-results; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no response: got error %v, want %v", err, context.DeadlineExceeded)
		}
		cancel()
		w.Wait()
	})
}

// blockingNotifier blocks until the context ends.
type blockingNotifier struct{}

func (blockingNotifier) Notify(ctx context.Context, _ Notification) error {
	<-ctx.Done()
	return ctx.Err()
}
func (blockingNotifier) Withdraw(context.Context, string) error { return nil }
func (blockingNotifier) Close()                                 {}

func TestWithdraw(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		closed := []*monitor.Listener{listener(3000, "x", "", "127.0.0.1")}
		w.Closed(closed) // nothing was shown for it
		w.NotifyAlerts(alertsFrom3000(watch.Opened, 1))
		f.want(t, "3000: 3000 is open: x")
		w.Closed(closed)
		w.Closed(closed)
		f.want(t, "3000 withdrawn")
		time.Sleep(time.Minute)
		w.NotifyAlerts(alertsFrom3000(watch.Closed, 1))
		w.Closed(closed)
		f.want(t, "3000: 3000 closed: x (after 12 min)")
	})
}

func TestWithdrawOfAFollowedService(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		notify := func(kind watch.Kind, port, before uint16) {
			time.Sleep(time.Minute) // end the burst
			a := alert(kind, listener(port, "x", "", "127.0.0.1"), listener(before, "x", "", "127.0.0.1"))
			a.Rule = watch.Rule{Name: "shop"}
			w.NotifyAlerts([]watch.Alert{a})
		}
		closed := func(port uint16) { w.Closed([]*monitor.Listener{listener(port, "x", "", "127.0.0.1")}) }
		notify(watch.Opened, 3000, 3000)
		f.want(t, "rule shop: 3000 is open: x")
		closed(3001)
		f.want(t)
		closed(3000)
		f.want(t, "rule shop withdrawn")
		notify(watch.Moved, 3001, 3000)
		closed(3000)
		f.want(t, "rule shop: x moved from 3000 to 3001")
		closed(3001)
		f.want(t, "rule shop withdrawn")
	})
}

// controlledNotifier returns from Notify when the test sends an answer.
type controlledNotifier struct {
	calls   chan Notification
	answers chan error
}

func (c controlledNotifier) Notify(ctx context.Context, n Notification) error {
	c.calls <- n
	select {
	case err := <-c.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
func (controlledNotifier) Withdraw(context.Context, string) error { return nil }
func (controlledNotifier) Close()                                 {}

func TestHungServiceBlocksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := controlledNotifier{calls: make(chan Notification, 100), answers: make(chan error)}
		results := make(chan error, 100)
		w := Start(ctx, c, func(err error) { results <- err }, slog.New(slog.DiscardHandler))
		begin := time.Now()
		for range 100 {
			w.Notify(Notification{Title: "x"})
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("Notify blocked for %v", waited)
		}
		if err := <-results; !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != deliveryTimeout {
			t.Errorf("got error %v after %v, want %v after %v", err, time.Since(begin), context.DeadlineExceeded, deliveryTimeout)
		}
		<-c.calls
		c.answers <- nil
		if err := <-results; err != nil {
			t.Errorf("accepted notification: got error %v", err)
		}
		cancel()
		w.Wait()
	})
}

// BenchmarkTwoHundredClosings measures what the worker needs for 200 ports that
// close at once, up to the call of the notification daemon.
func BenchmarkTwoHundredClosings(b *testing.B) {
	alerts := alertsFrom3000(watch.Closed, 200)
	var listeners []*monitor.Listener
	for _, a := range alerts {
		listeners = append(listeners, a.Listener)
	}
	for b.Loop() {
		w := &Worker{notifier: &fakeNotifier{}, onResult: func(error) {}, log: slog.New(slog.DiscardHandler)}
		w.dropClosed(b.Context(), listeners)
		w.addAlerts(b.Context(), alerts)
		w.showDue(b.Context())
	}
}

func TestAttemptNamesWatchAndLastOwner(t *testing.T) {
	a := watch.Alert{Kind: watch.Attempted, Listener: monitor.ClosedPort(3000), Count: 3, Rule: watch.Rule{Name: "shop"}, LastOwner: "node"}
	if n, want := forAlert(a), "shop · last: node"; n.Body != want {
		t.Errorf("got body %q, want %q", n.Body, want)
	}
}
