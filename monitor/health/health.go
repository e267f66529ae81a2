// Package health asks a server of this machine whether it works.
package health

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/reply"
)

// Timeout limits one question.
const Timeout = 3 * time.Second

// DefaultPath is the path that is asked for if none is given.
const DefaultPath = "/"

// maxPath limits the length of a path.
const maxPath = 500

// userAgent is what a question says about its sender. Servers log it.
const userAgent = "Porthole (health check)"

// firstUnhealthy is the first HTTP status that means that the server does not work
// (RFC 9110, section 15.6).
const firstUnhealthy = 500

// Result is the answer of a server.
type Result struct {
	URL    string // that was asked; "" if there is no address to ask
	Status int    // the HTTP status; 0 without one
	Err    error  // why there is no status
}

// Healthy reports whether the server answered with a status below 500.
func (r Result) Healthy() bool { return r.Err == nil && r.Status < firstUnhealthy }

// String describes the result in a few words: "status 503", "connection refused".
func (r Result) String() string {
	if r.Err == nil {
		return fmt.Sprintf("status %d", r.Status)
	}
	text := r.Err.Error()
	if inner, ok := errors.AsType[*net.OpError](r.Err); ok {
		text = inner.Err.Error()
	}
	if errors.Is(r.Err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no answer within %v", Timeout)
	}
	return monitor.Clean(text, 120)
}

// CheckPath returns an error, one clause for the user, unless path is one to ask for.
func CheckPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return errors.New("a path begins with /")
	case len(path) > maxPath:
		return fmt.Errorf("a path has at most %d bytes", maxPath)
	case strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }):
		return errors.New("a path has no spaces, control characters or #")
	}
	return nil
}

// Ask sends a GET request for path to l, at an address of this machine, and returns the
// answer within [Timeout]. wanted is the preferred address; it may be the zero Addr. If
// the server does not understand that, Ask tries TLS, without verifying the certificate.
// It follows no redirect, uses no proxy and reads no body. It is safe for concurrent use.
func Ask(ctx context.Context, l *monitor.Listener, wanted netip.Addr, path string) Result {
	address, ok := reply.Address(l, wanted)
	if !ok {
		return Result{Err: errors.New("this machine can't reach it by TCP")}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r := get(ctx, "http://"+address.String()+path)
	if ctx.Err() != nil || errors.Is(r.Err, syscall.ECONNREFUSED) || r.Err == nil && r.Status != http.StatusBadRequest {
		return r
	}
	if secure := get(ctx, "https://"+address.String()+path); secure.Err == nil {
		return secure
	}
	return r
}

// get sends one request to url, which has the address of this machine.
func get(ctx context.Context, url string) Result {
	r := Result{URL: url}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		r.Err = err
		return r
	}
	request.Header.Set("User-Agent", userAgent)
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
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
