package ipc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"porthole/monitor"
)

// fakeTable is a monitor.Table whose sockets the test sets.
type fakeTable struct {
	monitor.Sleeper
	mu      sync.Mutex
	sockets []monitor.Socket
}

func (t *fakeTable) set(ports ...uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sockets = nil
	for _, p := range ports {
		t.sockets = append(t.sockets, monitor.Socket{ID: monitor.SocketID(p), Protocol: monitor.TCP, Port: p, Address: netip.MustParseAddr("127.0.0.1")})
	}
}

func (t *fakeTable) Sockets(dst []monitor.Socket, _ bool) ([]monitor.Socket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(dst, t.sockets...), nil
}

func (t *fakeTable) Source() string { return "test" }

// noOwners finds no owner.
type noOwners struct{}

func (noOwners) Find(context.Context, monitor.Scope, []monitor.Socket, func(monitor.Holding)) error {
	return nil
}
func (noOwners) Holds(monitor.Holding) bool { return true }
func (noOwners) Calm(int) bool              { return true }
func (noOwners) Hidden(monitor.Socket) monitor.OwnerUnknown {
	return monitor.OwnerUnknown{Reason: "hidden"}
}

// fakeAgent notes what the server tells the agent.
type fakeAgent struct {
	connected, disconnected chan *WindowConn
	messages                chan Message
}

func (a *fakeAgent) Command(m Message) Message              { return Message{Kind: Done, Problem: string(m.Kind)} }
func (a *fakeAgent) WindowConnected(c *WindowConn)          { a.connected <- c }
func (a *fakeAgent) WindowDisconnected(c *WindowConn)       { a.disconnected <- c }
func (a *fakeAgent) WindowMessage(_ *WindowConn, m Message) { a.messages <- m }

// serve starts an agent's end on a place of the test's own.
func serve(t *testing.T) (RuntimeDir, *fakeTable, *fakeAgent) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	tab := &fakeTable{Sleeper: monitor.NewSleeper()}
	tab.set(3000, 62893)
	m := monitor.New(tab, noOwners{}, monitor.Options{Interval: 5 * time.Millisecond, Logger: discardLog()})
	a := &fakeAgent{connected: make(chan *WindowConn, 4), disconnected: make(chan *WindowConn, 4), messages: make(chan Message, 4)}
	server, err := Listen(place, a, m, discardLog())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { m.Run(ctx) })
	parts.Go(func() { server.Serve(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	return place, tab, a
}

// shortTempDir is a folder whose name leaves room for a socket's: 108 bytes in all (unix(7)).
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "l")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing within 10 s", what)
		panic("unreachable")
	}
}

func TestAWindowSeesTheSnapshotThenTheChanges(t *testing.T) {
	place, tab, a := serve(t)
	c, err := Connect(place)
	if err != nil {
		t.Fatal(err)
	}
	updates, said := make(chan monitor.Update, 16), make(chan Message, 16)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Receive(ctx, func(u monitor.Update) { updates <- u }, func(m Message) { said <- m })
	}()
	conn := receive(t, "opened", a.connected)
	first := receive(t, "the first update", updates)
	if len(first.Snapshot.Listeners) != 2 || len(first.Events) != 0 || !first.Ready {
		t.Fatalf("first update: %d listeners, %d changes; want 2, 0", len(first.Snapshot.Listeners), len(first.Events))
	}
	tab.set(3000, 5432)
	var kinds []string
	last := first
	for len(kinds) < 2 {
		last = receive(t, "an update", updates)
		for _, ch := range last.Events {
			kinds = append(kinds, string(ch.Kind))
		}
	}
	if len(last.Snapshot.Listeners) != 2 || last.Snapshot.Listeners[1].Port != 5432 {
		t.Errorf("after %v: %d listeners", kinds, len(last.Snapshot.Listeners))
	}
	conn.Send(Message{Kind: StatusUpdate, Status: &Status{Paused: true}})
	if m := receive(t, "a status", said); m.Kind != StatusUpdate || m.Status == nil || !m.Status.Paused {
		t.Errorf("said %+v", m)
	}
	if err := c.Send(Message{Kind: Watch, Port: 5432}); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, "what the window says", a.messages); m.Kind != Watch || m.Port != 5432 {
		t.Errorf("the agent heard %+v", m)
	}
	cancel()
	if err := receive(t, "the end", ended); err != nil {
		t.Errorf("Listen: %v; want nil for a clean end", err)
	}
	receive(t, "closed", a.disconnected)
}

