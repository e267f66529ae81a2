package reply

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"porthole/monitor"
)

// serve runs handle for every connection to a new port until the test ends.
func serve(t *testing.T, handle func(net.Conn)) *monitor.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() { // ends with ln
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // ends when the client closes
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return listenerOf(ln.Addr().String())
}

func listenerOf(address string) *monitor.Listener {
	a := netip.MustParseAddrPort(address)
	socket := monitor.HeldSocket{Socket: monitor.Socket{Protocol: monitor.TCP, Address: a.Addr(), Port: a.Port()}}
	return &monitor.Listener{Protocol: monitor.TCP, Port: a.Port(), Addresses: []netip.Addr{a.Addr()}, Sockets: []monitor.HeldSocket{socket}}
}

// says returns a handler that speaks first.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}

// replies returns a handler that answers the first line.
func replies(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, text)
	}
}

func page200(header, body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + header + "\r\n" + body
}

// repeats returns a handler that sends begin and then text until the client has enough.
func repeats(begin, text string, pause time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, err := io.WriteString(c, begin)
		for ; err == nil; time.Sleep(pause) {
			_, err = io.WriteString(c, text)
		}
	}
}

func TestAsk(t *testing.T) {
	mysql := "\x4a\x00\x00\x00\x0a8.0.36\x00" + strings.Repeat("\x01", 66)
	for _, test := range []struct {
		name    string
		service string
		handle  func(net.Conn)
		want    Reply // Address and Connected are added
	}{
		{"page", "", replies(page200("Server: tiny/1.0\r\nX-Powered-By: Express\r\n", "<!doctype html><head><title>\n My  &amp; shop\u202e </title><body>")),
			Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "My & shop", Server: "tiny/1.0", Type: "text/html", Framework: "Express", Evidence: "header X-Powered-By"}},
		{"page without a content type", "", replies("HTTP/1.1 200 OK\r\n\r\n<html><title>Acme shop</title>"), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "Acme shop"}},
		{"without a title", "", replies(page200("", "<p>hello<svg><title>logo</title></svg>")), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Type: "text/html"}},
		{"early hints", "", replies("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), Reply{Protocol: HTTP, Status: "HTTP/1.1 204 No Content"}},
		{"cookie", "", replies("HTTP/1.1 404 Not Found\r\nSet-Cookie: csrftoken=secret; Path=/\r\nContent-Length: 0\r\n\r\n"),
			Reply{Protocol: HTTP, Status: "HTTP/1.1 404 Not Found", Framework: "Django", Evidence: "cookie csrftoken"}},
		{"generator", "", replies(page200("", `<meta content="WordPress 6.4" name=Generator>`)),
			Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Type: "text/html", Framework: "WordPress 6.4", Evidence: "meta generator"}},
		{"secret in a redirect", "", replies("HTTP/1.1 302 Found\r\nLocation: https://ann:hunter2@example.com/\r\n\r\n"),
			Reply{Protocol: HTTP, Status: "HTTP/1.1 302 Found", Redirect: "https://ann:•••@example.com/"}},
		{"endless body", "", repeats(page200("", "<title>Endless</title>"), strings.Repeat("x", 1000), 0), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "Endless", Type: "text/html"}},
		{"endless title", "", repeats(page200("", "<title>"), strings.Repeat("x", 1000), 0), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: strings.Repeat("x", 119) + "…", Type: "text/html"}},
		{"endless header", "", repeats("HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("x", 1000)+"\r\n", 0), Reply{Protocol: HTTP, Failure: Incomplete}},
		{"slow header", "", repeats("HTTP/1.1 200 OK\r\n", "X", 50*time.Millisecond), Reply{Protocol: HTTP, Failure: Incomplete}},
		{"slow body", "", repeats(page200("", "<title>Slow</title>"), "x", 50*time.Millisecond), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "Slow", Type: "text/html"}},
		{"malformed HTTP", "", replies("HTTP/1.1 x\r\n\r\n"), Reply{Protocol: HTTP, Failure: Incomplete, Error: `malformed HTTP status code "x"`}},
		{"silent", "", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, Reply{Failure: Silent}},
		{"closes at once", "", func(net.Conn) {}, Reply{Failure: Closed}},
		{"closes after the request", "", replies(""), Reply{Failure: Closed}},
		{"garbage", "", says("\x00\x01\x02\xff\xfe<b>\x1b[31mred\n"), Reply{Failure: Unreadable, Banner: "<b> [31mred"}},
		{"page without a header", "", replies("<html>old</html>\n"), Reply{Failure: Unreadable, Banner: "<html>old</html>"}},
		{"SSH", "", says("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Reply{Protocol: SSH, Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2"}},
		{"SMTP", "", says("220 mail.example.com ESMTP Postfix\r\n"), Reply{Protocol: SMTP, Banner: "220 mail.example.com ESMTP Postfix"}},
		{"FTP", "", says("220 (vsFTPd 3.0.3)\r\n"), Reply{Protocol: FTP, Banner: "220 (vsFTPd 3.0.3)"}},
		{"POP3", "", says("+OK Dovecot ready.\r\n"), Reply{Protocol: POP3, Banner: "+OK Dovecot ready."}},
		{"IMAP", "", says("* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"), Reply{Protocol: IMAP, Banner: "* OK [CAPABILITY IMAP4rev1] Dovecot ready."}},
		{"VNC", "", says("RFB 003.008\n"), Reply{Protocol: VNC, Banner: "RFB 003.008"}},
		{"MySQL", "", says(mysql), Reply{Protocol: MySQL, Banner: "8.0.36"}},
		{"MySQL that refuses the host", "", says("\x1e\x00\x00\x00\xff\x6a\x04Host is not allowed here..."), Reply{Protocol: MySQL, Banner: "Host is not allowed here..."}},
		{"Redis", "", replies("-ERR wrong number of arguments for 'get' command\r\n"), Reply{Protocol: Redis, Banner: "-ERR wrong number of arguments for 'get' command"}},
		{"Redis in protected mode", "", says("-DENIED Redis is running in protected mode\r\n"), Reply{Protocol: Redis, Banner: "-DENIED Redis is running in protected mode"}},
		{"memcached", "", replies("ERROR\r\nERROR\r\n"), Reply{Protocol: Memcached, Banner: "ERROR"}},
		{"MongoDB", "", replies("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + mongoText + " on the native driver port.\r\n"), Reply{Protocol: MongoDB, Banner: mongoText}},
		{"PostgreSQL", "PostgreSQL", playPostgres, Reply{Protocol: PostgreSQL}},
		{"a web server where PostgreSQL was expected", "PostgreSQL", replies(page200("", "<title>Shop</title><body>")), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "Shop", Type: "text/html"}},
		{"a web server where TLS was expected", "HTTPS", replies(page200("", "<title>Shop</title><body>")), Reply{Protocol: HTTP, Status: "HTTP/1.1 200 OK", Title: "Shop", Type: "text/html"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := serve(t, test.handle)
			l.Service = test.service
			test.want.Address, test.want.Connected = fmt.Sprintf("127.0.0.1:%d", l.Port), true
			if got := Ask(t.Context(), l, netip.Addr{}, nil); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// playPostgres answers an SSLRequest as PostgreSQL does, and closes the connection otherwise.
func playPostgres(c net.Conn) {
	b := make([]byte, len(sslRequest))
	if _, err := io.ReadFull(c, b); err == nil && string(b) == string(sslRequest) {
		_, _ = io.WriteString(c, "S")
		_, _ = io.Copy(io.Discard, c)
	}
}

// A redirect is reported and never followed.
func TestAskFollowsNoRedirect(t *testing.T) {
	var followed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer other.Close()
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, startHTTP2} {
		server := start(http.RedirectHandler(other.URL+"/login", http.StatusFound))
		r := Ask(t.Context(), listenerOf(server.Listener.Addr().String()), netip.Addr{}, nil)
		server.Close()
		if r.Redirect != other.URL+"/login" || !strings.HasSuffix(r.Status, "302 Found") || followed.Load() != 0 {
			t.Errorf("got %+v and %d requests to the other server; want the redirect and none", r, followed.Load())
		}
	}
}

func startHTTP2(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

func startHTTPS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// TLS is tried after the server has refused plain HTTP. The server gets one whole request.
func TestAskTLS(t *testing.T) {
	var host, agent atomic.Value
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host.Store(r.Host)
		agent.Store(r.UserAgent())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<title>Safe</title>")
	})
	for alpn, start := range map[string]func(http.Handler) *httptest.Server{"h2": startHTTP2, "http/1.1": startHTTPS} {
		for _, service := range []string{"", "HTTPS"} {
			server := start(handler)
			l := listenerOf(server.Listener.Addr().String())
			l.Service = service
			r := Ask(t.Context(), l, netip.Addr{}, nil)
			server.Close()
			if r.Protocol != HTTP || r.Title != "Safe" || r.Failure != "" || r.TLS == nil {
				t.Fatalf("%s: got %+v, want the page", alpn, r)
			}
			c := r.TLS.Certificate
			if r.TLS.Version != "TLS 1.3" || r.TLS.ALPN != alpn || c == nil || c.Subject != "O=Acme Co" || !c.SelfSigned || c.Expired || c.NotAfter.Year() != 2084 {
				t.Errorf("%s: got %+v, %+v", alpn, r.TLS, c)
			}
			if want := fmt.Sprintf("localhost:%d", l.Port); host.Load() != want || !strings.HasPrefix(agent.Load().(string), "Porthole") {
				t.Errorf("%s: the server got the host %q from %q, want %q from Porthole", alpn, host.Load(), agent.Load(), want)
			}
		}
	}
}

// A server that wants the certificate of its clients speaks TLS, and says no more.
func TestAskTLSWithoutHTTP(t *testing.T) {
	cert := httptest.NewTLSServer(http.NotFoundHandler())
	defer cert.Close()
	for name, test := range map[string]struct {
		config *tls.Config
		want   Failure
	}{
		"client certificate": {&tls.Config{ClientAuth: tls.RequireAnyClientCert}, NoHTTP},
		"no common protocol": {&tls.Config{NextProtos: []string{"postgresql"}}, NoTLS},
		"silent inside":      {&tls.Config{}, NoHTTP},
	} {
		test.config.Certificates = cert.TLS.Certificates
		l := serve(t, func(c net.Conn) {
			session := tls.Server(c, test.config)
			if err := session.Handshake(); err == nil {
				_, _ = io.Copy(io.Discard, session)
			}
		})
		r := Ask(t.Context(), l, netip.Addr{}, nil)
		if r.Protocol != TLS || r.Failure != test.want {
			t.Errorf("%s: got %+v, want TLS and %s", name, r, test.want)
		}
	}
}

// IMAPS: the greeting comes inside TLS.
func TestAskGreetingInsideTLS(t *testing.T) {
	cert := httptest.NewTLSServer(http.NotFoundHandler())
	defer cert.Close()
	l := serve(t, func(c net.Conn) {
		session := tls.Server(c, &tls.Config{Certificates: cert.TLS.Certificates})
		if err := session.Handshake(); err == nil {
			says("* OK ready\r\n")(session)
		}
	})
	if r := Ask(t.Context(), l, netip.Addr{}, nil); r.Protocol != IMAP || r.Banner != "* OK ready" || r.TLS == nil {
		t.Errorf("got %+v", r)
	}
}

func TestAskRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if r := Ask(t.Context(), listenerOf(ln.Addr().String()), netip.Addr{}, nil); r.Connected || r.Failure != Refused {
		t.Errorf("got %+v, want refused", r)
	}
}

// The end of the context ends the request.
func TestAskEndsWithItsContext(t *testing.T) {
	l := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r := Ask(ctx, l, netip.Addr{}, nil); r.Failure != Silent {
		t.Errorf("got %+v, want silent", r)
	}
}

func TestAddress(t *testing.T) {
	addr := netip.MustParseAddr
	socket := func(address string) monitor.HeldSocket {
		return monitor.HeldSocket{Socket: monitor.Socket{Protocol: monitor.TCP, Address: addr(address)}}
	}
	onDevice, v6Only, linkLocal := socket("0.0.0.0"), socket("::"), socket("fe80::1")
	onDevice.Device, v6Only.V6Only, linkLocal.Device = "eth0", true, "eth0"
	for _, test := range []struct {
		sockets []monitor.HeldSocket
		wanted  string // "" for none
		want    string // "" for none
	}{
		{[]monitor.HeldSocket{socket("127.0.0.1")}, "", "127.0.0.1:80"},
		{[]monitor.HeldSocket{socket("0.0.0.0")}, "", "127.0.0.1:80"},
		{[]monitor.HeldSocket{socket("::")}, "", "[::1]:80"},
		{[]monitor.HeldSocket{socket("::")}, "127.0.0.1", "127.0.0.1:80"},
		{[]monitor.HeldSocket{v6Only}, "127.0.0.1", "[::1]:80"},
		{[]monitor.HeldSocket{socket("::ffff:127.0.0.1")}, "", "127.0.0.1:80"},
		{[]monitor.HeldSocket{socket("192.0.2.7"), socket("127.0.0.2")}, "", "127.0.0.2:80"},
		{[]monitor.HeldSocket{socket("192.0.2.7"), socket("127.0.0.2")}, "192.0.2.7", "192.0.2.7:80"},
		{[]monitor.HeldSocket{socket("127.0.0.1")}, "192.0.2.7", "127.0.0.1:80"}, // it does not listen there
		{[]monitor.HeldSocket{linkLocal}, "", "[fe80::1%eth0]:80"},
		{[]monitor.HeldSocket{onDevice}, "", ""},
		{nil, "", ""},
	} {
		var wanted netip.Addr
		if test.wanted != "" {
			wanted = addr(test.wanted)
		}
		got, ok := Address(&monitor.Listener{Protocol: monitor.TCP, Port: 80, Sockets: test.sockets}, wanted)
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%v, wanted %q: got %v, %v; want %q", test.sockets, test.wanted, got, ok, test.want)
		}
	}
	if got, ok := Address(&monitor.Listener{Protocol: monitor.UDP, Sockets: []monitor.HeldSocket{socket("127.0.0.1")}}, netip.Addr{}); ok {
		t.Errorf("UDP: got %v, want none", got)
	}
}

