package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/internal/await"
	"porthole/internal/fakebus"
	"porthole/monitor/watch"
)

// testTimeout limits how long a test waits for something that must happen.
const testTimeout = 20 * time.Second

// emit emits a signal of the server.
func emit(t *testing.T, s *fakebus.Notifications, name string, values ...any) {
	t.Helper()
	if err := s.Emit(name, values...); err != nil {
		t.Error(err)
	}
}

// click is a call of onAction.
type click struct {
	Action Action
	Title  string
	Token  string
}

// newTestBus returns the notifier under test and the actions that it reports.
func newTestBus(t *testing.T, address string) (*Bus, <-chan click) {
	clicks := make(chan click, 16)
	b := NewBus(address, func(c Click) { clicks <- click{c.Action, c.Notification.Title, c.Token} }, slog.New(slog.DiscardHandler))
	t.Cleanup(b.Close)
	return b, clicks
}

// show shows n, which must succeed.
func show(t *testing.T, b *Bus, n Notification) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := b.Notify(ctx, n); err != nil {
		t.Fatalf("Notify %q: %v", n.Title, err)
	}
}

func wantClick(t *testing.T, clicks <-chan click, want click) {
	t.Helper()
	select {
	case got := <-clicks:
		if got != want {
			t.Errorf("got action %+v, want %+v", got, want)
		}
	case <-time.After(testTimeout):
		t.Fatalf("got no action within %v, want %+v", testTimeout, want)
	}
}

func TestBusWithoutAnAddress(t *testing.T) {
	b, _ := newTestBus(t, "")
	if err := b.Notify(t.Context(), Notification{Title: "x"}); !errors.Is(err, ErrNoBus) {
		t.Errorf("Notify: got error %v, want %v", err, ErrNoBus)
	}
}

func TestNotificationReplacesThatWithTheSameKey(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	for _, step := range []struct {
		key, title   string
		id, replaces uint32
	}{
		{"80", "80 is open", 1, 0},
		{"81", "81 is open", 2, 0},
		{"80", "80 closed", 1, 1},
		{"", "no key", 3, 0},
		{"", "no key again", 4, 0},
		{"80", "80 is open again", 1, 1},
	} {
		show(t, b, Notification{Title: step.title, Key: step.key})
		if got := s.Last(); got.ID != step.id || got.Replaces != step.replaces || got.Summary != step.title {
			t.Errorf("%s: got %+v, want id %d replacing %d", step.title, got, step.id, step.replaces)
		}
	}
}

