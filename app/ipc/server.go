package ipc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"porthole/monitor"
)

// Timeouts of the server.
const (
	handshakeTimeout = 2 * time.Second  // for the first message of a client, and for the answer to it
	writeTimeout     = 10 * time.Second // for one message to the window
)

// Handler handles commands and messages of clients. The agent implements it. It must be
// safe for concurrent use.
type Handler interface {
	// Command handles a start or a command and returns the answer.
	Command(Message) Message
	// WindowConnected announces a window process. The agent can Send messages to
	// it until WindowConn.Context ends.
	WindowConnected(*WindowConn)
	// WindowMessage handles a message of a window process.
	WindowMessage(*WindowConn, Message)
	// WindowDisconnected announces that the connection has closed.
	WindowDisconnected(*WindowConn)
}

// Server is the agent's end of the protocol.
type Server struct {
	listener net.Listener
	handler  Handler
	monitor  *monitor.Monitor
	log      *slog.Logger
	conns    sync.WaitGroup
}

// Listen opens the agent's socket in dir. The caller must hold dir's lock.
func Listen(dir RuntimeDir, handler Handler, m *monitor.Monitor, log *slog.Logger) (*Server, error) {
	l, err := dir.listen()
	if err != nil {
		return nil, err
	}
	return &Server{listener: l, handler: handler, monitor: m, log: log}, nil
}

// Serve accepts connections until ctx ends. It returns when all are closed.
func (s *Server) Serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() }) // makes Accept fail
	defer stop()
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			s.log.Warn("can't accept a client connection; retrying", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond): // for example out of file descriptors
			}
			continue
		}
		s.conns.Go(func() { s.serve(ctx, c) })
	}
	s.conns.Wait()
}

func (s *Server) serve(ctx context.Context, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	defer c.Close()
	if err := checkPeer(c); err != nil {
		s.log.Warn("rejected a client connection", "error", err)
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(handshakeTimeout)) // on a closed connection the read fails too
	r := newReader(c, maxFromClient)
	first, err := r.next()
	if err != nil {
		return // not a Porthole client, or one that died
	}
	_ = c.SetDeadline(time.Time{})
	if first.Kind == Window {
		s.serveWindow(ctx, cancel, c, r)
		return
	}
	if first.Kind == Start {
		first.Program = peerProgram(c)
	}
	stop() // the command may end the agent, and still gets its answer
	answer := s.handler.Command(first)
	_ = c.SetWriteDeadline(time.Now().Add(handshakeTimeout)) // on a closed connection the write fails too
	if err := write(c, answer); err != nil {
		s.log.Debug("a client disconnected before its answer", "error", err)
	}
}

func (s *Server) serveWindow(ctx context.Context, cancel func(), c net.Conn, r *reader) {
	w := &WindowConn{conn: c, queue: make(chan Message, 64), cancel: cancel, clock: newClock(), Context: ctx}
	updates := s.monitor.Subscribe()
	defer updates.Close()
	s.handler.WindowConnected(w)
	defer s.handler.WindowDisconnected(w)
	var writing sync.WaitGroup
	writing.Go(func() { w.write(updates, s.log) })
	defer writing.Wait()
	defer cancel()
	for {
		m, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				s.log.Info("lost the connection to the window", "error", err)
			}
			return
		}
		s.handler.WindowMessage(w, m)
	}
}

// WindowConn is the agent's connection to a window process.
type WindowConn struct {
	Context context.Context // ends with the connection
	conn    net.Conn
	queue   chan Message
	cancel  func()
	clock   clock
}

// Send queues m without blocking. If 64 messages are queued already, it closes
// the connection. It is safe for concurrent use.
func (w *WindowConn) Send(m Message) {
	select {
	case w.queue <- m:
	default:
		w.cancel()
	}
}

// write sends the monitor's updates and the queued messages until the connection
// closes. Updates for a slow window are merged: see monitor.Subscription.
func (w *WindowConn) write(updates *monitor.Subscription, log *slog.Logger) {
	defer w.cancel()
	snapshotSent := false
	for {
		var err error
		select {
		case <-w.Context.Done():
			return
		case m := <-w.queue:
			err = w.send(m)
		case <-updates.C:
			if u, ok := updates.Take(); ok && u.Ready {
				if snapshotSent {
					err = w.sendEvents(u.Events)
				} else {
					err = w.sendSnapshot(u.Snapshot)
				}
				snapshotSent = true
			}
		}
		if err != nil {
			if w.Context.Err() == nil {
				log.Info("can't send to the window", "error", err)
			}
			return
		}
	}
}

func (w *WindowConn) send(m Message) error {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // on a closed connection the write fails too
	return write(w.conn, m)
}

func (w *WindowConn) sendSnapshot(s monitor.Snapshot) error {
	for _, l := range s.Listeners {
		if err := w.send(Message{Kind: SnapshotListener, Listener: w.clock.toWire(l)}); err != nil {
			return err
		}
	}
	return w.send(Message{Kind: Ready, At: s.TakenAt, Count: len(s.Listeners)})
}

func (w *WindowConn) sendEvents(events []monitor.Event) error {
	for i, e := range events {
		more := i < len(events)-1
		if err := w.send(Message{Kind: Kind(e.Kind), At: e.At, Listener: w.clock.toWire(e.Listener), Before: w.clock.toWire(e.Before), More: more}); err != nil {
			return err
		}
	}
	return nil
}
