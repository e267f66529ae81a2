package reply

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"porthole/monitor"
)

// Limits of a request.
const (
	Timeout = 3 * time.Second // for everything together

	maxRead      = 64 << 10               // bytes, on each connection
	greetingTime = 200 * time.Millisecond // how long a server gets to speak first
	lineTime     = 100 * time.Millisecond // how long a server gets to reply to the first line of the request
	firstTime    = time.Second            // for a first attempt that is only a guess from the service or the port
)

// userAgent is what the request says about its sender. Servers log it.
const userAgent = "Porthole (the user of this machine asked what answers on this port)"

// Address returns the address at which this machine reaches l: one that l listens on, or
// loopback if l listens on all. wanted is preferred if l listens on it; it may be the zero
// Addr. It returns false if there is none.
func Address(l *monitor.Listener, wanted netip.Addr) (netip.AddrPort, bool) {
	if l.Protocol != monitor.TCP {
		return netip.AddrPort{}, false
	}
	var found netip.Addr
	for _, s := range l.Sockets {
		for _, a := range reachable(s.Socket) {
			switch {
			case a == wanted.Unmap():
				return netip.AddrPortFrom(a, l.Port), true
			case !found.IsValid(), a.IsLoopback() && !found.IsLoopback():
				found = a
			}
		}
	}
	return netip.AddrPortFrom(found, l.Port), found.IsValid()
}

// reachable returns addresses at which this machine reaches s.
func reachable(s monitor.Socket) []netip.Addr {
	a := s.Address.Unmap()
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	switch {
	case a.IsUnspecified() && !s.AcceptsLoopback():
		return nil // all addresses of one interface, which are not known here
	case a.IsUnspecified() && a.Is4():
		return []netip.Addr{v4}
	case a.IsUnspecified() && s.V6Only:
		return []netip.Addr{v6}
	case a.IsUnspecified():
		return []netip.Addr{v6, v4}
	case a.IsLinkLocalUnicast() && a.Is6() && a.Zone() == "":
		return []netip.Addr{a.WithZone(s.Device)}
	}
	return []netip.Addr{a}
}

// Ask asks what answers on l and returns the reply within [Timeout]. It connects to the address
// that [Address] returns, sends one HTTP request, and if the reply shows that this was the
// wrong protocol, tries TLS on a second connection. It follows no redirect, verifies no
// certificate and reads at most 64 KB. connected is called with both ends of each connection,
// before anything is sent; it may be nil. Ask is safe for concurrent use; it blocks.
func Ask(ctx context.Context, l *monitor.Listener, wanted netip.Addr, connected func(client, server netip.AddrPort)) Reply {
	address, ok := Address(l, wanted)
	if !ok {
		return Reply{Failure: NoAddress}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return asker{connected}.ask(ctx, address, openings(l.Service, l.Port))
}

// opening is what a connection begins with.
type opening int

const (
	openHTTP     opening = iota
	openTLS              // a handshake, then HTTP
	openPostgres         // SSLRequest: a PostgreSQL server closes the connection on an HTTP request
)

// openings returns the first opening to try and the second one, to try if the first turns out
// to be wrong.
func openings(service string, port uint16) [2]opening {
	switch service {
	case "PostgreSQL", "PgBouncer":
		return [2]opening{openPostgres, openHTTP}
	case "HTTPS":
		return [2]opening{openTLS, openHTTP}
	}
	if port == 443 || port == 8443 {
		return [2]opening{openTLS, openHTTP}
	}
	return [2]opening{openHTTP, openTLS}
}

// asker makes connections.
type asker struct {
	connected func(client, server netip.AddrPort) // see Ask
}

// ask makes one connection, and a second one if the first reply was wrong for the opening.
func (a asker) ask(ctx context.Context, address netip.AddrPort, try [2]opening) Reply {
	limit := Timeout
	if try[0] != openHTTP {
		limit = firstTime // a server of another protocol may wait for more
	}
	first, wrong := a.attempt(ctx, address, try[0], limit)
	if !wrong {
		return first
	}
	second, wrong := a.attempt(ctx, address, try[1], Timeout)
	if wrong || !second.Connected {
		return first
	}
	return second
}

// attempt makes one connection. wrong means that another opening may get a better reply.
func (a asker) attempt(ctx context.Context, address netip.AddrPort, o opening, limit time.Duration) (r Reply, wrong bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r.Address = address.String()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "tcp", r.Address)
	if err != nil {
		r.connectFailed(err)
		return r, false
	}
	defer plain.Close()
	if client, err := netip.ParseAddrPort(plain.LocalAddr().String()); err == nil && a.connected != nil {
		a.connected(client, address)
	}
	stop := context.AfterFunc(ctx, func() { _ = plain.Close() }) // ends all reads
	defer stop()
	r.Connected = true
	c := &conversation{ctx: ctx, address: address, conn: &limitedConn{Conn: plain, left: maxRead}, reply: &r}
	switch o {
	case openTLS:
		return r, c.askTLS()
	case openPostgres:
		return r, c.askPostgres()
	}
	return r, c.askHTTP()
}

