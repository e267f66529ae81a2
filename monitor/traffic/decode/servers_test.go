package decode_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"

	"porthole/monitor/traffic"
)

// server starts a server that speaks HTTP/1 and HTTP/2 without TLS.
func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// program runs a program of the machine, or skips the test.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s", r.Method, body)
}

func TestCurl(t *testing.T) {
	for _, c := range []struct {
		flag, want string
	}{
		{"--http1.1", "HTTP/1.1 GET /a = 200 OK < \"GET \"\nHTTP/1.1 POST /b = 200 OK > \"x=1\" < \"POST x=1\""},
		{"--http2-prior-knowledge", "HTTP/2 GET /a = 200 OK < \"GET \"\nHTTP/2 POST /b = 200 OK > \"x=1\" < \"POST x=1\""},
	} {
		r := newRelay(t, server(t, echo).Listener.Addr().String())
		program(t, "curl", "-sS", c.flag, "http://"+r.addr+"/a")
		program(t, "curl", "-sS", c.flag, "-d", "x=1", "http://"+r.addr+"/b")
		if got := lines(r.stop()); got != c.want {
			t.Errorf("curl %s:\ngot  %s\nwant %s", c.flag, got, c.want)
		}
	}
}

// curl asks to continue before it sends a large body, and its chunks come in any size.
func TestCurlUploadsChunks(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	r := newRelay(t, s.Listener.Addr().String())
	c := exec.Command("curl", "-sS", "-T", "-", "-H", "Expect: 100-continue", "http://"+r.addr+"/up")
	c.Stdin = bytes.NewReader(bytes.Repeat([]byte("0123456789"), 300_000))
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("curl: %v: %s", err, out)
	}
	list := r.stop()
	if len(list) != 1 || list[0].Request.BodySize != 3_000_000 || len(list[0].Request.Body) != traffic.MaxBody || string(list[0].Answer.Body) != "3000000" {
		t.Fatalf("got %d exchanges: %.300s", len(list), lines(list))
	}
}

func TestPythonServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	c := exec.Command("python3", "-m", "http.server", "-b", "127.0.0.1", port)
	c.Dir = t.TempDir()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for until := time.Now().Add(20 * time.Second); ; {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(until) {
			t.Fatal("python3 does not listen")
		}
		time.Sleep(20 * time.Millisecond)
	}
	r := newRelay(t, addr)
	program(t, "curl", "-s", "http://"+r.addr+"/none")
	list := r.stop()
	if len(list) != 1 || list[0].Code != 404 || !strings.HasPrefix(list[0].Answer.Get("Server"), "SimpleHTTP") || !list[0].Failed {
		t.Errorf("got %s", lines(list))
	}
}

func TestContentCoding(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, strings.Repeat("hello ", 1000))
	z.Close()
	list := record(t, 1<<20, "> GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		fmt.Sprintf("< HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.String()))
	content, err := list[0].Answer.Content(0)
	if err != nil || string(content) != strings.Repeat("hello ", 1000) {
		t.Errorf("got %d bytes, %v; want 6000", len(content), err)
	}
}

func TestServerSentEvents(t *testing.T) {
	for _, flag := range []string{"--http1.1", "--http2-prior-knowledge"} {
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, ": hello\n\ndata: one\ndata: two\n\n")
			w.(http.Flusher).Flush()
			io.WriteString(w, "event: tick\r\nid: 7\r\ndata: 3\r\n\r\n")
		})
		r := newRelay(t, s.Listener.Addr().String())
		program(t, "curl", "-sS", flag, "http://"+r.addr+"/events")
		list := r.stop()
		if len(list) != 3 {
			t.Fatalf("got %s", lines(list))
		}
		if got, want := lines(list[1:]), "Events message one < \"one\\ntwo\"\nEvents tick 3 < \"3\""; got != want || list[2].Parent != list[0].ID || list[2].Kind != traffic.Event {
			t.Errorf("%s: got %s\nwant %s", flag, got, want)
		}
	}
}

