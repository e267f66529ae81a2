package replay_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/replay"
)

// recorded returns a request to s.
func recorded(s *httptest.Server, protocol string, m traffic.Message) *traffic.Exchange {
	conn := &traffic.Connection{Conn: traffic.Conn{Server: netip.MustParseAddrPort(s.Listener.Addr().String())}}
	return &traffic.Exchange{Conn: conn, Protocol: protocol, Method: "POST", Path: "/a//b?x=%2F", Host: "name.test:80", Request: m}
}

func TestSend(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s %s %s", r.Proto, r.Method, r.RequestURI, r.Host, r.Header.Get("Authorization"), body)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	m := traffic.Message{
		Head: []byte("POST /a//b?x=%2F HTTP/1.1\r\nHost: name.test:80\r\nAuthorization: Bearer t\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"),
		Body: []byte("body"), BodySize: 4,
	}
	for protocol, proto := range map[string]string{"HTTP/1.1": "HTTP/1.1", "HTTP/2": "HTTP/2.0"} {
		got, err := replay.Send(t.Context(), recorded(s, protocol, m), traffic.Limits{Body: 1000})
		if err != nil {
			t.Fatal(err)
		}
		want := proto + " POST /a//b?x=%2F name.test:80 Bearer t body"
		if string(got.Answer.Body) != want || got.Code != 418 || got.Status != "I'm a teapot" && protocol == "HTTP/1.1" || got.Answer.Get("X-Answer") != "yes" || got.Ended.IsZero() {
			t.Errorf("%s: got %d %s %q, want %q", protocol, got.Code, got.Status, got.Answer.Body, want)
		}
	}
	if got, _ := replay.Send(t.Context(), recorded(s, "HTTP/1.1", m), traffic.Limits{Body: 5}); len(got.Answer.Body) != 5 || got.Answer.BodySize <= 5 {
		t.Errorf("got %d of %d bytes, want 5 of more", len(got.Answer.Body), got.Answer.BodySize)
	}
}

func TestWhatCannotBeSent(t *testing.T) {
	s := httptest.NewServer(nil)
	defer s.Close()
	if _, err := replay.Send(t.Context(), recorded(s, "HTTP/1.1", traffic.Message{Body: []byte("a"), BodySize: 2}), traffic.Limits{}); !errors.Is(err, replay.ErrIncomplete) {
		t.Errorf("half a body: got %v", err)
	}
	if _, err := replay.Send(t.Context(), recorded(s, "Redis", traffic.Message{}), traffic.Limits{}); !errors.Is(err, replay.ErrNotWeb) {
		t.Errorf("Redis: got %v", err)
	}
	gone := recorded(s, "HTTP/1.1", traffic.Message{})
	s.Close()
	if _, err := replay.Send(t.Context(), gone, traffic.Limits{}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a server that is gone: got %v", err)
	}
}
