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

// Times that the link keeps.
const (
	handshakeTimeout = 2 * time.Second  // a client says what it wants within
	writeTimeout     = 10 * time.Second // a window that takes no line for so long is hung up on
)

// Handler is what the server needs of the agent. Its methods may be called
// from any goroutine.
type Handler interface {
	// Command handles a start or a command and returns its answer.
	Command(Message) Message
	// WindowConnected tells of a window process; the agent sends it messages with Send
	// until the context of the connection ends.
	WindowConnected(*WindowConn)
	// WindowMessage handles a message of a window process.
	WindowMessage(*WindowConn, Message)
	// WindowDisconnected tells that the window process has hung up.
	WindowDisconnected(*WindowConn)
}

// Server is the agent's end. Only the holder of the place's lock starts one.
type Server struct {
	listener net.Listener
	handler  Handler
	monitor  *monitor.Monitor
	log      *slog.Logger
	conns    sync.WaitGroup
}

// Listen opens the agent's socket.
func Listen(place RuntimeDir, handler Handler, m *monitor.Monitor, log *slog.Logger) (*Server, error) {
	l, err := place.listen()
	if err != nil {
		return nil, err
	}
	return &Server{listener: l, handler: handler, monitor: m, log: log}, nil
}

// Serve takes connections until ctx ends, and returns when all are closed.
func (s *Server) Serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() }) // Accept then fails, which ends the loop
	defer stop()
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			s.log.Warn("the link cannot take a connection", "problem", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond): // out of descriptors, say: try again
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
		s.log.Warn("the link refuses a connection", "problem", err)
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(handshakeTimeout)) // fails only on a closed connection, as does the read
	r := newReader(c, maxFromClient)
	first, err := r.next()
	if err != nil {
		return // it said nothing that we know
	}
	_ = c.SetDeadline(time.Time{})
	if first.Kind == Window {
		s.serveWindow(ctx, cancel, c, r)
		return
	}
	stop() // an agent that ends because of this command answers it still
	answer := s.handler.Command(first)
	_ = c.SetWriteDeadline(time.Now().Add(handshakeTimeout)) // fails only on a closed connection, as does the write
	if err := write(c, answer); err != nil {
		s.log.Debug("a client left before its answer", "problem", err)
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
				s.log.Info("the window cannot be heard any more", "problem", err)
			}
			return
		}
		s.handler.WindowMessage(w, m)
	}
}

// WindowConn is the connection to one window process.
type WindowConn struct {
	Context context.Context // ends with the connection
	conn    net.Conn
	queue   chan Message
	cancel  func()
	clock   clock
}

// Send queues m and does not wait. A window that lets 64 messages lie is hung
// up on. It may be called from any goroutine.
func (w *WindowConn) Send(m Message) {
	select {
	case w.queue <- m:
	default:
		w.cancel()
	}
}

// write sends what the monitor sees and what the agent says, until the
// connection ends. A slow window gets merged updates: see Subscription.
func (w *WindowConn) write(updates *monitor.Subscription, log *slog.Logger) {
	defer w.cancel()
	told := false
	for {
		var err error
		select {
		case <-w.Context.Done():
			return
		case m := <-w.queue:
			err = w.send(m)
		case <-updates.C:
			if u, ok := updates.Take(); ok && u.Ready {
				err = w.sendUpdate(u, told)
				told = true
			}
		}
		if err != nil {
			if w.Context.Err() == nil {
				log.Info("the window does not take what it is told", "problem", err)
			}
			return
		}
	}
}

func (w *WindowConn) send(m Message) error {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed connection, as does the write
	return write(w.conn, m)
}

func (w *WindowConn) sendUpdate(u monitor.Update, told bool) error {
	if told {
		for i, c := range u.Events {
			more := i < len(u.Events)-1
			if err := w.send(Message{Kind: Kind(c.Kind), At: c.At, Listener: w.clock.toWire(c.Listener), Before: w.clock.toWire(c.Before), More: more}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, l := range u.Snapshot.Listeners {
		if err := w.send(Message{Kind: SnapshotListener, Listener: w.clock.toWire(l)}); err != nil {
			return err
		}
	}
	return w.send(Message{Kind: Ready, At: u.Snapshot.TakenAt, Count: len(u.Snapshot.Listeners)})
}