func TestWebSocket(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			p, op, err := wsutil.ReadClientData(conn)
			if err != nil {
				return
			}
			wsutil.WriteServerMessage(conn, op, append([]byte("echo "), p...))
		}
	}))
	defer s.Close()
	r := newRelay(t, s.Listener.Addr().String())
	conn, _, _, err := ws.Dial(t.Context(), "ws://"+r.addr+"/chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"hi", strings.Repeat("x", 70_000)} {
		wsutil.WriteClientText(conn, []byte(text))
		if p, err := wsutil.ReadServerText(conn); err != nil || string(p) != "echo "+text {
			t.Fatalf("got %.20q, %v", p, err)
		}
	}
	ws.WriteFrame(conn, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "bye"))))
	conn.Close()
	list := r.stop()
	if len(list) < 6 {
		t.Fatalf("got %s", lines(list))
	}
	got := lines([]*traffic.Exchange{list[0], list[1], list[2]})
	if want := "HTTP/1.1 GET /chat = 101 Switching Protocols\nWebSocket text hi > \"hi\"\nWebSocket text echo hi < \"echo hi\""; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if n := list[4].Answer.BodySize; n != 70_005 || list[4].Parent != list[0].ID {
		t.Errorf("got %d bytes of the long message, want 70005", n)
	}
	if e := list[5]; e.Method != "close" || e.Path != "1000 bye" || e.Failed {
		t.Errorf("got %s", lines(list[5:]))
	}
}

// Compressed messages refer to those before them (RFC 7692, section 7.2.3).
func TestWebSocketCompression(t *testing.T) {
	conversation := []said{
		"> GET /c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"< HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		"< \xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", // the examples of RFC 7692: Hello
		"< \xc1\x05\xf2\x00\x11\x00\x00",         // Hello again, with the window
	}
	if got, want := lines(record(t, 3, conversation...)[1:]), "WebSocket text Hello < \"Hello\"\nWebSocket text Hello < \"Hello\""; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	frame, err := wsflate.CompressFrame(ws.NewTextFrame([]byte(strings.Repeat("a", 5000))))
	if err != nil {
		t.Fatal(err)
	}
	list := record(t, 100, conversation[0], conversation[1], "< "+string(ws.MustCompileFrame(frame)))
	if len(list) != 2 || len(list[1].Answer.Body) != 5000 {
		t.Errorf("got %.200s", lines(list))
	}
}

func TestTLS(t *testing.T) {
	for _, c := range []struct {
		version uint16
		want    []string
	}{
		{tls.VersionTLS12, []string{"{Server name local.test}", "{Version TLS 1.2}", "{Protocol (ALPN) h2}", "{Certificate O=Acme Co}", "{Names example.com, "}},
		{tls.VersionTLS13, []string{"{Server name local.test}", "{Version TLS 1.3}", "{Cipher suite TLS_"}},
	} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
		s.EnableHTTP2 = true
		s.StartTLS()
		defer s.Close()
		r := newRelay(t, s.Listener.Addr().String())
		conn, err := tls.Dial("tcp", r.addr, &tls.Config{ServerName: "local.test", InsecureSkipVerify: true, MaxVersion: c.version, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		conn.Close()
		list := r.stop()
		if len(list) != 1 || list[0].Problem != "" || list[0].Status != "encrypted" || list[0].Path != "local.test" {
			t.Fatalf("got %s", lines(list))
		}
		all := fmt.Sprint(list[0].Request.Fields, list[0].Answer.Fields)
		for _, want := range c.want {
			if !strings.Contains(all, want) {
				t.Errorf("got %s, want %s", all, want)
			}
		}
	}
}

func TestGRPC(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		w.Write([]byte{0, 0, 0, 0, 2, 8, 1})
		w.Header().Set("Grpc-Status", "5")
		w.Header().Set("Grpc-Message", "no such%20user")
	})
	r := newRelay(t, s.Listener.Addr().String())
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	request, _ := http.NewRequest("POST", "http://"+r.addr+"/users.Users/Get", bytes.NewReader([]byte{0, 0, 0, 0, 0}))
	request.Header.Set("Content-Type", "application/grpc+proto")
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	transport.CloseIdleConnections()
	list := r.stop()
	if got, want := lines(list), "gRPC POST /users.Users/Get = 200 NOT_FOUND: no such user > \"\\x00\\x00\\x00\\x00\\x00\" < \"\\x00\\x00\\x00\\x00\\x02\\b\\x01\""; got != want || !list[0].Failed {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
