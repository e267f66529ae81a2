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

// requestTimeout is how long an agent may take to answer.
const requestTimeout = 2 * time.Second

// ErrNotRunning means that nobody listens at the place.
//
//lint:ignore ST1005 Porthole is a name
var ErrNotRunning = errors.New("Porthole is not running")

// ErrNoResponse means that the agent is there and does not answer.
//
//lint:ignore ST1005 Porthole is a name
var ErrNoResponse = errors.New("Porthole is running but does not answer; end it (pkill porthole) and start it again")

// Request sends one command to the agent and returns its answer. The error is
// ErrNoAgent, ErrSilent, or a sentence.
func Request(place RuntimeDir, m Message) (Message, error) {
	c, err := place.dial()
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return Message{}, ErrNoResponse // a pipe that takes nobody; a socket lets one wait
	}
	if err != nil {
		return Message{}, ErrNotRunning
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(requestTimeout)) // fails only on a closed connection, as does the write
	if err := write(c, m); err != nil {
		return Message{}, ErrNoResponse
	}
	answer, err := newReader(c, maxFromAgent).next()
	if err != nil {
		return Message{}, ErrNoResponse
	}
	return answer, nil
}

// Client is the window process's end.
type Client struct {
	conn  net.Conn
	clock clock
	mu    sync.Mutex // one message at a time
}

// Connect connects the window process to the agent.
func Connect(place RuntimeDir) (*Client, error) {
	c, err := place.dial()
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

// Send sends m. It may be called from any goroutine and waits at most 2 s.
func (c *Client) Send(m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(requestTimeout)) // fails only on a closed connection, as does the write
	return write(c.conn, m)
}

// Receive gives every update to update and every other message to said, until
// the agent hangs up or ctx ends; then it returns why, nil for a clean end.
// Both are called from Listen's goroutine, in the order of the messages.
func (c *Client) Receive(ctx context.Context, update func(monitor.Update), said func(Message)) error {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	r := newReader(c.conn, maxFromAgent)
	var t updateBuilder
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
		u, known, err := t.add(m)
		switch {
		case err != nil:
			return err
		case !known:
			said(m)
		case u.Ready:
			update(u)
		}
	}
}

// updateBuilder puts the lines about listeners together into updates.
type updateBuilder struct {
	snapshot  monitor.Snapshot
	listeners []*monitor.Listener // of a snapshot that is being told
	events    []monitor.Event     // of an update that is being told
}

// add returns an update that is Ready where m completes one, and known false
// where m is about something else.
func (t *updateBuilder) add(m Message) (u monitor.Update, known bool, _ error) {
	switch kind := monitor.Kind(m.Kind); kind {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Updated,
		monitor.Discovered, monitor.Unlisted:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, fmt.Errorf("the agent told of a change (%s) without a listener", kind)
		}
		t.events = append(t.events, monitor.Event{At: m.At, Kind: kind, Listener: m.Listener, Before: m.Before})
		if m.More {
			return u, true, nil
		}
		t.snapshot = monitor.Apply(t.snapshot, t.events)
		u = monitor.Update{Snapshot: t.snapshot, Events: t.events, Ready: true}
		t.events = nil
		return u, true, nil
	}
	switch m.Kind {
	case SnapshotListener:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, errors.New("the agent told of a listener that has no address")
		}
		t.listeners = append(t.listeners, m.Listener)
		return u, true, nil
	case Ready:
		t.snapshot = monitor.Snapshot{TakenAt: m.At, Listeners: t.listeners}
		t.listeners, t.events = nil, nil
		return monitor.Update{Snapshot: t.snapshot, Ready: true}, true, nil
	}
	return u, false, nil
}
