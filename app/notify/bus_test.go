package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// testTimeout is how long a test waits for what must come.
const testTimeout = 20 * time.Second

// startBus starts a session bus of the test's own and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	c := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:tmpdir="+t.TempDir(), "--print-address")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Skipf("needs dbus-daemon: %v", err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon said %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

// notifyCall is what a notification service was told to show.
type notifyCall struct {
	ID, Replaces uint32
	Summary      string
	Body         string
	Actions      []string
}

// fakeServer is a notification service that shows nothing.
type fakeServer struct {
	t    *testing.T
	conn *dbus.Conn

	mu     sync.Mutex
	issued uint32
	last   notifyCall
	closed []uint32 // by a call
	held   chan struct{}
}

const objectPath = "/org/freedesktop/Notifications"

// startFakeServer starts a notification service on the bus at address.
func startFakeServer(t *testing.T, address string) *fakeServer {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{t: t, conn: conn}
	t.Cleanup(f.end)
	f.export(f.notify)
	if reply, err := conn.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("take the service's name: %v, %v", reply, err)
	}
	return f
}

// export answers calls, Notify by notify.
func (f *fakeServer) export(notify any) {
	f.t.Helper()
	err := f.conn.ExportMethodTable(map[string]any{
		"Notify": notify,
		"CloseNotification": func(id uint32) *dbus.Error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.closed = append(f.closed, id)
			if id > f.issued {
				return dbus.MakeFailedError(fmt.Errorf("there is no %d", id))
			}
			return nil
		},
		"GetCapabilities": func() ([]string, *dbus.Error) {
			f.wait()
			return []string{"actions", "body", "body-markup"}, nil
		},
	}, objectPath, serviceName)
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeServer) notify(_ string, replaces uint32, _, summary, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	id := replaces
	if id == 0 {
		f.issued++
		id = f.issued
	}
	f.last = notifyCall{id, replaces, summary, body, actions}
	return id, nil
}

func (f *fakeServer) wait() {
	f.mu.Lock()
	held := f.held
	f.mu.Unlock()
	if held != nil {
		<-held
	}
}

// hang lets the service answer nothing until free.
func (f *fakeServer) hang() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = make(chan struct{})
}

func (f *fakeServer) free() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held != nil {
		close(f.held)
		f.held = nil
	}
}

// end ends the service.
func (f *fakeServer) end() {
	f.free()
	_ = f.conn.Close() // it may have ended already
}

// got returns what the service was told last.
func (f *fakeServer) got() notifyCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// emit emits a signal of the service's.
func (f *fakeServer) emit(name string, values ...any) {
	f.t.Helper()
	if err := f.conn.Emit(objectPath, serviceName+"."+name, values...); err != nil {
		f.t.Errorf("emit %s%v: %v", name, values, err)
	}
}

// click is what the user did with a note.
type click struct {
	Action Action
	Title  string
}

// newTestBus returns the notifier under test and what is done with its notes.
func newTestBus(t *testing.T, address string) (*Bus, <-chan click) {
	clicks := make(chan click, 16)
	b := NewBus(address, func(a Action, n Notification) { clicks <- click{a, n.Title} }, slog.New(slog.DiscardHandler))
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
			t.Errorf("a click on %+v, want on %+v", got, want)
		}
	case <-time.After(testTimeout):
		t.Fatalf("no click came, want one on %+v", want)
	}
}

func TestANoteTakesThePlaceOfTheOneAboutTheSame(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, _ := newTestBus(t, address)
	for _, step := range []struct {
		key, title   string
		id, replaces uint32
	}{
		{"80", "80 is open", 1, 0},
		{"81", "81 is open", 2, 0},
		{"80", "80 closed", 1, 1},
		{"", "about nothing", 3, 0},
		{"", "about nothing either", 4, 0},
		{"80", "80 is open again", 1, 1},
	} {
		show(t, b, Notification{Title: step.title, Key: step.key})
		if got := f.got(); got.ID != step.id || got.Replaces != step.replaces || got.Summary != step.title {
			t.Errorf("%s: %+v; want number %d in the place of %d", step.title, got, step.id, step.replaces)
		}
	}
}

