package notify

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("LANGUAGE", "en") // the sentences below, wherever this runs
	_ = os.Setenv("LC_ALL", "en_US.UTF-8")
	if err := ui.SetUpLanguage(""); err != nil {
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

func alertsFrom3000(kind watch.Kind, n int) []watch.Alert {
	var alerts []watch.Alert
	for p := range n {
		alerts = append(alerts, alert(kind, listener(uint16(3000+p), "x", "", "127.0.0.1"), nil))
	}
	return alerts
}

func TestACloseByTheUserSaysSo(t *testing.T) {
	a := alert(watch.Closed, listener(62893, "node", "acme-web", "127.0.0.1"), nil)
	a.ByUser = true
	if n := ForAlerts([]watch.Alert{a})[0]; n.Title != "62893 closed: node · acme-web had it for 12 min" || !strings.HasPrefix(n.Body, "stopped by you · 127.0.0.1") {
		t.Errorf("it says %q, %q", n.Title, n.Body)
	}
}

func TestSentences(t *testing.T) {
	node := listener(62893, "node", "acme-web", "127.0.0.1")
	hidden := listener(22, "", "", "0.0.0.0")
	hidden.Since = time.Time{}
	flapped := alert(watch.Flapping, node, nil)
	flapped.Count = 29
	for want, a := range map[string]watch.Alert{
		"62893 is open: node · acme-web":                      alert(watch.Opened, node, nil),
		"62893 closed: node · acme-web had it for 12 min":     alert(watch.Closed, node, nil),
		"22 closed: root's process (hidden)":                  alert(watch.Closed, hidden, nil),
		"62893 restarted: node · acme-web":                    alert(watch.Restarted, node, node),
		"node · acme-web is now on 62893, no longer on 62892": alert(watch.Moved, node, listener(62892, "node", "acme-web", "127.0.0.1")),
		"5432 changed hands: postgres → python3":              alert(watch.OwnerChanged, listener(5432, "python3", "", "::1"), listener(5432, "postgres", "", "::1")),
		"8080 can now be reached from the network":            alert(watch.Exposed, listener(8080, "node", "", "0.0.0.0"), node),
		"62893 changed 29 more times: node · acme-web":        flapped,
	} {
		n := ForAlerts([]watch.Alert{a})
		if len(n) != 1 || n[0].Title != want || n[0].Port != a.Listener.Port || n[0].Key == "" || n[0].WithdrawOnClose != (a.Kind != watch.Closed) {
			t.Errorf("got %+v; want %q", n, want)
		}
		if strings.Contains(n[0].Body, "hunter2") {
			t.Errorf("a secret is told: %q", n[0].Body)
		}
	}
}

func TestManyAtOnceAreOneSentence(t *testing.T) {
	alerts := alertsFrom3000(watch.Opened, 12)
	n := ForAlerts(alerts)
	if len(n) != 1 || n[0].Title != "12 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …" {
		t.Errorf("got %+v", n)
	}
	alerts[3].Kind = watch.Closed
	if n := ForAlerts(alerts); len(n) != 1 || !strings.HasPrefix(n[0].Title, "12 changes of watched ports: 3000") {
		t.Errorf("mixed: %+v", n)
	}
	if n := MissedSummary(alerts); !strings.HasPrefix(n.Title, "While notifications were paused: 12 changes of watched ports: 3000") {
		t.Errorf("missed: %+v", n)
	}
	if n := MissedSummary(alertsFrom3000(watch.Opened, 1)); n.Title != "While notifications were paused: 3000 is open: x" {
		t.Errorf("one missed: %+v", n)
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	n := ForAlerts([]watch.Alert{alert(watch.Opened, listener(80, "-x\n\x1b[1m\u202e"+strings.Repeat("y", 500), "", "127.0.0.1"), nil)})
	if strings.ContainsAny(n[0].Title+n[0].Body, "\n\x1b\u202e") || len(n[0].Title) > 100 {
		t.Errorf("got %+v", n[0])
	}
}

// fakeNotifier is a Notifier that keeps what it was given.
type fakeNotifier struct {
	mu    sync.Mutex
	words []string
}

func (s *fakeNotifier) add(words string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = append(s.words, words)
	return nil
}

func (s *fakeNotifier) Notify(_ context.Context, n Notification) error {
	return s.add(cmp.Or(n.Key, "in place of "+n.ReplacesKey) + ": " + n.Title)
}
func (s *fakeNotifier) Withdraw(_ context.Context, key string) error {
	return s.add(key + " withdrawn")
}
func (*fakeNotifier) Close() {}

// want fails where something else was given since the last time.
func (s *fakeNotifier) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.words, want) {
		t.Errorf("shown:\n%s\nwant:\n%s", strings.Join(s.words, "\n"), strings.Join(want, "\n"))
	}
	s.words = nil
}

// withWorker runs test with a Worker in a bubble of synctest.
func withWorker(t *testing.T, test func(*testing.T, *Worker, *fakeNotifier)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &fakeNotifier{}
		w := Start(ctx, s, func(error) {}, slog.New(slog.DiscardHandler))
		test(t, w, s)
		cancel()
		w.Wait()
	})
}

