package har_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/har"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)

// exchanges returns one exchange of each form.
func exchanges() []*traffic.Exchange {
	conn := &traffic.Connection{ID: 3, Conn: traffic.Conn{Client: netip.MustParseAddrPort("127.0.0.1:50000"), Server: netip.MustParseAddrPort("[::1]:3000")}}
	conn.SetProcess(traffic.Process{PID: 812, Name: "curl"})
	return []*traffic.Exchange{
		{
			ID: 1, Conn: conn, Protocol: "HTTP/1.1", Method: "POST", Path: "/login?next=%2F&token=abc", Host: "localhost:3000", Code: 302, Status: "Found",
			Started: start, Answered: start.Add(5 * time.Millisecond), Ended: start.Add(7 * time.Millisecond),
			Request: traffic.Message{
				Head: []byte("POST /login?next=%2F&token=abc HTTP/1.1\r\nHost: localhost:3000\r\nCookie: sid=s3cret\r\nContent-Type: application/json\r\n\r\n"),
				Body: []byte(`{"user":"ada","password":"hunter2"}`), BodySize: 35, Size: 150,
			},
			Answer: traffic.Message{
				Head: []byte("HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: sid=n3w; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Type: image/png\r\n\r\n"),
				Body: []byte{0x89, 'P', 'N', 'G', 0xff}, BodySize: 5, Size: 100,
			},
		},
		{ID: 2, Conn: conn, Protocol: "HTTP/2", Method: "GET", Path: "/events", Started: start, Problem: "No answer: the server closed the connection.", Ended: start.Add(time.Second),
			Request: traffic.Message{Fields: []traffic.Field{{Name: "accept", Value: "*/*"}}}},
		{ID: 3, Conn: conn, Parent: 2, Kind: traffic.Event, Direction: traffic.ToClient, Protocol: "Events", Method: "tick", Path: "3", Started: start, Ended: start,
			Answer: traffic.Message{Body: []byte("3"), BodySize: 1, Size: 9}},
		{ID: 4, Conn: conn, Protocol: "PostgreSQL", Method: "SELECT", Path: "select 1", Status: "SELECT 1", Started: start},
		{ID: 5, Conn: conn, Kind: traffic.Info, Protocol: "TLS 1.3", Method: "TLS", Path: "local.test", Status: "encrypted", Started: start, Ended: start},
	}
}

// schema returns the schema of HAR 1.2. The files name each other by their IDs.
func schema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	load := func(uri *url.URL) (*jsonschema.Schema, error) {
		p, err := os.ReadFile(filepath.Join("testdata", filepath.Base(uri.Path)))
		if err != nil {
			return nil, err
		}
		var s jsonschema.Schema
		// The library does not check formats, but the schema tells IPv4 from IPv6 by them.
		text := strings.NewReplacer(
			"http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-07/schema#",
			`"format": "ipv4"`, `"pattern": "^[0-9.]+$"`, `"format": "ipv6"`, `"pattern": ":"`).Replace(string(p))
		return &s, json.Unmarshal([]byte(text), &s)
	}
	root, err := load(&url.URL{Path: "har.json"})
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := root.Resolve(&jsonschema.ResolveOptions{BaseURI: "http://localhost/", Loader: load})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func write(t *testing.T, o har.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := har.Write(&out, exchanges(), o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFilesAreValid(t *testing.T) {
	s := schema(t)
	var value any
	if err := json.Unmarshal(write(t, har.Options{Version: "1.0"}), &value); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value); err != nil {
		t.Error(err)
	}
	entry := value.(map[string]any)["log"].(map[string]any)["entries"].([]any)[0].(map[string]any)
	delete(entry["request"].(map[string]any), "method")
	if s.Validate(value) == nil {
		t.Error("the schema accepts a request without a method, so it checks nothing")
	}
}

func TestRoundTrip(t *testing.T) {
	got, err := har.Read(bytes.NewReader(write(t, har.Options{Unmasked: true})))
	if err != nil {
		t.Fatal(err)
	}
	want := exchanges()
	if len(got) != len(want) {
		t.Fatalf("got %d exchanges, want %d", len(got), len(want))
	}
	for i := range want {
		w, g := *want[i], got[i]
		if g.Conn.Client != w.Conn.Client || g.Conn.Server != w.Conn.Server || g.Conn.Process() != w.Conn.Process() {
			t.Errorf("exchange %d: got %+v, want %+v", i+1, g.Conn, w.Conn)
		}
		if w.Host == "" && w.Kind == traffic.Request {
			g.Host = "" // it is the address of the server
		}
		for _, m := range []*traffic.Message{&w.Request, &w.Answer, &g.Request, &g.Answer} {
			m.Fields, m.Head, m.Decoded = m.Header(), nil, false
		}
		g.Conn, w.Conn, g.Host, w.Host = nil, nil, "", ""
		if !reflect.DeepEqual(g, w) {
			t.Errorf("exchange %d:\ngot  %+v\nwant %+v", i+1, g, w)
		}
	}
	if got[0].Host != "localhost:3000" {
		t.Errorf("got host %q", got[0].Host)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	out := string(write(t, har.Options{}))
	for _, secret := range []string{"hunter2", "s3cret", "n3w", "token=abc", `"abc"`} {
		if strings.Contains(out, secret) {
			t.Errorf("the file contains %s", secret)
		}
	}
	if !strings.Contains(out, "ada") {
		t.Error("the file has no bodies")
	}
}

// A file of a browser has no fields of Porthole.
func TestReadsFilesOfOthers(t *testing.T) {
	got, err := har.Read(strings.NewReader(`{"log":{"version":"1.2","creator":{"name":"Firefox","version":"1"},"entries":[{
		"startedDateTime":"2026-03-01T12:00:00.5+01:00","time":12.5,
		"request":{"method":"GET","url":"http://x.test/a?b=1","httpVersion":"h2","headers":[{"name":"A","value":"b"}],"cookies":[],"queryString":[],"headersSize":-1,"bodySize":-1},
		"response":{"status":404,"statusText":"","httpVersion":"h2","headers":[{"name":"content-encoding","value":"gzip"}],"cookies":[],"content":{"size":2,"mimeType":"text/plain","text":"aGk=","encoding":"base64"},"redirectURL":"","headersSize":-1,"bodySize":20},
		"cache":{},"timings":{"send":0.5,"wait":10,"receive":2}}]}}`))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d exchanges, %v", len(got), err)
	}
	e := got[0]
	content, err := e.Answer.Content(0)
	if e.Protocol != "HTTP/2" || e.Path != "/a?b=1" || e.Host != "x.test" || !e.Failed || string(content) != "hi" || err != nil || e.Ended.Sub(e.Started) != 12500*time.Microsecond || e.Answered.Sub(e.Started) != 10500*time.Microsecond {
		t.Errorf("got %+v, content %q, %v", e, content, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"log":{"version":"1.2","entries":[{"request":{"url":"http://x/"},"response":{"content":{"text":"aGk=","encoding":"base64"}},"time":1e300}]}}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		list, err := har.Read(bytes.NewReader(p))
		if err != nil {
			return
		}
		store := traffic.NewStore(traffic.Limits{})
		store.Add(list...)
		if err := har.Write(&bytes.Buffer{}, store.List(), har.Options{}); err != nil {
			t.Error(err)
		}
	})
}