// The expiry of the settings is that of all notifications, except for critical ones.
func TestExpiryOfNotifications(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	w := Start(t.Context(), b, func(error) {}, b.log)
	for _, c := range []struct {
		expiry  time.Duration
		urgency watch.Urgency
		want    int32
	}{{0, "", -1}, {-1, "", 0}, {10 * time.Second, watch.Low, 10_000}, {10 * time.Second, watch.Critical, -1}} {
		w.SetExpiry(c.expiry)
		done := make(chan error, 1)
		w.NotifyAndReport(Notification{Title: "a", Urgency: c.urgency}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := s.Last().Expires; got != c.want {
			t.Errorf("expiry %v, urgency %q: got %d ms, want %d", c.expiry, c.urgency, got, c.want)
		}
	}
}

// Plasma shows no popup for the replacement of an expired notification.
func TestExpiredNotificationIsNotReplaced(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	show(t, b, Notification{Title: "80 is open: node", Key: "80", Port: 80, Correction: true})
	if got := s.Last(); got.Replaces != 1 {
		t.Errorf("correction of a visible notification: got %+v, want it to replace 1", got)
	}
	s.Expire()
	emit(t, s, "ActionInvoked", uint32(1), "default") // signals keep their order
	wantClick(t, clicks, click{Action: Show, Title: "80 is open: node"})
	show(t, b, Notification{Title: "80 is open: python3", Key: "80", Port: 80, Correction: true})
	if got := s.Last(); got.Summary != "80 is open: node" {
		t.Errorf("correction of an expired notification: got %+v, want none", got)
	}
	show(t, b, Notification{Title: "80 closed", Key: "80", Port: 80})
	if got := s.Last(); got.Replaces != 0 || got.ID != 2 {
		t.Errorf("after it expired: got %+v, want a new notification", got)
	}
	if got, want := s.Popups(), []string{"80 is open", "80 is open: node", "80 closed"}; !slices.Equal(got, want) {
		t.Errorf("got popups %q, want %q", got, want)
	}
}

// Desktops attribute a notification to the application whose desktop file has the
// name in the desktop-entry hint.
func TestNotificationNamesTheDesktopFile(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open"})
	const want = "io.github.porthole.porthole"
	if got := s.Last().Hints["desktop-entry"].Value(); got != want {
		t.Errorf("hint desktop-entry = %v, want %s", got, want)
	}
	if _, err := os.Stat("../../packaging/" + want + ".desktop"); err != nil {
		t.Errorf("no desktop file for the hint: %v", err)
	}
}

func TestActionsOfANotification(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	both := []string{"default", "Show", "show", "Show", "unwatch", "Stop watching"}
	for _, c := range []struct {
		n    Notification
		want []string
	}{
		{Notification{Title: "no port"}, []string{}},
		{Notification{Title: "one", Actions: []Action{Show}}, both[:4]},
		{Notification{Title: "two", Actions: []Action{Show, StopWatching}}, both},
		{Notification{Title: "undo", Actions: []Action{Undo}}, []string{"undo", "Undo"}},
	} {
		c.n.Body = "<b>&"
		show(t, b, c.n)
		if got := s.Last(); !slices.Equal(got.Actions, c.want) || got.Body != "&lt;b&gt;&amp;" {
			t.Errorf("%s: got actions %q and body %q, want actions %q and an escaped body", c.n.Title, got.Actions, got.Body, c.want)
		}
	}
}

// The only visible button must not be "Stop watching". Servers of which it is known that
// they draw a button for the click on the notification get no second one.
func TestButtonToShowThePort(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	n := Notification{Title: "80 is open", Actions: []Action{Show, StopWatching}}
	for _, c := range []struct{ server, want string }{
		{"Plasma", "default show unwatch"},
		{"gnome-shell", "default show unwatch"},
		{"Xfce Notify Daemon", "default unwatch"},
		{"lxqt-notificationd", "default unwatch"},
	} {
		_ = s.Close() // another server takes its place while the connection lives
		s = fakebus.StartNotifications(t, address)
		s.SetName(c.server)
		await.Until(t, "the connection knows the new server", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return !b.queried
		})
		show(t, b, n)
		var keys []string
		for i, a := range s.Last().Actions {
			if i%2 == 0 {
				keys = append(keys, a)
			}
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%s: got actions %q, want %q", c.server, got, c.want)
		}
	}
	emit(t, s, "ActionInvoked", s.Last().ID, "show")
	wantClick(t, clicks, click{Action: Show, Title: "80 is open"})
}

// A server sends the token immediately before the action.
func TestActivationToken(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open"})
	id := s.Last().ID
	emit(t, s, "ActivationToken", id+1, "of another program")
	emit(t, s, "ActionInvoked", id, "default")
	wantClick(t, clicks, click{Action: Show, Title: "80 is open"})
	emit(t, s, "ActivationToken", id, "token-1")
	emit(t, s, "ActionInvoked", id, "default")
	wantClick(t, clicks, click{Action: Show, Title: "80 is open", Token: "token-1"})
	emit(t, s, "ActionInvoked", id, "default") // a token is used once
	wantClick(t, clicks, click{Action: Show, Title: "80 is open"})
	emit(t, s, "ActivationToken", id, strings.Repeat("x", maxToken+1))
	emit(t, s, "ActionInvoked", id, "default")
	wantClick(t, clicks, click{Action: Show, Title: "80 is open"})
}

