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

	"porthole/internal/testhome"
	"porthole/monitor"
)

// fakeTable is a monitor.Table with the sockets that the test sets.
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

func (t *fakeTable) Poll(monitor.PollOptions) ([]monitor.Socket, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sockets, true, nil
}

func (t *fakeTable) Source() string { return "test" }

// noOwners is a monitor.Finder that finds no owners.
type noOwners struct{}

func (noOwners) Find(context.Context, monitor.Scope, []monitor.Socket, func(monitor.Holding)) error {
	return nil
}
func (noOwners) Verify([]monitor.Holding) (gone, changed []monitor.Holding) { return nil, nil }
func (noOwners) WhyUnknown(monitor.Socket) monitor.OwnerUnknown {
	return monitor.OwnerUnknown{Reason: "unknown"}
}

// fakeAgent is a Handler that passes what it gets to the test.
type fakeAgent struct {
	connected, disconnected chan *WindowConn
	messages                chan Message
}

func (a *fakeAgent) Command(m Message) Message              { return Message{Kind: Done, Problem: string(m.Kind)} }
func (a *fakeAgent) WindowConnected(c *WindowConn)          { a.connected <- c }
func (a *fakeAgent) WindowDisconnected(c *WindowConn)       { a.disconnected <- c }
func (a *fakeAgent) WindowMessage(_ *WindowConn, m Message) { a.messages <- m }

// openTestDir returns a runtime directory of this test.
func openTestDir(t *testing.T) RuntimeDir {
	t.Helper()
	testhome.New(t)
	dir, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// serve starts a monitor and a server until the test ends.
func serve(t *testing.T) (RuntimeDir, *fakeTable, *fakeAgent) {
	t.Helper()
	dir := openTestDir(t)
	table := &fakeTable{Sleeper: monitor.NewSleeper()}
	table.set(3000, 62893)
	m := monitor.New(table, noOwners{}, monitor.Options{Interval: 5 * time.Millisecond, Logger: discardLog()})
	a := &fakeAgent{connected: make(chan *WindowConn, 4), disconnected: make(chan *WindowConn, 4), messages: make(chan Message, 4)}
	server, err := Listen(dir, a, m, discardLog())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { m.Run(ctx) })
	parts.Go(func() { server.Serve(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	return dir, table, a
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// receive receives from c, which must happen within 10 s.
func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: got nothing within 10 s", what)
		panic("unreachable")
	}
}

func TestWindowReceivesSnapshotThenEvents(t *testing.T) {
	dir, table, a := serve(t)
	c, err := Connect(dir)
	if err != nil {
		t.Fatal(err)
	}
	updates, messages := make(chan monitor.Update, 16), make(chan Message, 16)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Receive(ctx, func(u monitor.Update) { updates <- u }, func(m Message) { messages <- m })
	}()
	conn := receive(t, "WindowConnected", a.connected)
	first := receive(t, "first update", updates)
	if len(first.Snapshot.Listeners) != 2 || len(first.Events) != 0 || !first.Ready {
		t.Fatalf("first update: got %d listeners and %d events, want 2 and 0", len(first.Snapshot.Listeners), len(first.Events))
	}
	table.set(3000, 5432)
	var kinds []string
	last := first
	for len(kinds) < 2 {
		last = receive(t, "update", updates)
		for _, e := range last.Events {
			kinds = append(kinds, string(e.Kind))
		}
	}
	if len(last.Snapshot.Listeners) != 2 || last.Snapshot.Listeners[1].Port != 5432 {
		t.Errorf("after %v: got %d listeners, want 2, the second on 5432", kinds, len(last.Snapshot.Listeners))
	}
	conn.Send(Message{Kind: StatusUpdate, Status: &Status{Paused: true}})
	if m := receive(t, "status", messages); m.Kind != StatusUpdate || m.Status == nil || !m.Status.Paused {
		t.Errorf("got %+v, want a paused status", m)
	}
	if err := c.Send(Message{Kind: Watch, Port: 5432}); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, "WindowMessage", a.messages); m.Kind != Watch || m.Port != 5432 {
		t.Errorf("the agent got %+v, want watch 5432", m)
	}
	cancel()
	if err := receive(t, "end of Receive", ended); err != nil {
		t.Errorf("Receive: got error %v, want nil after cancel", err)
	}
	receive(t, "WindowDisconnected", a.disconnected)
}