// The window warns of a localhost that leads to two servers: it must know whether
// [::] takes IPv4 too.
func TestAWindowSeesWhichFamilyASocketTakes(t *testing.T) {
	place, tab, a := serve(t)
	tab.mu.Lock()
	for i, only := range []bool{true, false} {
		tab.sockets = append(tab.sockets, monitor.Socket{ID: monitor.SocketID(70001 + i), Protocol: monitor.TCP, Port: uint16(8001 + i), Address: netip.IPv6Unspecified(), V6Only: only})
	}
	tab.mu.Unlock()
	c, err := Connect(place)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen, ended := make(chan [2]bool, 16), make(chan error, 1)
	go func() {
		ended <- c.Receive(ctx, func(u monitor.Update) {
			if all := u.Snapshot.Listeners; len(all) == 4 { // sorted by port
				seen <- [2]bool{all[1].Sockets[0].V6Only, all[2].Sockets[0].V6Only}
			}
		}, func(Message) {})
	}()
	if got := receive(t, "both sockets", seen); got != [2]bool{true, false} {
		t.Errorf("IPv6 only: %v; want the first alone", got)
	}
	cancel()
	if err := receive(t, "the end", ended); err != nil {
		t.Error(err)
	}
	receive(t, "closed", a.disconnected)
}

func TestCommandsAreAnswered(t *testing.T) {
	place, _, _ := serve(t)
	answer, err := Request(place, Message{Kind: Quit})
	if err != nil || answer.Kind != Done || answer.Problem != "quit" {
		t.Fatalf("Ask: %+v, %v", answer, err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Request(place, Message{Kind: Quit}); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("Ask: %v; want ErrNoAgent", err)
	}
}

func TestAnAgentThatDoesNotAnswerIsSaidWithinSeconds(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	l, err := place.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it accepts nothing: the connection waits in the queue
	begin := time.Now()
	if _, err := Request(place, Message{Kind: Start}); !errors.Is(err, ErrNoResponse) {
		t.Fatalf("Ask: %v; want ErrSilent", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestBrokenPeersAreHungUpOn(t *testing.T) {
	place, _, a := serve(t)
	for name, bytes := range map[string]string{
		"no JSON":           "hello\n",
		"nothing":           "",
		"an endless line":   strings.Repeat("x", maxFromClient+10),
		"a window, then no": `{"kind":"window"}` + "\n\x00\xff\n",
	} {
		c, err := place.dial()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, bytes); err != nil {
			t.Logf("%s: %v", name, err) // hung up on already
		}
		if half, ok := c.(interface{ CloseWrite() error }); ok && bytes == "" { // a pipe's end is waited for
			_ = half.CloseWrite()
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: was not hung up on", name)
		}
		_ = c.Close()
	}
	receive(t, "the window was opened", a.connected)
	receive(t, "and closed", a.disconnected)
	if answer, err := Request(place, Message{Kind: Quit}); err != nil || answer.Kind != Done {
		t.Errorf("afterwards: %+v, %v", answer, err)
	}
}

func TestMessagesOfALaterVersionAreIgnored(t *testing.T) {
	var tell updateBuilder
	if _, known, err := tell.add(Message{Kind: "from_the_future"}); known || err != nil {
		t.Errorf("known %v, error %v", known, err)
	}
	if _, _, err := tell.add(Message{Kind: Kind(monitor.Opened)}); err == nil {
		t.Error("a change without a listener was taken")
	}
}

func TestOneLock(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	unlock, mine, err := place.Lock()
	if err != nil || !mine {
		t.Fatalf("Lock: %v, %v", mine, err)
	}
	if _, second, err := place.Lock(); second || err != nil {
		t.Fatalf("a second lock: %v, %v; want false", second, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, again, err := place.Lock(); !again || err != nil {
		t.Fatalf("after unlock: %v, %v", again, err)
	}
}

// endingAgent is an agent that ends because of a command.
type endingAgent struct {
	fakeAgent
	end context.CancelFunc
}

func (e *endingAgent) Command(Message) Message {
	e.end()
	time.Sleep(50 * time.Millisecond) // all that ends with it has time to
	return Message{Kind: Done}
}

func TestTheCommandThatEndsTheAgentIsAnswered(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := monitor.New(&fakeTable{Sleeper: monitor.NewSleeper()}, noOwners{}, monitor.Options{Logger: discardLog()})
	server, err := Listen(place, &endingAgent{end: cancel}, m, discardLog())
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(ctx) })
	defer serving.Wait()
	if answer, err := Request(place, Message{Kind: Start}); err != nil || answer.Kind != Done {
		t.Errorf("%+v, %v; want it done", answer, err)
	}
}