func TestSentences(t *testing.T) {
	r := Reply{Address: "127.0.0.1:443", Protocol: HTTP, Status: "HTTP/2.0 200 OK", Framework: "Django", Evidence: "cookie csrftoken", Redirect: "/login", TLS: &TLSSession{
		Version: "TLS 1.3", ALPN: "h2", Certificate: &Certificate{Subject: "CN=localhost", Issuer: "CN=localhost", SelfSigned: true, NotAfter: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}}}
	if got := r.Headline().String(); got != "127.0.0.1:443 speaks HTTPS" {
		t.Errorf("got %q", got)
	}
	var got []string
	for _, f := range r.Facts() {
		got = append(got, f.Label.String()+": "+f.Value.String())
	}
	want := "Status: HTTP/2.0 200 OK\nFramework: Django (cookie csrftoken)\nRedirects to: /login (not followed)\nTLS: TLS 1.3, ALPN h2\nCertificate: CN=localhost\nIssued by: self-signed\nValidity: valid until 2027-01-02"
	if strings.Join(got, "\n") != want {
		t.Errorf("got  %q\nwant %q", strings.Join(got, "\n"), want)
	}
	for _, f := range []Failure{NoAddress, NoConnect, NoAccept, Refused, Closed, Silent, NoTLS, NoHTTP, Incomplete, Unreadable} {
		if s := (Reply{Failure: f}).Headline(); s.Text == textProtocol || s.Text == "" {
			t.Errorf("%s: got %q, want a sentence of its own", f, s.Text)
		}
	}
}

// Whatever a server sends, the texts are short, printable and on one line.
func FuzzReply(f *testing.F) {
	f.Add([]byte("SSH-2.0-x\r\n"))
	f.Add([]byte("\x4a\x00\x00\x00\x0a8.0.36\x00"))
	f.Add([]byte("<title>a&#27;[0m</title><meta name=generator content='x'>"))
	f.Add([]byte("220 \u202ex ESMTP\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Reply
		r.readBanner(b)
		p := readPage(strings.NewReader(string(b)))
		for _, text := range []string{r.Banner, p.title, p.generator} {
			if n := len([]rune(text)); n > 160 || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) }) {
				t.Errorf("got %q", text)
			}
		}
		if (r.Protocol == "") != (r.Failure == Unreadable) {
			t.Errorf("got %+v, want a protocol or Unreadable", r)
		}
	})
}