// connectFailed fills in why no connection was made.
func (r *Reply) connectFailed(err error) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		r.Failure = Refused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		r.Failure = NoAccept
	default:
		r.Failure, r.Error = NoConnect, clean(reason(err), 120)
	}
}

// reason returns what went wrong without the addresses, which the sentence names already.
func reason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// errTooMuch ends the reading of a reply that is longer than maxRead.
var errTooMuch = errors.New("the reply is too long")

// limitedConn reads at most left bytes.
type limitedConn struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (c *limitedConn) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// conversation is one connection.
type conversation struct {
	ctx     context.Context
	address netip.AddrPort
	conn    net.Conn
	reply   *Reply
}

// askHTTP waits for a greeting, and sends the HTTP request if there is none.
func (c *conversation) askHTTP() (wrong bool) {
	r := bufio.NewReader(c.conn)
	if greeting := c.greeting(r, greetingTime); len(greeting) > 0 {
		c.reply.readBanner(greeting)
		return false
	}
	request, err := c.request()
	if err == nil {
		err = c.send(r, request)
	}
	if err != nil && r.Buffered() == 0 { // a server that closes at once may still have said why
		c.noReply(err)
		return true
	}
	head, err := r.Peek(5)
	switch {
	case len(head) == 0:
		c.noReply(err)
		return c.reply.Failure == Closed
	case len(head) > 1 && isTLSRecord(head):
		c.reply.Protocol, c.reply.Failure = TLS, NoTLS
		return true
	case string(head) != "HTTP/":
		c.reply.readBanner(c.rest(r))
		return false
	}
	return c.readHTTP(r, request)
}

// send sends request. It sends the first line alone and the rest only if there is no reply to
// that line: Redis answers each line as a command, and would log the line with "Host:" as an
// attack and close the connection without any reply.
func (c *conversation) send(r *bufio.Reader, request *http.Request) error {
	var b bytes.Buffer
	if err := request.Write(&b); err != nil {
		return err
	}
	end := bytes.IndexByte(b.Bytes(), '\n') + 1
	if _, err := c.conn.Write(b.Next(end)); err != nil {
		return err
	}
	if len(c.greeting(r, lineTime)) > 0 {
		return nil
	}
	_, err := c.conn.Write(b.Bytes())
	return err
}

// isTLSRecord reports whether b begins with the header of a TLS record (RFC 8446, section
// 5.1): an alert or a handshake message, and the major version.
func isTLSRecord(b []byte) bool { return (b[0] == 0x15 || b[0] == 0x16) && b[1] == 3 }

// askPostgres asks for TLS as a PostgreSQL client does. wrong means that the reply is not that of
// a PostgreSQL server.
func (c *conversation) askPostgres() (wrong bool) {
	r := bufio.NewReader(c.conn)
	reply := c.greeting(r, greetingTime)
	if len(reply) == 0 {
		if _, err := c.conn.Write(sslRequest); err != nil {
			c.noReply(err)
			return true
		}
		if _, err := r.Peek(1); err != nil {
			c.noReply(err)
			return true
		}
		reply = c.rest(r)
	}
	c.reply.readSSLReply(reply)
	return c.reply.Protocol != PostgreSQL
}

// askTLS makes a TLS handshake and asks inside it.
func (c *conversation) askTLS() (wrong bool) {
	session := tls.Client(c.conn, &tls.Config{
		InsecureSkipVerify: true, // the certificate is shown, not trusted
		ServerName:         c.host(), NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS10,
	})
	if err := session.HandshakeContext(c.ctx); err != nil {
		return c.noHandshake(err)
	}
	state := session.ConnectionState()
	c.reply.Protocol, c.reply.TLS = TLS, newSession(state, time.Now())
	c.conn = session
	if state.NegotiatedProtocol == "h2" {
		c.askHTTP2(session)
	} else {
		c.askHTTP()
	}
	switch c.reply.Failure {
	case "", Incomplete:
	case Unreadable, Silent, Closed:
		c.reply.Protocol, c.reply.Failure = TLS, NoHTTP
	}
	return false
}

