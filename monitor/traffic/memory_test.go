package traffic

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// heap returns the bytes that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The store stays within its limits, and Clear leaves nothing in memory.
func TestMemoryAfterClear(t *testing.T) {
	before := heap()
	s := NewStore(Limits{})
	empty := heap() - before
	for i := range 30_000 {
		head := []byte(fmt.Sprintf("GET /items/%d HTTP/1.1\r\nHost: localhost\r\n\r\n", i))
		body := make([]byte, 16<<10)
		s.Add(Exchange{Conn: &Connection{}, Kind: Request, Method: "GET", Path: fmt.Sprint("/items/", i), Started: time.Unix(1, 0), Ended: time.Unix(2, 0),
			Request: Message{Head: head, Size: int64(len(head))}, Answer: Message{Head: head, Body: body, BodySize: int64(len(body)), Size: int64(len(body))}})
	}
	full := heap() - before
	stats := s.Stats()
	if stats.Exchanges != MaxExchanges || stats.Bodies > MaxBodies || stats.Bodies < MaxBodies-16<<10 || stats.DroppedExchanges != 10_000 || stats.DroppedBodies == 0 {
		t.Errorf("got %+v", stats)
	}
	const exchanges = 20 << 20 // without bodies
	if full > MaxBodies+exchanges {
		t.Errorf("%d MB are in use, more than the limits", full>>20)
	}
	s.Clear()
	if left := heap() - before - empty; left > 1<<20 {
		t.Errorf("%d KB are left after Clear", left>>10)
	}
	if got := len(s.List()); got != 0 {
		t.Errorf("%d exchanges are left", got)
	}
}
