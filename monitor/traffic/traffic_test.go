package traffic_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"porthole/monitor/traffic"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ends  = traffic.Conn{Client: netip.MustParseAddrPort("127.0.0.1:50000"), Server: netip.MustParseAddrPort("127.0.0.1:62893"), Opened: start}
)

// said is what one side sent.
type said struct {
	dir  traffic.Direction
	text string
}

// record returns what a recorder without protocols makes of a conversation.
func record(t *testing.T, limits traffic.Limits, protocols []traffic.Protocol, conversation ...said) []*traffic.Exchange {
	t.Helper()
	store := traffic.NewStore(limits)
	r := traffic.NewRecorder(store, protocols)
	id := r.Open(ends)
	for i, s := range conversation {
		r.Data(id, s.dir, start.Add(time.Duration(i)*time.Second), []byte(s.text))
	}
	r.Close(id, traffic.ToServer, start.Add(time.Minute), nil)
	r.Close(id, traffic.ToClient, start.Add(time.Minute), nil)
	r.Shutdown()
	return store.List()
}

func TestTextIsShownInTurns(t *testing.T) {
	got := record(t, traffic.Limits{}, nil,
		said{traffic.ToClient, "220 ready\r\n"},
		said{traffic.ToServer, "HELO "}, said{traffic.ToServer, "me\r\n"}, said{traffic.ToClient, "250 hello\r\n"},
		said{traffic.ToServer, "\x00\x01"})
	want := []string{"Text 220 ready \"\" \"220 ready\\r\\n\"", "Text HELO me \"HELO me\\r\\n\" \"250 hello\\r\\n\"", "Binary  \"\\x00\\x01\" \"\""}
	if len(got) != len(want) {
		t.Fatalf("got %d exchanges, want %d", len(got), len(want))
	}
	for i, e := range got {
		line := fmt.Sprintf("%s %s %q %q", e.Protocol, e.Path, e.Request.Body, e.Answer.Body)
		if line != want[i] || e.Ended.IsZero() {
			t.Errorf("exchange %d: got %s (ended %v), want %s", i, line, e.Ended, want[i])
		}
	}
	if d := got[1].Duration(start); d != 2*time.Second {
		t.Errorf("got a duration of %v, want 2s", d)
	}
}

// A body is kept up to its limit; the oldest bodies and exchanges go first.
func TestMemoryIsBounded(t *testing.T) {
	store := traffic.NewStore(traffic.Limits{Body: 100, Bodies: 1000, Exchanges: 20})
	r := traffic.NewRecorder(store, nil)
	id := r.Open(ends)
	for i := range 50 {
		r.Data(id, traffic.ToServer, start, fmt.Appendf(nil, "%03d %s", i, strings.Repeat("x", 200)))
		r.Data(id, traffic.ToClient, start, []byte("ok"))
	}
	r.Shutdown()
	list := store.List()
	if len(list) != 20 || list[0].ID != 31 || list[19].ID != 50 {
		t.Fatalf("got %d exchanges from %d to %d, want 20 from 31 to 50", len(list), list[0].ID, list[len(list)-1].ID)
	}
	var bodies int64
	for i, e := range list {
		bodies += int64(cap(e.Request.Body) + cap(e.Answer.Body))
		if e.Request.BodySize != 204 || len(e.Request.Body) > 100 {
			t.Errorf("got %d of %d bytes of the body, want at most 100 of 204", len(e.Request.Body), e.Request.BodySize)
		}
		if i > 0 && e.Request.Dropped && !list[i-1].Request.Dropped {
			t.Errorf("exchange %d has no body, but the one before it has", e.ID)
		}
	}
	if bodies > 1000 || !list[0].Request.Dropped || list[19].Request.Dropped {
		t.Errorf("got %d bytes of bodies, the oldest dropped: %v, the newest: %v; want at most 1000, true, false", bodies, list[0].Request.Dropped, list[19].Request.Dropped)
	}
	if s := store.Stats(); s.Bodies != bodies || s.DroppedExchanges != 30 || s.DroppedBodies < 10 || s.Exchanges != 20 {
		t.Errorf("got %+v", s)
	}
	store.Clear()
	if s := store.Stats(); s != (traffic.Stats{}) || len(store.List()) != 0 {
		t.Errorf("after Clear: got %+v", s)
	}
}

func TestPause(t *testing.T) {
	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, nil)
	defer r.Shutdown()
	id := r.Open(ends)
	say := func(text string) {
		r.Data(id, traffic.ToServer, start, []byte(text))
		r.Data(id, traffic.ToClient, start, []byte("ok"))
		r.Flush()
	}
	say("before")
	store.SetPaused(true)
	say("during")
	store.SetPaused(false)
	say("after")
	if list := store.List(); len(list) != 2 || list[0].Path != "before" || list[0].Ended.IsZero() || list[1].Path != "after" {
		t.Errorf("got %d exchanges, want before and after", len(list))
	}
}

// blocking is a protocol whose decoder waits until release is closed.
type blocking struct{ release chan struct{} }

func (b blocking) Data(traffic.Direction, time.Time, []byte) error { <-b.release; return nil }
func (blocking) Lost(traffic.Direction, time.Time, int64)          {}
func (blocking) End(traffic.Direction, time.Time, error)           {}
func (blocking) Unread(traffic.Direction) []byte                   { return nil }

func protocol(d traffic.Decoder) []traffic.Protocol {
	return []traffic.Protocol{{
		Name:   "test",
		Detect: func(traffic.First) traffic.Verdict { return traffic.Yes },
		New:    func(*traffic.Sink) traffic.Decoder { return d },
	}}
}