// noHandshake fills in why there is no TLS connection. The server speaks TLS if it said why.
func (c *conversation) noHandshake(err error) (wrong bool) {
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		c.reply.Protocol, c.reply.Failure, c.reply.Error = TLS, NoTLS, clean(alert.Error(), 120)
		return false
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // crypto/tls names alerts of the server so
		c.reply.Protocol, c.reply.Failure, c.reply.Error = TLS, NoTLS, clean(op.Err.Error(), 120)
		return false
	}
	c.noReply(err)
	return true
}

// askHTTP2 sends the request over HTTP/2 with the transport of net/http.
func (c *conversation) askHTTP2(session *tls.Conn) {
	transport := &http.Transport{
		DialTLSContext:    func(context.Context, string, string) (net.Conn, error) { return session, nil },
		ForceAttemptHTTP2: true, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxRead,
	}
	defer transport.CloseIdleConnections()
	request, err := c.request()
	if err != nil {
		c.noReply(err)
		return
	}
	response, err := transport.RoundTrip(request) // follows no redirect
	if err != nil {
		c.noReply(err)
		return
	}
	c.reply.readResponse(response)
}

// request returns the HTTP request. A server on loopback is addressed as localhost, because
// development servers refuse other hosts.
func (c *conversation) request() (*http.Request, error) {
	scheme := "http"
	if c.reply.TLS != nil {
		scheme = "https"
	}
	host := net.JoinHostPort(c.host(), fmt.Sprint(c.address.Port()))
	if a := c.address.Addr(); a.Zone() != "" {
		host = netip.AddrPortFrom(a.WithZone(""), c.address.Port()).String() // RFC 6874: zones are not sent
	}
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, scheme+"://"+host+"/", nil)
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", host, err)
	}
	request.Header = http.Header{"User-Agent": {userAgent}, "Accept": {"text/html, */*;q=0.5"}}
	request.Close = true
	return request, nil
}

// host returns the name of the server for TLS and HTTP.
func (c *conversation) host() string {
	if c.address.Addr().IsLoopback() {
		return "localhost"
	}
	return c.address.Addr().String()
}

// greeting returns what a server says within d; empty if it waits.
func (c *conversation) greeting(r *bufio.Reader, d time.Duration) []byte {
	_ = c.conn.SetReadDeadline(time.Now().Add(d)) // an error shows in the next read
	defer func() { _ = c.conn.SetReadDeadline(time.Time{}) }()
	if _, err := r.Peek(1); err != nil {
		return nil
	}
	return c.rest(r)
}

// rest returns the beginning of a reply that has begun: its first line, or what comes without a
// pause.
func (c *conversation) rest(r *bufio.Reader) []byte {
	_ = c.conn.SetReadDeadline(time.Now().Add(greetingTime)) // an error shows in the next read
	for {
		b, _ := r.Peek(min(r.Buffered(), maxBanner))
		if len(b) == maxBanner || bytes.IndexByte(b, '\n') >= 0 {
			return b
		}
		if more, err := r.Peek(len(b) + 1); err != nil {
			return more
		}
	}
}

// noReply fills in why there is no reply.
func (c *conversation) noReply(err error) {
	c.reply.Failure = Closed
	if c.ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.reply.Failure = Silent
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		c.reply.Error = clean(op.Err.Error(), 120)
	}
}

// readHTTP reads an HTTP reply. wrong means that the server says that it wants TLS.
func (c *conversation) readHTTP(r *bufio.Reader, request *http.Request) (wrong bool) {
	response, err := http.ReadResponse(r, request)
	for err == nil && response.StatusCode >= 100 && response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
		response, err = http.ReadResponse(r, request) // limited by maxRead
	}
	c.reply.Protocol = HTTP
	if err != nil {
		c.reply.Failure, c.reply.Error = Incomplete, clean(c.malformed(err), 120)
		return false
	}
	body := c.reply.readResponse(response)
	return c.reply.TLS == nil && response.StatusCode == http.StatusBadRequest && wantsTLS.Match(body)
}

// malformed returns what is wrong with the header of an HTTP reply; "" if it only ended early.
func (c *conversation) malformed(err error) string {
	if c.ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errTooMuch) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	return reason(err)
}

// clean makes text of a server safe to show.
func clean(s string, limit int) string { return monitor.CleanMasked(strings.TrimSpace(s), limit) }
