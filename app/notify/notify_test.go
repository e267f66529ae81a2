package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"strings"
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
	if err := ui.SetUpLanguage(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func listener(port uint16, name, project, address string) *monitor.Listener {
	l := &monitor.Listener{Port: port, Project: project, User: "root", Since: noon.Add(-12 * time.Minute)}
	l.Addresses = []netip.Addr{netip.MustParseAddr(address)}
	l.Reach = monitor.AddressReach(l.Addresses[0])
	if name != "" {
		l.Owners = []monitor.Owner{{PID: 77, Name: name, Command: []string{name, "--password=hunter2"}}}
	}
	return l
}

func alert(kind monitor.Kind, l, before *monitor.Listener) watch.Alert {
	return watch.Alert{Change: monitor.Change{At: noon, Kind: kind, Listener: l, Before: before}}
}

func TestSentences(t *testing.T) {
	node := listener(62893, "node", "acme-web", "127.0.0.1")
	hidden := listener(22, "", "", "0.0.0.0")
	hidden.Since = time.Time{}
	for want, a := range map[string]watch.Alert{
		"62893 is open: node · acme-web":                   alert(monitor.Opened, node, nil),
		"62893 closed: node · acme-web had it for 12 min":  alert(monitor.Closed, node, nil),
		"22 closed: root's process (hidden)":               alert(monitor.Closed, hidden, nil),
		"5432 changed hands: postgres → python3":           alert(monitor.OwnerChanged, listener(5432, "python3", "", "::1"), listener(5432, "postgres", "", "::1")),
		"8080 can now be reached from the network":         alert(monitor.ReachChanged, listener(8080, "node", "", "0.0.0.0"), node),
		"8080 can be reached from this machine only again": alert(monitor.ReachChanged, listener(8080, "node", "", "127.0.0.1"), node),
	} {
		n := Notes([]watch.Alert{a})
		if len(n) != 1 || n[0].Title != want || n[0].Port != a.Change.Listener.Port {
			t.Errorf("got %+v; want %q", n, want)
		}
		if strings.Contains(n[0].Body, "hunter2") {
			t.Errorf("a secret is told: %q", n[0].Body)
		}
	}
}

func TestManyAtOnceAreOneSentence(t *testing.T) {
	var alerts []watch.Alert
	for p := range 12 {
		alerts = append(alerts, alert(monitor.Opened, listener(uint16(3000+p), "x", "", "127.0.0.1"), nil))
	}
	n := Notes(alerts)
	if len(n) != 1 || n[0].Title != "12 ports opened: 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, …" {
		t.Errorf("got %+v", n)
	}
	alerts[3].Change.Kind = monitor.Closed
	if n := Notes(alerts); len(n) != 1 || !strings.HasPrefix(n[0].Title, "12 changes of watched ports: 3000") {
		t.Errorf("mixed: %+v", n)
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	n := Notes([]watch.Alert{alert(monitor.Opened, listener(80, "-x\n\x1b[1m\u202e"+strings.Repeat("y", 500), "", "127.0.0.1"), nil)})
	if strings.ContainsAny(n[0].Title+n[0].Body, "\n\x1b\u202e") || len(n[0].Title) > 100 {
		t.Errorf("got %+v", n[0])
	}
}

// slow is a Notifier that answers when it is told to.
type slow struct {
	got     chan Note
	answers chan error
}

func (s slow) Notify(ctx context.Context, n Note) error {
	s.got <- n
	select {
	case err := <-s.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
func (slow) Close() {}

func TestAServiceThatHangsStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := slow{got: make(chan Note, 100), answers: make(chan error)}
		problems := make(chan error, 100)
		w := Start(ctx, s, func(err error) { problems <- err }, slog.New(slog.DiscardHandler))
		begin := time.Now()
		for range 100 {
			w.Tell(Note{Title: "x"})
		}
		if time.Since(begin) != 0 {
			t.Error("Tell waited")
		}
		if err := <-problems; !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != deadline {
			t.Errorf("after %v: %v; want a deadline after %v", time.Since(begin), err, deadline)
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