// The window warns if "localhost" leads to two servers, so it must know whether a
// socket on [::] accepts IPv4 too.
func TestWindowReceivesV6Only(t *testing.T) {
	dir, table, a := serve(t)
	table.mu.Lock()
	for i, only := range []bool{true, false} {
		table.sockets = append(table.sockets, monitor.Socket{ID: monitor.SocketID(70001 + i), Protocol: monitor.TCP, Port: uint16(8001 + i), Address: netip.IPv6Unspecified(), V6Only: only})
	}
	table.mu.Unlock()
	c, err := Connect(dir)
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
		t.Errorf("V6Only: got %v, want [true false]", got)
	}
	cancel()
	if err := receive(t, "end of Receive", ended); err != nil {
		t.Error(err)
	}
	receive(t, "WindowDisconnected", a.disconnected)
}

func TestRequestReturnsTheAnswer(t *testing.T) {
	dir, _, _ := serve(t)
	answer, err := Request(dir, Message{Kind: Quit})
	if err != nil || answer.Kind != Done || answer.Problem != "quit" {
		t.Fatalf("got %+v, error %v; want done", answer, err)
	}
}

func TestRequestWithoutAnAgent(t *testing.T) {
	dir := openTestDir(t)
	if _, err := Request(dir, Message{Kind: Quit}); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("got error %v, want %v", err, ErrNotRunning)
	}
}

func TestRequestToAHungAgent(t *testing.T) {
	dir := openTestDir(t)
	l, err := dir.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it accepts nothing: the connection stays in the queue
	begin := time.Now()
	if _, err := Request(dir, Message{Kind: Start}); !errors.Is(err, ErrNoResponse) {
		t.Fatalf("got error %v, want %v", err, ErrNoResponse)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v, want about %v", took, requestTimeout)
	}
}

func TestMalformedInputClosesTheConnection(t *testing.T) {
	dir, _, a := serve(t)
	for name, bytes := range map[string]string{
		"no JSON":                      "hello\n",
		"no bytes":                     "",
		"endless line":                 strings.Repeat("x", maxFromClient+10),
		"garbage after the first line": `{"kind":"window"}` + "\n\x00\xff\n",
	} {
		c, err := dir.dial()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, bytes); err != nil {
			t.Logf("%s: %v", name, err) // closed already
		}
		if half, ok := c.(interface{ CloseWrite() error }); ok && bytes == "" { // CloseWrite of a pipe waits for its peer
			_ = half.CloseWrite()
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the server did not close the connection", name)
		}
		_ = c.Close()
	}
	receive(t, "WindowConnected", a.connected)
	receive(t, "WindowDisconnected", a.disconnected)
	if answer, err := Request(dir, Message{Kind: Quit}); err != nil || answer.Kind != Done {
		t.Errorf("request afterwards: got %+v, error %v; want done", answer, err)
	}
}

func TestUpdateBuilderIgnoresUnknownKinds(t *testing.T) {
	var b updateBuilder
	if _, known, err := b.add(Message{Kind: "from_the_future"}); known || err != nil {
		t.Errorf("unknown kind: got known %t, error %v; want false and none", known, err)
	}
	if _, _, err := b.add(Message{Kind: Kind(monitor.Opened)}); err == nil {
		t.Error("event without a listener: got no error")
	}
}

func TestLockIsExclusive(t *testing.T) {
	dir := openTestDir(t)
	unlock, ok, err := dir.Lock()
	if err != nil || !ok {
		t.Fatalf("Lock: got %t, error %v; want true", ok, err)
	}
	if _, ok, err := dir.Lock(); ok || err != nil {
		t.Fatalf("second Lock: got %t, error %v; want false", ok, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := dir.Lock(); !ok || err != nil {
		t.Fatalf("Lock after unlock: got %t, error %v; want true", ok, err)
	}
}

// endingAgent is an agent that ends because of a command.
type endingAgent struct {
	fakeAgent
	end context.CancelFunc
}

func (e *endingAgent) Command(Message) Message {
	e.end()
	time.Sleep(50 * time.Millisecond) // let the server react to the end
	return Message{Kind: Done}
}

func TestCommandThatEndsTheAgentIsAnswered(t *testing.T) {
	dir := openTestDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := monitor.New(&fakeTable{Sleeper: monitor.NewSleeper()}, noOwners{}, monitor.Options{Logger: discardLog()})
	server, err := Listen(dir, &endingAgent{end: cancel}, m, discardLog())
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(ctx) })
	defer serving.Wait()
	if answer, err := Request(dir, Message{Kind: Start}); err != nil || answer.Kind != Done {
		t.Errorf("got %+v, error %v; want done", answer, err)
	}
}
