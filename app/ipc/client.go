package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"porthole/monitor"
)

// requestTimeout limits how long the agent may take to answer a request.
const requestTimeout = 2 * time.Second

// ErrNotRunning means that no agent is running.
//
//lint:ignore ST1005 Porthole is a name
var ErrNotRunning = errors.New("Porthole is not running")

// ErrNoResponse means that the agent is running but does not respond.
//
//lint:ignore ST1005 Porthole is a name
var ErrNoResponse = errors.New("Porthole is running but does not respond; end it with \"porthole quit\" and start it again")

// Request sends one command to the agent and returns its answer. It waits at most
// 2 s for the answer. The error is ErrNotRunning or ErrNoResponse.
func Request(dir RuntimeDir, m Message) (Message, error) {
	c, err := dir.dial()
	if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
		return Message{}, ErrNoResponse // a busy pipe; connecting to a socket does not time out
	}
	if err != nil {
		return Message{}, ErrNotRunning
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(requestTimeout)) // on a closed connection the write fails too
	if err := write(c, m); err != nil {
		return Message{}, ErrNoResponse
	}
	answer, err := newReader(c, maxFromAgent).next()
	if err != nil {
		return Message{}, ErrNoResponse
	}
	return answer, nil
}

// Client is the window process's connection to the agent.
type Client struct {
	conn  net.Conn
	clock clock
	mu    sync.Mutex // serializes writes
}

// Connect connects the window process to the agent.
func Connect(dir RuntimeDir) (*Client, error) {
	c, err := dir.dial()
	if err != nil {
		return nil, fmt.Errorf("connect to the agent: %w", err)
	}
	client := &Client{conn: c, clock: newClock()}
	if err := client.Send(Message{Kind: Window}); err != nil {
		_ = c.Close()
		return nil, err
	}
	return client, nil
}

// Send sends m. It blocks for at most 2 s and is safe for concurrent use.
func (c *Client) Send(m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(requestTimeout)) // on a closed connection the write fails too
	return write(c.conn, m)
}

// Receive passes every update to onUpdate and every other message to onMessage,
// on the caller's goroutine and in order. It returns nil when the agent closes
// the connection or ctx ends, and an error if a message is malformed.
func (c *Client) Receive(ctx context.Context, onUpdate func(monitor.Update), onMessage func(Message)) error {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	r := newReader(c.conn, maxFromAgent)
	var builder updateBuilder
	for {
		m, err := r.next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		c.clock.fromWire(m.Listener)
		c.clock.fromWire(m.Before)
		u, known, err := builder.add(m)
		switch {
		case err != nil:
			return err
		case !known:
			onMessage(m)
		case u.Ready:
			onUpdate(u)
		}
	}
}

// updateBuilder assembles updates from messages about single listeners.
type updateBuilder struct {
	snapshot  monitor.Snapshot
	listeners []*monitor.Listener // the part of the initial snapshot received so far
	events    []monitor.Event     // the events of an update received so far
}

// add adds m. The returned update is Ready if m completes it. known is false if m
// is not part of an update.
func (b *updateBuilder) add(m Message) (u monitor.Update, known bool, _ error) {
	switch kind := monitor.Kind(m.Kind); kind {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Updated,
		monitor.Discovered, monitor.Unlisted:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, fmt.Errorf("the agent sent the event %s without a listener", kind)
		}
		b.events = append(b.events, monitor.Event{At: m.At, Kind: kind, Listener: m.Listener, Before: m.Before})
		if m.More {
			return u, true, nil
		}
		b.snapshot = monitor.Apply(b.snapshot, b.events)
		u = monitor.Update{Snapshot: b.snapshot, Events: b.events, Ready: true}
		b.events = nil
		return u, true, nil
	}
	switch m.Kind {
	case SnapshotListener:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, errors.New("the agent sent a listener without an address")
		}
		b.listeners = append(b.listeners, m.Listener)
		return u, true, nil
	case Ready:
		b.snapshot = monitor.Snapshot{TakenAt: m.At, Listeners: b.listeners}
		b.listeners, b.events = nil, nil
		return monitor.Update{Snapshot: b.snapshot, Ready: true}, true, nil
	}
	return u, false, nil
}
