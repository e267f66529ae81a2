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

func TestCloseByUser(t *testing.T) {
	a := alert(watch.Closed, listener(62893, "node", "acme-web", "127.0.0.1"), nil)
	a.ByUser = true
	if n := ForAlerts([]watch.Alert{a})[0]; n.Title != "62893 closed: node · acme-web (after 12 min)" || !strings.HasPrefix(n.Body, "stopped by you · 127.0.0.1") {
		t.Errorf("got title %q and body %q", n.Title, n.Body)
	}
}

func TestTitles(t *testing.T) {
	node := listener(62893, "node", "acme-web", "127.0.0.1")
	unknown := listener(22, "", "", "0.0.0.0")
	unknown.Since = time.Time{}
	flapping := alert(watch.Flapping, node, nil)
	flapping.Count = 29
	flappedAndClosed := flapping
	flappedAndClosed.NowClosed = true
	for want, a := range map[string]watch.Alert{
		"62893 is open: node · acme-web":               alert(watch.Opened, node, nil),
		"62893 closed: node · acme-web (after 12 min)": alert(watch.Closed, node, nil),
		"22 closed: unknown (user root)":               alert(watch.Closed, unknown, nil),
		"62893 restarted: node · acme-web":             alert(watch.Restarted, node, node),
		"node · acme-web moved from 62892 to 62893":    alert(watch.Moved, node, listener(62892, "node", "acme-web", "127.0.0.1")),
		"5432 changed owner: postgres → python3":       alert(watch.OwnerChanged, listener(5432, "python3", "", "::1"), listener(5432, "postgres", "", "::1")),
		"8080 is now exposed to the network":           alert(watch.Exposed, listener(8080, "node", "", "0.0.0.0"), node),
		"62893 changed 29 more times: node · acme-web": flapping,
	} {
		n := ForAlerts([]watch.Alert{a})
		if len(n) != 1 || n[0].Title != want || n[0].Port != a.Listener.Port || n[0].Key == "" || n[0].WithdrawOnClose != (a.Kind != watch.Closed && !a.NowClosed) {
			t.Errorf("got %+v, want title %q", n, want)
		}
		if strings.Contains(n[0].Body, "hunter2") {
			t.Errorf("the body contains a secret: %q", n[0].Body)
		}
	}
}

func TestManyAlertsAreSummarized(t *testing.T) {
	alerts := alertsFrom3000(watch.Opened, 12)
	n := ForAlerts(alerts)
	if len(n) != 1 || n[0].Title != "12 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …" {
		t.Errorf("12 openings: got %+v", n)
	}
	alerts[3].Kind = watch.Closed
	if n := ForAlerts(alerts); len(n) != 1 || !strings.HasPrefix(n[0].Title, "12 events on watched ports: 3000") {
		t.Errorf("mixed kinds: got %+v", n)
	}
	if n := MissedSummary(alerts); !strings.HasPrefix(n.Title, "While notifications were paused: 12 events on watched ports: 3000") {
		t.Errorf("12 missed: got %+v", n)
	}
	if n := MissedSummary(alertsFrom3000(watch.Opened, 1)); n.Title != "While notifications were paused: 3000 is open: x" {
		t.Errorf("1 missed: got %+v", n)
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	n := ForAlerts([]watch.Alert{alert(watch.Opened, listener(80, "-x\n\x1b[1m\u202e"+strings.Repeat("y", 500), "", "127.0.0.1"), nil)})
	if strings.ContainsAny(n[0].Title+n[0].Body, "\n\x1b\u202e") || len(n[0].Title) > 100 {
		t.Errorf("got %+v, want short text without control characters", n[0])
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

func TestBurstIsSummarized(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Opened, 20)
		w.NotifyAlerts(all[:1])
		f.want(t, "3000: 3000 is open: x")
		for i := range all[1:] {
			w.NotifyAlerts(all[i+1 : i+2])
			time.Sleep(10 * time.Millisecond)
		}
		f.want(t)
		time.Sleep(burstWindow)
		f.want(t, "burst 1 replacing 3000: 20 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …")
		time.Sleep(time.Minute)
		w.NotifyAlerts(all[:1])
		f.want(t, "3000: 3000 is open: x")
	})
}

// "docker compose down": the summary of a burst that begins with many alerts is
// updated in place, and counts each alert once.
func TestBurstThatBeginsWithManyAlertsIsOneNotification(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 12)
		w.NotifyAlerts(all[:5])
		f.want(t, "burst 1: 5 ports closed: 3000, 3001, 3002, 3003, 3004")
		time.Sleep(burstWindow / 2)
		w.NotifyAlerts(all[5:8])
		time.Sleep(burstWindow)
		f.want(t, "burst 1 replacing burst 1: 8 ports closed: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007")
		w.NotifyAlerts(all[8:])
		time.Sleep(burstWindow)
		f.want(t, "burst 1 replacing burst 1: 12 ports closed: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …")
		time.Sleep(time.Minute)
		w.NotifyAlerts(all[:4])
		f.want(t, "burst 2: 4 ports closed: 3000, 3001, 3002, 3003")
	})
}

