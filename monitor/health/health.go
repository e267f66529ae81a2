// Package health asks servers of this machine whether they work: with one HTTP request, for
// the command wait, and again and again for the watches that say so.
package health

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"porthole/monitor"
	"porthole/monitor/reply"
)

// Timeout limits one question.
const Timeout = monitor.HealthTimeout

// DefaultPath is the path that is asked for if none is given.
const DefaultPath = "/"

// maxHeader limits how many bytes of an answer are read. The body is not read.
const maxHeader = 64 << 10

// userAgent is what a question says about its sender. Servers log it.
const userAgent = "Porthole (health check)"

// Result is the answer of a server.
type Result struct {
	URL    string // that was asked; "" if there is no address to ask
	Path   string // that was asked for
	Status int    // the HTTP status; 0 without one
	Err    error  // why there is no status
}

// Healthy reports whether the server answered with a status below 500.
func (r Result) Healthy() bool { return r.Answer().Healthy() }

// String describes the result in a few words: "status 503", "connection refused".
func (r Result) String() string {
	if r.Err == nil {
		return fmt.Sprintf("status %d", r.Status)
	}
	text := r.Err.Error()
	if inner, ok := errors.AsType[*net.OpError](r.Err); ok {
		text = inner.Err.Error()
	}
	if timedOut(r.Err) {
		text = fmt.Sprintf("no answer within %v", Timeout)
	}
	return monitor.Clean(text, 120)
}

// Answer returns the result in the form that events have.
func (r Result) Answer() monitor.HealthAnswer {
	a := monitor.HealthAnswer{Path: r.Path, Status: r.Status}
	dial, _ := errors.AsType[*net.OpError](r.Err)
	switch {
	case r.Err == nil:
	case timedOut(r.Err):
		a.Failure = monitor.NoAnswer
	case errors.Is(r.Err, syscall.ECONNREFUSED):
		a.Failure = monitor.AnswerRefused
	case errors.Is(r.Err, io.EOF), errors.Is(r.Err, io.ErrUnexpectedEOF), errors.Is(r.Err, syscall.ECONNRESET), errors.Is(r.Err, syscall.EPIPE):
		a.Failure = monitor.AnswerClosed
	case r.URL == "", dial != nil && dial.Op == "dial":
		a.Failure = monitor.NotReachable
	default:
		a.Failure = monitor.AnswerNotHTTP
	}
	return a
}

func timedOut(err error) bool {
	var e net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.Timeout()
}

// Question is what to ask a server.
type Question struct {
	Listener *monitor.Listener
	Address  netip.Addr // the preferred address; may be the zero Addr
	Path     string     // see CheckPath
	TLS      bool       // try TLS first
	// Connected is called with both ends of each connection, before anything is sent; it may
	// be nil. See sockevents.Tracker.Own.
	Connected func(client, server netip.AddrPort)
}

// Ask sends a GET request to the server, at an address of this machine, and returns the answer
// within [Timeout]. If the server does not understand that, Ask tries TLS, without verifying
// the certificate; with TLS it is the other way round. It follows no redirect, uses no proxy
// and reads no body. It is safe for concurrent use.
func (q Question) Ask(ctx context.Context) Result {
	address, ok := reply.Address(q.Listener, q.Address)
	if !ok {
		return Result{Path: q.Path, Err: errors.New("this machine can't reach it by TCP")}
	}
	if !isOwn(address.Addr()) {
		return Result{Path: q.Path, Err: fmt.Errorf("%s is not an address of this machine", address.Addr())}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	schemes := [2]string{"http://", "https://"}
	if q.TLS {
		schemes = [2]string{"https://", "http://"}
	}
	r := q.get(ctx, schemes[0]+address.String()+q.Path)
	if ctx.Err() != nil || errors.Is(r.Err, syscall.ECONNREFUSED) || r.Err == nil && r.Status != http.StatusBadRequest {
		return r
	}
	if other := q.get(ctx, schemes[1]+address.String()+q.Path); other.Err == nil {
		return other
	}
	return r
}

// isOwn reports whether a is an address of this machine. A socket can be bound to another one
// (IP_FREEBIND in ip(7)), to which a connection would leave this machine.
func isOwn(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, o := range own {
		if n, ok := o.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == a.Unmap().WithZone("") {
				return true
			}
		}
	}
	return false
}

// get sends one request to address, a URL with an address of this machine.
func (q Question) get(ctx context.Context, address string) Result {
	r := Result{URL: address, Path: q.Path}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		r.Err = err
		return r
	}
	request.Header.Set("User-Agent", userAgent)
	transport := &http.Transport{
		DialContext: q.dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the address is of this machine, and nothing secret is sent
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		r.Err = err
		return r
	}
	_ = response.Body.Close() // it is not read
	r.Status = response.StatusCode
	return r
}

// dial connects and reports the connection.
func (q Question) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, address)
	if err == nil && q.Connected != nil {
		client, _ := netip.ParseAddrPort(c.LocalAddr().String())
		server, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		q.Connected(client, server)
	}
	return c, err
}
