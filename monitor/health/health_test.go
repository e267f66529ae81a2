package health

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"porthole/monitor"
)

// listenerOf returns the listener of a server in this process.
func listenerOf(ln net.Listener) *monitor.Listener {
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	s := monitor.Socket{Protocol: monitor.TCP, Address: at.Addr().Unmap(), Port: at.Port()}
	return &monitor.Listener{Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{s.Address}, Sockets: []monitor.HeldSocket{{Socket: s}}}
}

func TestAsk(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
		case "/query":
			if r.URL.RawQuery != "deep=1" {
				w.WriteHeader(500)
			}
		case "/redirect":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/broken":
			w.WriteHeader(502)
		default:
			w.WriteHeader(404)
		}
	})
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	for _, server := range []*httptest.Server{httptest.NewServer(handler), httptest.NewTLSServer(handler)} {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		defer server.Close()
		l := listenerOf(server.Listener)
		for path, want := range map[string]int{"/ok": 200, "/query?deep=1": 200, "/redirect": 302, "/broken": 502, "/": 404} {
			r := Question{Listener: l, Path: path}.Ask(t.Context())
			if r.Err != nil || r.Status != want || r.Healthy() != (want < 500) {
				t.Errorf("%s%s: got %+v, want status %d", server.URL, path, r, want)
			}
			if !strings.HasPrefix(r.URL, server.URL) {
				t.Errorf("got %s, want a URL of %s", r.URL, server.URL)
			}
		}
	}
}

// A server that is gone, that speaks another protocol, or that closes at once is
// unhealthy, with the reason.
func TestAskFails(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		for {
			c, err := other.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "+OK hello\r\n\x1b[31m")
			_ = c.Close()
		}
	}()
	for _, ln := range []net.Listener{gone, other} {
		r := Question{Listener: listenerOf(ln), Path: "/"}.Ask(t.Context())
		if r.Healthy() || r.Err == nil || r.String() == "" || strings.ContainsRune(r.String(), 0x1b) {
			t.Errorf("got %q, %v; want a clean reason", r.String(), r.Err)
		}
	}
	if r := (Question{Listener: &monitor.Listener{Protocol: monitor.UDP, Port: 53}, Path: "/"}).Ask(t.Context()); r.Err == nil {
		t.Error("UDP: got no error")
	}
}
