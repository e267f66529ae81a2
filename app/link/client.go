package link

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

// answerWithin is how long an agent may take to answer.
const answerWithin = 2 * time.Second

// ErrNoAgent means that nobody listens at the place.
//
//lint:ignore ST1005 Porthole is a name
var ErrNoAgent = errors.New("Porthole is not running")

// ErrSilent means that the agent is there and does not answer.
//
//lint:ignore ST1005 Porthole is a name
var ErrSilent = errors.New("Porthole is running but does not answer; end it (pkill porthole) and start it again")

// Ask sends one command to the agent and returns its answer. The error is
// ErrNoAgent, ErrSilent, or a sentence.
func Ask(place Place, m Message) (Message, error) {
	c, err := place.dial()
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return Message{}, ErrSilent // a pipe that takes nobody; a socket lets one wait
	}
	if err != nil {
		return Message{}, ErrNoAgent
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(answerWithin)) // fails only on a closed connection, as does the write
	if err := write(c, m); err != nil {
		return Message{}, ErrSilent
	}
	answer, err := newReader(c, maxFromAgent).next()
	if err != nil {
		return Message{}, ErrSilent
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
func Connect(place Place) (*Client, error) {
	c, err := place.dial()
	if err != nil {
		return nil, fmt.Errorf("connect to the agent: %w", err)
	}
	client := &Client{conn: c, clock: newClock()}
	if err := client.Say(Message{Kind: Window}); err != nil {
		_ = c.Close()
		return nil, err
	}
	return client, nil
}

// Say sends m. It may be called from any goroutine and waits at most 2 s.
func (c *Client) Say(m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(answerWithin)) // fails only on a closed connection, as does the write
	return write(c.conn, m)
}

// Listen gives every update to update and every other message to said, until
// the agent hangs up or ctx ends; then it returns why, nil for a clean end.
// Both are called from Listen's goroutine, in the order of the messages.
func (c *Client) Listen(ctx context.Context, update func(monitor.Update), said func(Message)) error {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	r := newReader(c.conn, maxFromAgent)
	var t telling
	for {
		m, err := r.next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		c.clock.heard(m.Listener)
		c.clock.heard(m.Before)
		u, known, err := t.take(m)
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

// telling puts the lines about listeners together into updates.
type telling struct {
	snapshot  monitor.Snapshot
	listeners []*monitor.Listener // of a snapshot that is being told
	changes   []monitor.Change    // of an update that is being told
}

// take returns an update that is Ready where m completes one, and known false
// where m is about something else.
func (t *telling) take(m Message) (u monitor.Update, known bool, _ error) {
	switch kind := monitor.Kind(m.Kind); kind {
	case monitor.Opened, monitor.Closed, monitor.OwnerChanged, monitor.ReachChanged, monitor.Updated,
		monitor.Found, monitor.Dropped:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, fmt.Errorf("the agent told of a change (%s) without a listener", kind)
		}
		t.changes = append(t.changes, monitor.Change{At: m.At, Kind: kind, Listener: m.Listener, Before: m.Before})
		if m.More {
			return u, true, nil
		}
		t.snapshot = monitor.Apply(t.snapshot, t.changes)
		u = monitor.Update{Snapshot: t.snapshot, Changes: t.changes, Ready: true}
		t.changes = nil
		return u, true, nil
	}
	switch m.Kind {
	case Listening:
		if m.Listener == nil || len(m.Listener.Addresses) == 0 {
			return u, true, errors.New("the agent told of a listener that has no address")
		}
		t.listeners = append(t.listeners, m.Listener)
		return u, true, nil
	case Ready:
		t.snapshot = monitor.Snapshot{TakenAt: m.At, Listeners: t.listeners}
		t.listeners, t.changes = nil, nil
		return monitor.Update{Snapshot: t.snapshot, Ready: true}, true, nil
	}
	return u, false, nil
}
