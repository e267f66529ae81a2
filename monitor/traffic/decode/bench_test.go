package decode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode"
)

// BenchmarkExchanges measures requests with answers of 1 KB on 64 connections, from the
// source's call to the published exchange. It reports what the source waits for too.
func BenchmarkExchanges(b *testing.B) {
	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, decode.Protocols())
	request := []byte("GET /api/items?page=3 HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n")
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\nConnection: keep-alive\r\n\r\n%s", strings.Repeat("x", 1024))
	ids := make([]traffic.ConnID, 64)
	for i := range ids {
		ids[i] = r.Open(traffic.Conn{})
	}
	b.ReportAllocs()
	b.ResetTimer()
	var source time.Duration
	for i := range b.N {
		id := ids[i%len(ids)]
		began := time.Now()
		r.Data(id, traffic.ToServer, began, request)
		r.Data(id, traffic.ToClient, time.Now(), answer)
		source += time.Since(began)
		if i%4096 == 4095 {
			r.Flush() // the benchmark is faster than any source
		}
	}
	r.Flush()
	b.StopTimer()
	if n := store.Stats().Ended; n != uint64(b.N) {
		b.Errorf("decoded %d of %d exchanges (%d bytes not decoded)", n, b.N, r.Undecoded())
	}
	b.ReportMetric(float64(source.Nanoseconds())/float64(b.N), "ns-source/op")
	r.Shutdown()
}

// BenchmarkBulk measures a body of known length, of which only the first part is kept.
func BenchmarkBulk(b *testing.B) {
	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, decode.Protocols())
	id := r.Open(traffic.Conn{})
	r.Data(id, traffic.ToServer, start, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	r.Data(id, traffic.ToClient, start, []byte("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\n\r\n"))
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		r.Data(id, traffic.ToClient, start, p)
	}
	r.Flush()
	b.ReportMetric(float64(r.Undecoded())/float64(b.N), "lost-B/op")
	r.Shutdown()
}
