// Package tap forwards TCP connections to a server and hands a copy of all bytes to a
// recorder. Bytes, half-closes, resets and back-pressure pass as they are.
package tap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// Target is the server that a tap forwards to.
type Target struct {
	Address netip.Addr // invalid: 127.0.0.1, or ::1 if nothing listens there
	Port    uint16
}

// String returns "127.0.0.1:3000", or "3000".
func (t Target) String() string {
	if !t.Address.IsValid() {
		return fmt.Sprint(t.Port)
	}
	return netip.AddrPortFrom(t.Address, t.Port).String()
}

// candidates returns the addresses to try.
func (t Target) candidates() []netip.AddrPort {
	if t.Address.IsValid() {
		return []netip.AddrPort{netip.AddrPortFrom(t.Address, t.Port)}
	}
	return []netip.AddrPort{
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), t.Port),
		netip.AddrPortFrom(netip.IPv6Loopback(), t.Port),
	}
}

// Grace is how long open connections may take to finish when a tap ends.
const Grace = 5 * time.Second

// Tap is a forwarding listener. Create it with Listen, then call Serve once.
type Tap struct {
	listener *net.TCPListener
	target   Target
	recorder source.Recorder
	problem  func(error)
	grace    time.Duration

	preferred atomic.Int32  // index of the candidate that accepted the last connection
	slots     chan struct{} // one for each connection that may be open

	mu    sync.Mutex
	links map[*link]struct{} // open connections
}

// Listen opens a tap on address. Problems that do not end it, such as too many open
// files, are reported to problem, which may be nil.
func Listen(address netip.AddrPort, target Target, r source.Recorder, problem func(error)) (*Tap, error) {
	network := "tcp"
	if address.Addr().Is4() { // Go listens on [::] for 0.0.0.0 and tcp
		network = "tcp4"
	}
	l, err := net.ListenTCP(network, net.TCPAddrFromAddrPort(address))
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if problem == nil {
		problem = func(error) {}
	}
	return &Tap{listener: l, target: target, recorder: r, problem: problem, grace: Grace,
		slots: make(chan struct{}, maxConnections()), links: make(map[*link]struct{})}, nil
}

// Addr returns the address that the tap listens on.
func (t *Tap) Addr() netip.AddrPort { return t.listener.Addr().(*net.TCPAddr).AddrPort() }

// Serve forwards connections until ctx ends. Open connections may then finish for up to
// Grace, after which they are reset. All goroutines have ended when it returns.
func (t *Tap) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = t.listener.Close() })
	defer stop()
	clients := source.NewClients(t.Addr().Port())
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var names, connections sync.WaitGroup
	names.Go(func() { clients.Run(work) })
	err := t.accept(ctx, func(c *net.TCPConn) {
		connections.Go(func() {
			defer func() { <-t.slots }()
			t.serve(work, c, clients)
		})
	})
	_ = t.listener.Close() // it may be closed already
	late := time.AfterFunc(t.grace, func() {
		end() // connections to the server that are not complete
		t.resetAll()
	})
	defer late.Stop()
	connections.Wait()
	end()
	names.Wait()
	return err
}

// Pauses after an error of accept(2).
const (
	minPause     = 5 * time.Millisecond
	maxPause     = time.Second
	problemPause = 10 * time.Second // between two reports
)

// accept calls serve, which must not block, with each connection until ctx ends.
func (t *Tap) accept(ctx context.Context, serve func(*net.TCPConn)) error {
	pause := minPause
	report := t.throttled(ctx)
	for {
		select {
		case t.slots <- struct{}{}:
		default:
			report(fmt.Errorf("%d connections are open, as many as the limit of open files allows; others wait", cap(t.slots)))
			select {
			case t.slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		c, err := t.listener.AcceptTCP()
		switch {
		case err == nil:
			pause = minPause
			serve(c)
			continue
		case ctx.Err() != nil:
			return nil
		case !monitor.OutOfResources(err):
			return fmt.Errorf("accept a connection on %s: %w", t.Addr(), err)
		}
		<-t.slots
		report(fmt.Errorf("accept a connection on %s: %w", t.Addr(), err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
		pause = min(2*pause, maxPause)
	}
}

// throttled returns a function that reports problems, but not too often.
func (t *Tap) throttled(ctx context.Context) func(error) {
	var last time.Time
	return func(err error) {
		if now := time.Now(); ctx.Err() == nil && (last.IsZero() || now.Sub(last) >= problemPause) {
			last = now
			t.problem(err)
		}
	}
}

// serve forwards one connection until it has ended.
func (t *Tap) serve(ctx context.Context, client *net.TCPConn, clients *source.Clients) {
	c := traffic.Conn{Client: unmap(client.RemoteAddr()), Opened: time.Now()}
	server, err := t.dial(ctx)
	if err != nil {
		c.Server = t.target.candidates()[t.preferred.Load()]
		s := t.recorder.Open(c)
		clients.Find(c.Client, s)
		_ = client.SetLinger(0) // a reset: the server accepted nothing
		_ = client.Close()      // nothing was written
		now := time.Now()
		s.Close(traffic.ToServer, now, err)
		s.Close(traffic.ToClient, now, err)
		return
	}
	c.Server = unmap(server.RemoteAddr())
	l := &link{client: client, server: server, stream: t.recorder.Open(c)}
	clients.Find(c.Client, l.stream)
	t.mu.Lock()
	t.links[l] = struct{}{}
	t.mu.Unlock()
	l.run()
	t.mu.Lock()
	delete(t.links, l)
	t.mu.Unlock()
}

// unmap returns the address of a; one of IPv4 as such, even if the socket is of IPv6.
func unmap(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// dial connects to the server: first where it was last time, then at its other
// addresses.
func (t *Tap) dial(ctx context.Context) (*net.TCPConn, error) {
	dialer := net.Dialer{KeepAlive: -1} // no packets of our own; the kernel limits the time
	candidates := t.target.candidates()
	first := int(t.preferred.Load())
	var refused error
	for i := range candidates {
		at := (first + i) % len(candidates)
		c, err := dialer.DialContext(ctx, "tcp", candidates[at].String())
		if err == nil {
			t.preferred.Store(int32(at))
			return c.(*net.TCPConn), nil
		}
		if !isAbsent(err) {
			return nil, fmt.Errorf("connect to %s: %w", candidates[at], err)
		}
		if refused == nil || errors.Is(err, syscall.ECONNREFUSED) {
			refused = err
		}
	}
	return nil, fmt.Errorf("connect to %s: %w", t.target, refused)
}

// isAbsent reports whether err says that nothing listens at an address, or that this
// machine does not have it, as ::1 where IPv6 is off.
func isAbsent(err error) bool {
	const wsaeConnRefused = syscall.Errno(10061) // Windows Sockets Error Codes
	for _, e := range []syscall.Errno{syscall.ECONNREFUSED, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.ENETUNREACH, syscall.EHOSTUNREACH, wsaeConnRefused} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// resetAll resets the connections that are open.
func (t *Tap) resetAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l := range t.links {
		l.reset()
	}
}