// A burst that grows slowly was shown one by one before it had enough alerts for a
// summary.
func TestSummaryReplacesAllNotificationsOfItsBurst(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		all := alertsFrom3000(watch.Closed, 6)
		w.NotifyAlerts(all[:1])
		w.NotifyAlerts(all[1:3])
		time.Sleep(burstWindow + time.Millisecond)
		f.want(t, "3000: 3000 closed: x (after 12 min)", "3001: 3001 closed: x (after 12 min)", "3002: 3002 closed: x (after 12 min)")
		w.NotifyAlerts(all[3:])
		time.Sleep(burstWindow)
		f.want(t, "3001 withdrawn", "3002 withdrawn", "burst 1 replacing 3000: 6 ports closed: 3000, 3001, 3002, 3003, 3004, 3005")
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
		if len(visible) < 3 || counted != len(all) {
			t.Errorf("the notifications count %v, %d alerts in all; want at least 3 that count %d", visible, counted, len(all))
		}
	})
}

func TestAlertsThatAreOutdatedByTheEndOfABurstAreDropped(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		opened, closed := alertsFrom3000(watch.Opened, 6), alertsFrom3000(watch.Closed, 6)
		w.NotifyAlerts(opened[:1])
		w.NotifyAlerts(opened[1:2])
		time.Sleep(300 * time.Millisecond)
		w.Withdraw(3001)
		time.Sleep(burstWindow)
		f.want(t, "3000: 3000 is open: x")
		time.Sleep(time.Minute)

		w.NotifyAlerts(opened[:5]) // a summary, which does not count what closed
		w.Withdraw(3001)
		w.NotifyAlerts(opened[5:])
		time.Sleep(burstWindow)
		f.want(t, "burst 2: 5 ports opened: 3000, 3001, 3002, 3003, 3004", "burst 2 replacing burst 2: 5 ports opened: 3000, 3002, 3003, 3004, 3005")
		time.Sleep(time.Minute)

		w.NotifyAlerts(closed[:1])
		w.NotifyAlerts(closed[1:2]) // opens again before it is shown
		w.NotifyAlerts(opened[1:2])
		time.Sleep(burstWindow)
		f.want(t, "3000: 3000 closed: x (after 12 min)", "3001: 3001 is open: x")
	})
}

// The owner of a new listener may be found only after the notification.
func TestNotificationNamesTheOwnerOnceItIsKnown(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		unknown, known := listener(7400, "", "", "0.0.0.0"), listener(7400, "node", "", "0.0.0.0")
		unknown.ID, known.ID = "a", "a"
		title := ForAlerts([]watch.Alert{alert(watch.Opened, unknown, nil)})[0].Title
		w.NotifyAlerts([]watch.Alert{alert(watch.Opened, unknown, nil)})
		f.want(t, "7400: "+title)
		w.Identified(known)
		f.want(t, "7400: 7400 is open: node")
		w.Identified(known)
		f.want(t)
		time.Sleep(time.Minute)

		two := []watch.Alert{alert(watch.Opened, listener(7399, "x", "", "::1"), nil), alert(watch.Opened, unknown, nil)}
		w.NotifyAlerts(two)
		f.want(t, "7399: 7399 is open: x")
		w.Identified(known) // before it is shown
		time.Sleep(burstWindow)
		f.want(t, "7400: 7400 is open: node")
		time.Sleep(time.Minute)

		w.NotifyAlerts([]watch.Alert{alert(watch.Opened, unknown, nil)})
		w.Withdraw(7400)
		w.Identified(known) // nothing is shown any more
		f.want(t, "7400: "+title, "7400 withdrawn")
	})
}

func TestSummaryNamesRulesAndOwners(t *testing.T) {
	alerts := alertsFrom3000(watch.Closed, 8)
	for i := range alerts {
		alerts[i].Rule.Name = "compose"
	}
	alerts[3].Listener = listener(3003, "postgres", "", "127.0.0.1")
	if n := ForAlerts(alerts); len(n) != 1 || n[0].Body != "compose · x, postgres" {
		t.Errorf("got %+v, want the rule and the owners in its body", n)
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

func TestSmallBurstIsNotSummarized(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		two := alertsFrom3000(watch.Opened, 2)
		w.NotifyAlerts(two[:1])
		w.NotifyAlerts(two[1:])
		f.want(t, "3000: 3000 is open: x")
		time.Sleep(burstWindow)
		f.want(t, "3001: 3001 is open: x")
	})
}

func TestWithdraw(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, f *fakeNotifier) {
		w.Withdraw(3000) // nothing was shown for it
		w.NotifyAlerts(alertsFrom3000(watch.Opened, 1))
		f.want(t, "3000: 3000 is open: x")
		w.Withdraw(3000)
		w.Withdraw(3000)
		f.want(t, "3000 withdrawn")
		time.Sleep(time.Minute)
		w.NotifyAlerts(alertsFrom3000(watch.Closed, 1))
		w.Withdraw(3000)
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
		notify(watch.Opened, 3000, 3000)
		f.want(t, "rule shop: 3000 is open: x")
		w.Withdraw(3001)
		f.want(t)
		w.Withdraw(3000)
		f.want(t, "rule shop withdrawn")
		notify(watch.Moved, 3001, 3000)
		w.Withdraw(3000)
		f.want(t, "rule shop: x moved from 3000 to 3001")
		w.Withdraw(3001)
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
