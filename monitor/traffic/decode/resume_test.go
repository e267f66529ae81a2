package decode_test

import (
	"strings"
	"testing"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode"
)

// partial records a connection that was open before. A piece "!" is a loss of 10 bytes that
// the server sent.
func partial(t *testing.T, pieces ...said) []*traffic.Exchange {
	t.Helper()
	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, decode.Protocols())
	id := r.Open(traffic.Conn{Opened: start, Partial: true})
	for _, s := range pieces {
		switch s[0] {
		case '>':
			r.Data(id, traffic.ToServer, start, []byte(s[2:]))
		case '<':
			r.Data(id, traffic.ToClient, start, []byte(s[2:]))
		default:
			r.Lost(id, traffic.ToClient, start, 10)
		}
	}
	r.Close(id, traffic.ToServer, start, nil)
	r.Close(id, traffic.ToClient, start, nil)
	r.Shutdown()
	return store.List()
}

const notSeen = " ! The beginning was not seen: the connection was open before, or bytes were lost."

// A connection that was open before is decoded from the next message on, which certainly is
// one.
func TestPartialConnection(t *testing.T) {
	const exchange, ok = "HTTP/1.1 GET /b = 200 OK < \"hi\"", "< HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	for name, c := range map[string]struct {
		pieces []said
		want   string
	}{
		"in a download": {[]said{"< of a body", "< , and its end", "> GET /b HTTP/1.1\r\nHost: x\r\n\r\n", ok},
			"Text of a body, and its end < \"of a body, and its end\"" + notSeen + "\n" + exchange},
		"in an upload": {[]said{"> of a body", "< HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "> GET /b HTTP/1.1\r\nHost: x\r\n\r\n", ok},
			"Text of a body > \"of a body\"" + notSeen + "\nHTTP/1.1 = 201 Created ! The request was not seen.\n" + exchange},
		"between two": {[]said{"> GET /b HTTP/1.1\r\nHost: x\r\n\r\n", ok}, exchange},
		"after a loss in text": {[]said{"< text", "!", "> GET /b HTTP/1.1\r\nHost: x\r\n\r\n", ok},
			"Text text < \"text\"" + notSeen + "\n" + exchange},
		"text that mentions HTTP": {[]said{"< GET / HTTP/1.1 is a request line", "> HTTP/1.1 is a version", "> GET /\n", "> GET / HTTP/1.1\r\nno head\r\n"},
			"Text GET / HTTP/1.1 is a request line < \"GET / HTTP/1.1 is a request line\"\nText HTTP/1.1 is a versionGET / > \"HTTP/1.1 is a versionGET /\\nGET / HTTP/1.1\\r\\nno head\\r\\n\""},
	} {
		if got := lines(partial(t, c.pieces...)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
	if got := lines(record(t, 1<<20, "< of a body", "> GET /b HTTP/1.1\r\nHost: x\r\n\r\n")); strings.Contains(got, notSeen) {
		t.Errorf("a connection whose beginning was seen: got %s, want text", got)
	}
}