func TestWhatANotificationOffers(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, _ := newTestBus(t, address)
	ports := watch.Rule{Ports: monitor.Ports{{First: 80, Last: 80}}}
	follows := watch.Rule{}
	if err := follows.Match.UnmarshalText([]byte("vite")); err != nil {
		t.Fatal(err)
	}
	both := []string{"default", "Show", "unwatch", "Stop watching"}
	for _, n := range []struct {
		note Notification
		want []string
	}{
		{Notification{Title: "a sentence"}, []string{}},
		{Notification{Title: "of many rules", Port: 80}, both[:2]},
		{Notification{Title: "of a port", Port: 80, Rule: ports}, both},
		{Notification{Title: "of a service", Port: 80, Rule: follows}, both},
	} {
		n.note.Body = "<b>&"
		show(t, b, n.note)
		if got := f.got(); !slices.Equal(got.Actions, n.want) || got.Body != "&lt;b&gt;&amp;" {
			t.Errorf("%s: actions %q, body %q; want %q, and no markup", n.note.Title, got.Actions, got.Body, n.want)
		}
	}
}

func TestClicksOfOthersAndBrokenSignalsDoNothing(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	id := f.got().ID
	f.emit("ActionInvoked", id+1, "default") // of another program's notification
	f.emit("ActionInvoked")
	f.emit("ActionInvoked", id)
	f.emit("ActionInvoked", "one", "default")
	f.emit("ActionInvoked", int32(id), "default")
	f.emit("ActionInvoked", id, uint32(1))
	f.emit("ActionInvoked", id, []string{"default"})
	f.emit("NotificationClosed", "one")
	f.emit("ActionInvoked", id, "unwatch") // signals keep their order: this one is the first that means something
	wantClick(t, clicks, click{StopWatching, "80 is open"})
	f.emit("ActionInvoked", id, "default")
	wantClick(t, clicks, click{Show, "80 is open"})
}

func TestAnotherServiceKnowsNoneOfTheOldIDs(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	show(t, b, Notification{Title: "81 is open", Key: "81", Port: 81})
	f.end()
	f = startFakeServer(t, address)
	waitUntil(t, "the ids are forgotten", func() bool { return b.idForKey("81") == 0 })
	show(t, b, Notification{Title: "81 closed", Key: "81", Port: 81})
	if got := f.got(); got.Replaces != 0 || got.ID != 1 {
		t.Errorf("told %+v, want a number of its own", got)
	}
	f.emit("ActionInvoked", uint32(2), "default") // another program's now
	f.emit("ActionInvoked", uint32(1), "default")
	wantClick(t, clicks, click{Show, "81 closed"})
}

// A service that hangs is ended and started by its user; the connection on
// which the bus would have told that is gone by then.
func TestAServiceThatRestartsUnseenKnowsNoneOfTheOldIDs(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, clicks := newTestBus(t, address)
	show(t, b, Notification{Title: "80 is open", Key: "80", Port: 80})
	b.disconnect() // as a delivery that got no answer does
	f.end()
	f = startFakeServer(t, address)
	show(t, b, Notification{Title: "80 closed", Key: "80", Port: 80})
	if got := f.got(); got.Replaces != 0 {
		t.Errorf("told %+v, want a number of its own", got)
	}

	b.disconnect()
	f.emit("ActionInvoked", uint32(1), "default") // lost
	show(t, b, Notification{Title: "80 restarted", Key: "80", Port: 80})
	if got := f.got(); got.Replaces != 1 {
		t.Errorf("the same service was told %+v, want it in the place of 1", got)
	}
	f.emit("ActionInvoked", uint32(1), "default")
	wantClick(t, clicks, click{Show, "80 restarted"})
}

func TestWithdrawClosesTheLastNoteAboutIt(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
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
	if f.mu.Lock(); !slices.Equal(f.closed, []uint32{2}) {
		t.Errorf("closed %v, want 2 alone", f.closed)
	}
	f.issued = 0 // it has closed them by itself: the next call is refused
	f.mu.Unlock()
	conn := b.connected()
	if err := b.Withdraw(ctx, "80"); err != nil || b.connected() != conn {
		t.Errorf("Withdraw of what the user has closed: %v; want no error, and the connection kept", err)
	}
}

