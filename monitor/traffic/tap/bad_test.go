package tap

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor/traffic"
	protocols "porthole/monitor/traffic/decode"
	"porthole/monitor/traffic/source"
)

// decoded serves a tap to a server that calls handle after it has read the start of a
// request, and decodes.
func decoded(t *testing.T, handle func(*net.TCPConn)) (address string, store *traffic.Store, r *traffic.Recorder) {
	t.Helper()
	store = traffic.NewStore(traffic.Limits{})
	r = traffic.NewRecorder(store, protocols.Protocols())
	t.Cleanup(r.Shutdown)
	target := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 4096))
		handle(c)
	})
	address, _, _ = start(t, target, source.To(r))
	return address, store, r
}

// count is a reader of n bytes that repeats a text.
type count struct {
	n    int64
	text string
}

func (c *count) Read(p []byte) (int, error) {
	if c.n <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), c.n)]
	for i := range p {
		p[i] = c.text[i%len(c.text)]
	}
	c.n -= int64(len(p))
	return len(p), nil
}

// heapMB returns the live heap in MB.
func heapMB() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc >> 20
}

// Whatever a server sends passes in full, with bounded memory, and something is shown.
func TestBadServers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.Copy(z, &count{100 << 20, "\x00"})
	_ = z.Close()
	const size = 20 << 20
	for _, c := range []struct {
		name, head string
		body       io.Reader
		sent       int64
	}{
		{"a header of 100 MB", "HTTP/1.1 200 OK\r\nX: ", &count{100 << 20, "x"}, 100 << 20},
		{"many header lines", "HTTP/1.1 200 OK\r\n", &count{1 << 20, "X: y\r\n"}, 1 << 20},
		{"an endless body", "HTTP/1.1 200 OK\r\n\r\n", &count{size, "body"}, size},
		{"endless chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &count{8 << 20, "3\r\nabc\r\n"}, 8 << 20},
		{"garbage", "\x00\xff\xfe", &count{size, "\x80\x81\xc3\x28\x00"}, size},
		{"invalid UTF-8", "HTTP/1.1 200 \xff\xfe\r\nX-\xc3\x28: \xff\r\nContent-Length: 3\r\n\r\n", &count{3, "\xff"}, 3},
		{"a bomb", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", bomb.Len()), bytes.NewReader(bomb.Bytes()), int64(bomb.Len())},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, store, r := decoded(t, func(conn *net.TCPConn) {
				_, _ = io.WriteString(conn, c.head)
				_, _ = io.Copy(conn, c.body)
				_ = conn.CloseWrite()
			})
			conn := dial(t, address)
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			_ = conn.CloseWrite()
			got, err := io.Copy(io.Discard, conn)
			if want := int64(len(c.head)) + c.sent; err != nil || got != want {
				t.Errorf("got %d bytes, %v; want %d", got, err, want)
			}
			await.Until(t, "an exchange has ended", func() bool { r.Flush(); return store.Stats().Ended > 0 })
			for _, e := range store.List() {
				if content, _ := e.Answer.Content(0); len(content) > traffic.MaxContent {
					t.Errorf("the content has %d bytes, want at most %d", len(content), traffic.MaxContent)
				}
			}
			if mb := heapMB(); mb > 100 {
				t.Errorf("%d MB of memory are in use", mb)
			}
		})
	}
}

// A server that closes in the middle of an answer, and one that resets.
func TestServerCloses(t *testing.T) {
	for _, reset := range []bool{false, true} {
		address, store, r := decoded(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			if reset {
				_ = c.SetLinger(0)
			}
		})
		c := dial(t, address)
		_, _ = io.WriteString(c, "GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadAll(c); reset != errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reset %v: the client got %v", reset, err)
		}
		_ = c.Close()
		await.Until(t, "the exchange has ended", func() bool { r.Flush(); return store.Stats().Ended > 0 })
		if e := store.List()[0]; e.Path != "/half" || e.Problem == "" {
			t.Errorf("reset %v: got %q with the problem %q, want one", reset, e.Path, e.Problem)
		}
	}
}

// Clients that send their requests byte by byte are served, as without a tap.
func TestSlowClients(t *testing.T) {
	address, store, r := decoded(t, func(c *net.TCPConn) {
		_, _ = io.Copy(io.Discard, c)
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	const clients = 50
	results := make(chan error, clients)
	for range clients {
		go func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				results <- err
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			for _, b := range []byte("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") {
				_, _ = c.Write([]byte{b})
				time.Sleep(5 * time.Millisecond)
			}
			_ = c.(*net.TCPConn).CloseWrite()
			answer, err := io.ReadAll(c)
			if err == nil && !strings.HasPrefix(string(answer), "HTTP/1.1 204") {
				err = fmt.Errorf("got %q", answer)
			}
			results <- err
		}()
	}
	for range clients {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	await.Until(t, "all requests are decoded", func() bool { r.Flush(); return store.Stats().Ended == clients })
	for _, e := range store.List() {
		if e.Path != "/slow" || e.Code != 204 || e.Problem != "" {
			t.Errorf("got %s %d, %q", e.Path, e.Code, e.Problem)
		}
	}
}
