package decode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// said is what one side sent: "> text" to the server, "< text" to the client.
type said = string

// record returns what is decoded of a conversation. step is how many bytes come at once.
func record(t testing.TB, step int, conversation ...said) []*traffic.Exchange {
	t.Helper()
	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, decode.Protocols())
	id := r.Open(traffic.Conn{Opened: start})
	for _, s := range conversation {
		dir, p := traffic.ToServer, []byte(s[2:])
		if s[0] == '<' {
			dir = traffic.ToClient
		}
		for len(p) > 0 {
			n := min(step, len(p))
			r.Data(id, dir, start, p[:n])
			p = p[n:]
		}
	}
	r.Close(id, traffic.ToServer, start.Add(time.Second), nil)
	r.Close(id, traffic.ToClient, start.Add(time.Second), nil)
	r.Shutdown()
	list := store.List()
	for _, e := range list {
		if e.Ended.IsZero() {
			t.Errorf("exchange %d has no end", e.ID)
		}
	}
	return list
}

// lines describes exchanges, one per line.
func lines(list []*traffic.Exchange) string {
	var out []string
	for _, e := range list {
		line := strings.Join(strings.Fields(e.Protocol+" "+e.Method+" "+e.Path), " ")
		if e.Code != 0 {
			line += fmt.Sprintf(" = %d %s", e.Code, e.Status)
		} else if e.Status != "" {
			line += " = " + e.Status
		}
		if e.Request.BodySize > 0 {
			line += fmt.Sprintf(" > %q", e.Request.Body)
		}
		if e.Answer.BodySize > 0 {
			line += fmt.Sprintf(" < %q", e.Answer.Body)
		}
		if e.Problem != "" {
			line += " ! " + e.Problem
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestHTTP1(t *testing.T) {
	for _, c := range []struct {
		name         string
		conversation []said
		want         string
	}{
		{"keep-alive", []said{
			"> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
			"> GET /b HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		}, "HTTP/1.1 GET /a = 200 OK < \"hi\"\nHTTP/1.1 GET /b = 404 Not Found"},
		{"the same heads again", []said{
			"> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
			"> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2",
			"> HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
			"> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3",
		}, "HTTP/1.1 GET /a = 200 OK < \"1\"\nHTTP/1.1 GET /a = 200 OK < \"2\"\nHTTP/1.1 HEAD /a = 200 OK\nHTTP/1.1 GET /a = 200 OK < \"3\""},
		{"pipelining", []said{
			"> GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcHEAD /c HTTP/1.1\r\nHost: x\r\n\r\n",
			"< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n2HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
		}, "HTTP/1.1 GET /a = 200 OK < \"1\"\nHTTP/1.1 POST /b = 201 Created > \"abc\" < \"2\"\nHTTP/1.1 HEAD /c = 200 OK"},
		{"chunked with a trailer", []said{
			"> POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n",
			"< HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\n\r\n",
		}, "HTTP/1.1 POST /up = 200 OK > \"abcde\" < \"!\""},
		{"until the connection closes", []said{"> GET / HTTP/1.0\r\n\r\n", "< HTTP/1.0 200 OK\r\n\r\nall"}, "HTTP/1.0 GET / = 200 OK < \"all\""},
		{"Expect", []said{
			"> PUT /f HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "< HTTP/1.1 100 Continue\r\n\r\n",
			"> ok", "< HTTP/1.1 204 No Content\r\n\r\n",
		}, "HTTP/1.1 PUT /f = 204 No Content > \"ok\""},
		{"Expect is refused", []said{
			"> PUT /f HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "< HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n",
			"> GET /g HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		}, "HTTP/1.1 PUT /f = 417 Expectation Failed ! The answer came before the whole request.\nHTTP/1.1 GET /g = 200 OK"},
		{"no answer", []said{"> GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, "HTTP/1.1 GET / ! No answer: the server closed the connection."},
		{"cut off", []said{"> GET / HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"},
			"HTTP/1.1 GET / = 200 OK < \"half\" ! The answer is incomplete: the server closed the connection."},
		{"the request was missed", []said{"< HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, "HTTP/1.1 = 200 OK < \"hi\" ! The request was not seen."},
		{"an answer that is no HTTP", []said{"> GET / HTTP/1.1\r\nHost: x\r\n\r\n", "< SSH-2.0-x\r\n\r\n"},
			"HTTP/1.1 GET / ! Not decoded: read the answer: malformed HTTP response \"SSH-2.0-x\".\nText SSH-2.0-x < \"SSH-2.0-x\\r\\n\\r\\n\""},
		{"line ends without CR", []said{"> GET /lf HTTP/1.1\nHost: x\n\n", "< HTTP/1.1 200 OK\nContent-Length: 1\n\n1"}, "HTTP/1.1 GET /lf = 200 OK < \"1\""},
		{"304 with a length", []said{"> GET / HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
			"> GET /2 HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, "HTTP/1.1 GET / = 304 Not Modified\nHTTP/1.1 GET /2 = 200 OK"},
		{"CONNECT", []said{"> CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\n", "> GET /in HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"},
			"HTTP/1.1 CONNECT x:80 = 200 OK\nHTTP/1.1 GET /in = 200 OK < \"1\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, step := range []int{1, 7, 1 << 20} {
				got := lines(record(t, step, c.conversation...))
				if got != c.want {
					t.Errorf("%d bytes at once:\ngot  %s\nwant %s", step, got, c.want)
				}
			}
		})
	}
}