// A decoder that hangs stops neither the source nor grows the memory.
func TestSourceNeverWaits(t *testing.T) {
	release := make(chan struct{})
	r := traffic.NewRecorder(traffic.NewStore(traffic.Limits{}), protocol(blocking{release}))
	id := r.Open(ends)
	p := make([]byte, 64<<10)
	for range 1000 {
		r.Data(id, traffic.ToServer, start, p)
	}
	if n := r.Undecoded(); n < 50<<20 {
		t.Errorf("got %d bytes not decoded of 64 MB, want at least 50 MB", n)
	}
	close(release)
	r.Shutdown()
}

type panicking struct{ blocking }

func (panicking) Data(traffic.Direction, time.Time, []byte) error { panic("a bug") }

// A decoder that panics ends its exchanges, and the connection goes on as text.
func TestPanicBecomesText(t *testing.T) {
	var sink *traffic.Sink
	protocols := protocol(panicking{})
	protocols[0].New = func(s *traffic.Sink) traffic.Decoder {
		sink = s
		sink.Begin(traffic.Exchange{Protocol: "test", Started: start})
		return panicking{}
	}
	got := record(t, traffic.Limits{}, protocols, said{traffic.ToServer, "lost"}, said{traffic.ToServer, "goes on"})
	if len(got) != 2 || got[0].Problem != "Porthole could not decode this: a bug." || got[1].Path != "goes on" {
		t.Fatalf("got %d exchanges: %+v", len(got), got)
	}
}

func TestWatchAndFollow(t *testing.T) {
	store := traffic.NewStore(traffic.Limits{})
	changed, stop := store.Watch()
	var mu sync.Mutex
	var paths []string
	store.Follow(func(e *traffic.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, e.Path)
	})
	store.Add(traffic.Exchange{Path: "one", Started: start, Ended: start})
	store.Add(traffic.Exchange{Path: "two", Started: start, Ended: start})
	select {
	case <-changed:
	default:
		t.Error("no notice of the changes")
	}
	select {
	case <-changed:
		t.Error("the notices were not merged")
	default:
	}
	stop()
	store.Add(traffic.Exchange{Path: "three", Started: start})
	if got := strings.Join(paths, " "); got != "one two" {
		t.Errorf("followed %q, want the exchanges that ended: one two", got)
	}
}

func TestCurl(t *testing.T) {
	e := traffic.Exchange{
		Protocol: "HTTP/1.1", Method: "POST", Path: "/login?a=1&b=$(x)", Host: "localhost:3000",
		Request: traffic.Message{Head: []byte("POST /login HTTP/1.1\r\nHost: localhost:3000\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n"), Body: []byte("it's"), BodySize: 4},
	}
	want := `curl -i -H 'Content-Type: text/plain' --data-raw 'it'"'"'s' -- 'http://localhost:3000/login?a=1&b=$(x)'`
	if got, ok := e.Curl(); got != want || !ok {
		t.Errorf("got %s, %v\nwant %s", got, ok, want)
	}
	e.Request.BodySize = 5
	if _, ok := e.Curl(); ok {
		t.Error("half a body can be sent; want that it cannot")
	}
}

func TestMask(t *testing.T) {
	e := &traffic.Exchange{
		Path: "/reset?token=abc123&x=1",
		Request: traffic.Message{
			Head: []byte("GET /reset?token=abc123&x=1 HTTP/1.1\r\nAuthorization: Bearer abc123\r\nCookie: sid=abc123; theme=abc123\r\nX-Api-Key: abc123\r\nAccept: */*\r\n\r\n"),
			Body: []byte("{\"user\": \"ada\", \"password\": \"abc123\"}\nuser=ada&passwd=abc123&x=1\n"), BodySize: 66,
		},
		Answer: traffic.Message{Fields: []traffic.Field{{Name: "set-cookie", Value: "sid=abc123; Path=/"}}, Body: []byte{0, 1, 2}, BodySize: 3},
	}
	m := traffic.Masked(e)
	all := fmt.Sprintf("%s %s %s %v", m.Path, m.Request.Head, m.Request.Body, m.Answer.Fields)
	if strings.Contains(all, "abc123") {
		t.Errorf("got %s, want no abc123", all)
	}
	for _, want := range []string{"x=1", "Bearer •••", "theme=•••", "Path=/", "ada", "Accept: */*"} {
		if !strings.Contains(all, want) {
			t.Errorf("got %s, want %s", all, want)
		}
	}
	if !strings.Contains(string(e.Request.Body), "abc123") || len(m.Answer.Body) != 3 {
		t.Error("the exchange itself was changed, or a binary body")
	}
}

func TestMaskJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"user": "ada", "password":"a\\\"b", "n":1.50}`:         `{"user": "ada", "password":"•••", "n":1.50}`,
		`[{"tokens":["a","b"],"pin":1234,"x":[true,null,-1e5]}]`: `[{"tokens":["•••","•••"],"pin":"•••","x":[true,null,-1e5]}]`,
		`{"url":"postgres://ada:geheim@db/x"}`:                   `{"url":"postgres://ada:•••@db/x"}`,
		`{"secret":{"a":"b","c":{}}}`:                            `{"secret":{"a":"•••","c":{}}}`,
		"{\"password\":\n \"x\\\\\"\n}":                          "{\"password\":\n \"•••\"\n}",
	} {
		if got := string(traffic.MaskBody([]byte(in))); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", in, got, want)
		}
	}
}

func FuzzMaskBody(f *testing.F) {
	f.Add([]byte(`{"a":["b\\\"c",1e5],"token":-0.5}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		if out := traffic.MaskBody(p); json.Valid(p) && !json.Valid(out) {
			t.Errorf("got %s, want JSON as %s is", out, p)
		}
	})
}
