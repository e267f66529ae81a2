package decode_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode"
)

// FuzzProtocols feeds a connection with any bytes: each piece begins with a byte that
// says its length and direction, or what happens to it.
func FuzzProtocols(f *testing.F) {
	piece := func(control byte, text string) string {
		var out string
		for len(text) > 0 {
			n := min(len(text), 32)
			out += string([]byte{control | byte(n-1)}) + text[:n]
			text = text[n:]
		}
		return out
	}
	to, from := func(s string) string { return piece(0, s) }, func(s string) string { return piece(0x20, s) }
	f.Add([]byte(to("GET / HTTP/1.1\r\nHost: x\r\n\r\n") + from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")))
	f.Add([]byte(to("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n") + from("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")))
	f.Add([]byte(to("GET / HTTP/1.1\r\n\r\n") + from("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\nevent: x\n\n")))
	f.Add([]byte(to(http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84") + from("\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88")))
	f.Add([]byte(to("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03"+strings.Repeat("r", 32)+"\x00\x00\x02\x13\x01\x01\x00\x00\x00") + from("\x16\x03\x03\x00\x02\x02\x00")))
	f.Add([]byte(to("PUT / HTTP/1.1\r\nContent-Length: 90\r\n\r\n") + "\x40" + from("HTTP/1.1 100 x\r\n\r\n") + "\x60"))
	f.Fuzz(func(t *testing.T, p []byte) {
		store := traffic.NewStore(traffic.Limits{Body: 1 << 10})
		r := traffic.NewRecorder(store, decode.Protocols())
		id := r.Open(traffic.Conn{})
		for len(p) > 0 {
			dir, n := traffic.Direction(p[0]>>5&1), int(p[0]&0x1f)+1
			action := p[0] >> 6
			p = p[1:]
			switch action {
			case 1:
				r.Lost(id, dir, start, int64(n))
			case 2:
				r.Flush()
			default:
				n = min(n, len(p))
				r.Data(id, dir, start, p[:n])
				p = p[n:]
			}
		}
		r.Close(id, traffic.ToServer, start.Add(time.Second), nil)
		r.Close(id, traffic.ToClient, start.Add(time.Second), io.ErrClosedPipe)
		r.Shutdown()
		for _, e := range store.List() {
			if strings.Contains(e.Problem, "could not decode") || e.Ended.IsZero() || len(e.Request.Body) > 1<<10 || len(e.Answer.Body) > 1<<10 {
				t.Errorf("got %+v", e)
			}
			traffic.Masked(e)
		}
	})
}

// FuzzChunked compares the chunked coding with that of net/http.
func FuzzChunked(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("1;a=b\r\nx\r\n2 \r\nyz\r\n00\r\nA: b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		head := "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + string(p))))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		got := record(t, 5, "> "+head+string(p), "< HTTP/1.1 204 x\r\n\r\n")
		if len(got) == 0 || !bytes.Equal(got[0].Request.Body, want) {
			t.Errorf("got %s, want %q", lines(got), want)
		}
	})
}