func TestUrgencyAndSound(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	for _, c := range []struct {
		n    Notification
		want map[string]any
	}{
		{Notification{Title: "silent"}, map[string]any{"suppress-sound": true, "sound-name": nil, "urgency": nil}},
		{Notification{Title: "bell", Sound: true, SoundName: "bell", Urgency: watch.Critical}, map[string]any{"suppress-sound": nil, "sound-name": "bell", "urgency": byte(2)}},
		{Notification{Title: "low", Sound: true, Urgency: watch.Low}, map[string]any{"suppress-sound": nil, "sound-name": nil, "urgency": byte(0)}},
	} {
		show(t, b, c.n)
		for hint, want := range c.want {
			if got := s.Last().Hints[hint].Value(); got != want {
				t.Errorf("%s: hint %s = %v, want %v", c.n.Title, hint, got, want)
			}
		}
	}
}

func TestForeignAndMalformedSignalsAreIgnored(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	id := s.Last().ID
	emit(t, s, "ActionInvoked", id+1, "default") // of another program's notification
	emit(t, s, "ActionInvoked")
	emit(t, s, "ActionInvoked", id)
	emit(t, s, "ActionInvoked", "one", "default")
	emit(t, s, "ActionInvoked", int32(id), "default")
	emit(t, s, "ActionInvoked", id, uint32(1))
	emit(t, s, "ActionInvoked", id, []string{"default"})
	emit(t, s, "NotificationClosed", "one")
	emit(t, s, "ActionInvoked", id, "unwatch") // signals keep their order: this is the first valid one
	wantClick(t, clicks, click{Action: StopWatching, Title: "80 is open"})
	emit(t, s, "ActionInvoked", id, "default")
	wantClick(t, clicks, click{Action: Show, Title: "80 is open"})
}

func TestNewServerInvalidatesIDs(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	show(t, b, Notification{Title: "81 is open", Key: "81", Port: 81})
	_ = s.Close()
	s = fakebus.StartNotifications(t, address)
	await.Until(t, "the ids are forgotten", func() bool { return b.idForKey("81") == 0 })
	show(t, b, Notification{Title: "81 closed", Key: "81", Port: 81})
	if got := s.Last(); got.Replaces != 0 || got.ID != 1 {
		t.Errorf("got %+v, want a new notification with id 1", got)
	}
	emit(t, s, "ActionInvoked", uint32(2), "default") // of another program's notification
	emit(t, s, "ActionInvoked", uint32(1), "default")
	wantClick(t, clicks, click{Action: Show, Title: "81 closed"})
}

// The user restarts a server that hangs. The connection on which the bus would
// have announced that was closed before.
func TestRestartWhileDisconnectedInvalidatesIDs(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	b.disconnect() // as after a delivery without an answer
	_ = s.Close()
	s = fakebus.StartNotifications(t, address)
	show(t, b, Notification{Title: "80 closed", Key: "80", Port: 80})
	if got := s.Last(); got.Replaces != 0 {
		t.Errorf("new server: got %+v, want a new notification", got)
	}

	b.disconnect()
	emit(t, s, "ActionInvoked", uint32(1), "default") // nobody receives it
	show(t, b, Notification{Title: "80 restarted", Key: "80", Port: 80})
	if got := s.Last(); got.Replaces != 0 { // the old one may have expired while nobody listened
		t.Errorf("same server: got %+v, want a new notification", got)
	}
	emit(t, s, "ActionInvoked", s.Last().ID, "default")
	wantClick(t, clicks, click{Action: Show, Title: "80 restarted"})
}

func TestWithdrawClosesTheLastNotificationWithTheKey(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80"})
	show(t, b, Notification{Title: "81 is open", Key: "81"})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for _, key := range []string{"81", "99", ""} {
		if err := b.Withdraw(ctx, key); err != nil {
			t.Errorf("Withdraw %q: %v", key, err)
		}
	}
	if got := s.Closed(); !slices.Equal(got, []uint32{2}) {
		t.Errorf("closed ids: got %v, want [2]", got)
	}
	s.Forget() // as if the user had closed them: the next call is refused
	conn := b.connected()
	if err := b.Withdraw(ctx, "80"); err != nil || b.connected() != conn {
		t.Errorf("Withdraw of a closed notification: got error %v, want none and the same connection", err)
	}
}

