package tap

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// ErrEnded is the error of connections that were open when the tap ended.
var ErrEnded = errors.New("the tap has ended")

// errReset is the error of a direction that ended with a reset.
var errReset = errors.New("connection reset")

// link joins the connection of a client with one to the server.
type link struct {
	client, server *net.TCPConn
	stream         source.Stream

	mu     sync.Mutex
	broken bool // one of the two was reset
	ended  bool // by reset
}

// run forwards both directions until both have ended, and closes the connections.
func (l *link) run() {
	var back sync.WaitGroup
	back.Go(func() { l.forward(traffic.ToClient, l.server, l.client) })
	l.forward(traffic.ToServer, l.client, l.server)
	back.Wait()
	l.mu.Lock()
	broken := l.broken
	l.mu.Unlock()
	if broken {
		l.abort()
	}
	_ = l.client.Close() // both directions have been shut down or reset
	_ = l.server.Close()
}

// forward copies one direction, from the end of which it passes on what it was: a FIN as
// a FIN, a reset as a reset.
func (l *link) forward(d traffic.Direction, from, to *net.TCPConn) {
	r := newReader(from)
	for {
		b, err := r.next()
		at := time.Now()
		switch {
		case err == io.EOF:
			l.stream.Close(d, at, nil)
			// If to was reset, from is reset when its other direction has ended.
			_ = to.CloseWrite()
			return
		case err != nil:
			// from has gone. What to still sends has no reader.
			l.stream.Close(d, at, l.reason(err))
			l.fail()
			l.abort()
			return
		}
		// Recorded before it is written, so that an answer never precedes its request.
		l.stream.Data(d, at, b)
		_, err = to.Write(b)
		r.release()
		if err != nil {
			// to has gone. The other direction still delivers what it sent before, and
			// then finds the end.
			l.stream.Close(d, time.Now(), l.reason(err))
			l.fail()
			return
		}
	}
}

// fail remembers that one of the connections was reset.
func (l *link) fail() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
}

// reset ends the connections at once.
func (l *link) reset() {
	l.mu.Lock()
	l.ended, l.broken = true, true
	l.mu.Unlock()
	l.abort()
}

// abort closes both connections with a RST. A connection that is closed stays so.
func (l *link) abort() {
	for _, c := range []*net.TCPConn{l.client, l.server} {
		_ = c.SetLinger(0) // fails if it is closed
		_ = c.Close()
	}
}

// reason returns why a direction ended.
func (l *link) reason(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		return ErrEnded
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return errReset
	}
	return fmt.Errorf("forward: %w", err)
}