func TestAServiceThatHangsCostsOneDeadline(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, clicks := newTestBus(t, address)
	f.hang()
	goroutines := 0
	for range 8 { // while it connects first, then
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := b.Notify(ctx, Notification{Title: "80 is open", Key: "80", Port: 80})
		if ctx.Err() == nil || err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("Notify of a service that hangs: %v; want that it does not answer, at the deadline", err)
		}
		cancel()
		f.free()
		show(t, b, Notification{Title: "80 closed", Key: "80", Port: 80})
		f.emit("ActionInvoked", f.got().ID, "default")
		wantClick(t, clicks, click{Show, "80 closed"})
		if goroutines == 0 {
			goroutines = runtime.NumGoroutine()
		}
		f.hang()
	}
	f.free()
	waitUntil(t, "what waited ends", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func TestAnErrorOfTheServiceIsOneAndTheNextNoteWorks(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, _ := newTestBus(t, address)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	type hints map[string]dbus.Variant
	for what, answer := range map[string]any{
		"a refusal": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) (uint32, *dbus.Error) {
			return 0, dbus.NewError("com.example.Nonsense", []any{uint32(7), "x"})
		},
		"a word for a number": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) (string, *dbus.Error) {
			return "one", nil
		},
		"no number": func(_ string, _ uint32, _, _, _ string, _ []string, _ hints, _ int32) *dbus.Error { return nil },
	} {
		f.export(answer)
		if err := b.Notify(ctx, Notification{Title: "x"}); err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v, want an error at once", what, err)
		}
	}
	f.export(f.notify)
	show(t, b, Notification{Title: "y"})
	f.end()
	if err := b.Notify(ctx, Notification{Title: "z"}); !errors.Is(err, ErrNoService) {
		t.Errorf("without a service: %v, want that there is none", err)
	}
	f = startFakeServer(t, address)
	show(t, b, Notification{Title: "z"})
	if got := f.got().Summary; got != "z" {
		t.Errorf("told %q, want z", got)
	}
}

func TestTenThousandNotificationsLeaveNothingBehind(t *testing.T) {
	address := startBus(t)
	f := startFakeServer(t, address)
	b, _ := newTestBus(t, address)
	b.icon.Variant = dbus.MakeVariant("none") // its pixels take the race detector 15 ms each time
	delivered := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w := Start(ctx, b, func(err error) { delivered <- err }, slog.New(slog.DiscardHandler))
	defer func() { cancel(); w.Wait() }()
	tell := func(n int) {
		t.Helper()
		for i := range n {
			key := fmt.Sprint(i % 100)
			if i%2 == 0 {
				key = "" // a notification of its own
			}
			w.Notify(Notification{Title: fmt.Sprint("notification ", i), Key: key, Port: 80, WithdrawOnClose: true})
			if err := <-delivered; err != nil {
				t.Fatal(err)
			}
			f.emit("NotificationClosed", f.got().ID, uint32(1)) // as when it expires
		}
	}
	tell(1000) // what is kept at all is kept now
	before := measure(t)
	tell(10_000)
	var after usage
	waitUntil(t, "goroutines and descriptors are as before", func() bool {
		after = measure(t)
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors
	}, func() any { return fmt.Sprintf("before %+v, after %+v", before, after) })
	const allowed = 512 << 10 // 10,000 of anything would be more than that
	if grown := int64(after.heap) - int64(before.heap); grown > allowed {
		t.Errorf("the heap grew by %d bytes, from %d; want at most %d", grown, before.heap, allowed)
	}
	t.Logf("before %+v, after 10,000 more %+v", before, after)
}

// usage is what a process has.
type usage struct {
	goroutines, descriptors int
	heap                    uint64
}

func measure(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC() // what had a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	return usage{runtime.NumGoroutine(), len(fds), m.HeapAlloc}
}

// waitUntil waits for what must come; say adds to what is said where it does not.
func waitUntil(t *testing.T, what string, ok func() bool, say ...func() any) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			var more []any
			for _, f := range say {
				more = append(more, f())
			}
			t.Fatalf("not within %v: %s %v", testTimeout, what, more)
		}
	}
}