func TestHungServerCostsOneTimeout(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, clicks := newTestBus(t, address)
	s.Hang(true)
	goroutines := 0
	for range 8 { // the first time it hangs while connecting
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := b.Notify(ctx, Notification{Title: "80 is open", Key: "80", Port: 80})
		if ctx.Err() == nil || !errors.Is(err, ErrNoResponse) {
			t.Errorf("Notify of a hung server: got error %v, want %v at the deadline", err, ErrNoResponse)
		}
		cancel()
		s.Hang(false)
		show(t, b, Notification{Title: "80 closed", Key: "80", Port: 80})
		emit(t, s, "ActionInvoked", s.Last().ID, "default")
		wantClick(t, clicks, click{Action: Show, Title: "80 closed"})
		if goroutines == 0 {
			goroutines = runtime.NumGoroutine()
		}
		s.Hang(true)
	}
	s.Hang(false)
	await.Until(t, "blocked goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func TestNotifyAfterServerErrors(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	type hints map[string]dbus.Variant
	for what, answer := range map[string]any{
		"error answer": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) (uint32, *dbus.Error) {
			return 0, dbus.NewError("com.example.Nonsense", []any{uint32(7), "x"})
		},
		"answer of the wrong type": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) (string, *dbus.Error) {
			return "one", nil
		},
		"empty answer": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) *dbus.Error { return nil },
	} {
		if err := s.Export(answer); err != nil {
			t.Fatal(err)
		}
		if err := b.Notify(ctx, Notification{Title: "x"}); err == nil || ctx.Err() != nil {
			t.Errorf("%s: got error %v, want one immediately", what, err)
		}
	}
	if err := s.Export(s.Notify); err != nil {
		t.Fatal(err)
	}
	show(t, b, Notification{Title: "y"})
	_ = s.Close()
	if err := b.Notify(ctx, Notification{Title: "z"}); !errors.Is(err, ErrNoService) {
		t.Errorf("no server: got error %v, want %v", err, ErrNoService)
	}
	s = fakebus.StartNotifications(t, address)
	show(t, b, Notification{Title: "z"})
	if got := s.Last().Summary; got != "z" {
		t.Errorf("got summary %q, want z", got)
	}
}

func TestManyNotificationsLeakNothing(t *testing.T) {
	address := fakebus.Start(t)
	s := fakebus.StartNotifications(t, address)
	b, _ := newTestBus(t, address)
	b.icon.Variant = dbus.MakeVariant("none") // the race detector needs 15 ms for its pixels
	delivered := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w := Start(ctx, b, func(err error) { delivered <- err }, slog.New(slog.DiscardHandler))
	defer func() { cancel(); w.Wait() }()
	notify := func(n int) {
		t.Helper()
		for i := range n {
			key := fmt.Sprint(i % 100)
			if i%2 == 0 {
				key = "" // a new notification
			}
			w.Notify(Notification{Title: fmt.Sprint("notification ", i), Key: key, Port: 80})
			if err := <-delivered; err != nil {
				t.Fatal(err)
			}
			s.Expire()
		}
	}
	notify(1000) // fill all buffers
	before := measure(t)
	notify(10_000)
	var after usage
	await.Until(t, "goroutines and descriptors are as before", func() bool {
		after = measure(t)
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors
	}, func() any { return fmt.Sprintf("before %+v, after %+v", before, after) })
	const allowed = 512 << 10 // a leak of 10,000 objects would be larger
	if grown := int64(after.heap) - int64(before.heap); grown > allowed {
		t.Errorf("the heap grew by %d bytes, from %d; want at most %d", grown, before.heap, allowed)
	}
	t.Logf("before %+v, after 10,000 more %+v", before, after)
}

// usage is the resource usage of this process; heap is in bytes.
type usage struct {
	goroutines, descriptors int
	heap                    uint64
}

func measure(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC() // objects with finalizers need two collections
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	return usage{runtime.NumGoroutine(), len(fds), m.HeapAlloc}
}