func TestABurstIsToldAtOnceAndThenTogether(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, s *fakeNotifier) {
		all := alertsFrom3000(watch.Opened, 20)
		w.NotifyAlerts(all[:1])
		s.want(t, "3000: 3000 is open: x")
		for i := range all[1:] {
			w.NotifyAlerts(all[i+1 : i+2])
			time.Sleep(10 * time.Millisecond)
		}
		s.want(t)
		time.Sleep(burstWindow)
		s.want(t, "in place of 3000: 20 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …")
		time.Sleep(time.Minute)
		w.NotifyAlerts(all[:1])
		s.want(t, "3000: 3000 is open: x")
	})
}

func TestWhatBecameOfANoteThatIsTriedIsTold(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, s *fakeNotifier) {
		told := make(chan error, 2*queueLength)
		w.NotifyAndReport(Sample(), func(err error) { told <- err })
		s.want(t, "test: "+Sample().Title)
		if err := <-told; err != nil {
			t.Errorf("the desktop has taken it: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 2*queueLength)
		w := Start(ctx, blockingNotifier{}, func(error) {}, slog.New(slog.DiscardHandler))
		for range queueLength + 2 { // one is under way, and one finds no room
			w.NotifyAndReport(Sample(), func(err error) { told <- err })
			synctest.Wait()
		}
		if err := <-told; err == nil || !strings.Contains(err.Error(), "has not taken the last") {
			t.Errorf("without room: %v", err)
		}
		time.Sleep(deliveryTimeout)
		if err := <-told; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a desktop that never answers: %v", err)
		}
		cancel()
		w.Wait()
	})
}

// blockingNotifier is a desktop that takes nothing until it is too late.
type blockingNotifier struct{}

func (blockingNotifier) Notify(ctx context.Context, _ Notification) error {
	<-ctx.Done()
	return ctx.Err()
}
func (blockingNotifier) Withdraw(context.Context, string) error { return nil }
func (blockingNotifier) Close()                                 {}

func TestTwoInABurstAreTwo(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, s *fakeNotifier) {
		two := alertsFrom3000(watch.Opened, 2)
		w.NotifyAlerts(two[:1])
		w.NotifyAlerts(two[1:])
		s.want(t, "3000: 3000 is open: x")
		time.Sleep(burstWindow)
		s.want(t, "3001: 3001 is open: x")
	})
}

func TestWhatIsOutdatedIsWithdrawn(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, s *fakeNotifier) {
		w.Withdraw(3000) // nothing was said of it
		w.NotifyAlerts(alertsFrom3000(watch.Opened, 1))
		s.want(t, "3000: 3000 is open: x")
		w.Withdraw(3000)
		w.Withdraw(3000)
		s.want(t, "3000 withdrawn")
		time.Sleep(time.Minute)
		w.NotifyAlerts(alertsFrom3000(watch.Closed, 1))
		w.Withdraw(3000)
		s.want(t, "3000: 3000 closed: x had it for 12 min")
	})
}

func TestWhatIsOutdatedOfAServiceIsWithdrawn(t *testing.T) {
	withWorker(t, func(t *testing.T, w *Worker, s *fakeNotifier) {
		tell := func(kind watch.Kind, port, before uint16) {
			time.Sleep(time.Minute) // no burst
			a := alert(kind, listener(port, "x", "", "127.0.0.1"), listener(before, "x", "", "127.0.0.1"))
			a.Rule = watch.Rule{Name: "shop"}
			w.NotifyAlerts([]watch.Alert{a})
		}
		tell(watch.Opened, 3000, 3000)
		s.want(t, "rule shop: 3000 is open: x")
		w.Withdraw(3001)
		s.want(t)
		w.Withdraw(3000)
		s.want(t, "rule shop withdrawn")
		tell(watch.Moved, 3001, 3000)
		w.Withdraw(3000)
		s.want(t, "rule shop: x is now on 3001, no longer on 3000")
		w.Withdraw(3001)
		s.want(t, "rule shop withdrawn")
	})
}

// controlledNotifier is a Notifier that answers when it is told to.
type controlledNotifier struct {
	got     chan Notification
	answers chan error
}

func (s controlledNotifier) Notify(ctx context.Context, n Notification) error {
	s.got <- n
	select {
	case err := <-s.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
func (controlledNotifier) Withdraw(context.Context, string) error { return nil }
func (controlledNotifier) Close()                                 {}

func TestAServiceThatHangsStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := controlledNotifier{got: make(chan Notification, 100), answers: make(chan error)}
		problems := make(chan error, 100)
		w := Start(ctx, s, func(err error) { problems <- err }, slog.New(slog.DiscardHandler))
		begin := time.Now()
		for range 100 {
			w.Notify(Notification{Title: "x"})
		}
		if time.Since(begin) != 0 {
			t.Error("Tell waited")
		}
		if err := <-problems; !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != deliveryTimeout {
			t.Errorf("after %v: %v; want a deadline after %v", time.Since(begin), err, deliveryTimeout)
		}
		<-s.got
		s.answers <- nil
		if err := <-problems; err != nil {
			t.Errorf("a delivery that worked: %v", err)
		}
		cancel()
		w.Wait()
	})
}
