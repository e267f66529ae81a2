package filter

import (
	"strings"
	"testing"
	"time"

	"porthole/monitor/traffic"
)

func TestExchanges(t *testing.T) {
	now := time.Now()
	post := &traffic.Exchange{Conn: &traffic.Connection{}, Protocol: "HTTP/1.1", Method: "POST", Path: "/api/users?q=1", Host: "localhost:3000", Code: 503, Status: "Service Unavailable", Failed: true,
		Started: now.Add(-time.Second), Ended: now, Request: traffic.Message{Body: []byte(`{"name": "Ann"}`)}}
	get := &traffic.Exchange{Conn: &traffic.Connection{}, Protocol: "Redis", Method: "GET", Path: "user:1", Status: "3 bytes", Started: now.Add(-time.Millisecond), Ended: now}
	for _, c := range []struct{ text, want string }{
		{"", "both"}, {"  ", "both"},
		{"status:5xx", "post"}, {"status:503", "post"}, {"status:50x", "post"}, {"status:4xx", "none"}, {"-status:5xx", "get"}, {"status:error", "post"},
		{"method:post", "post"}, {"method:POST path:/API", "post"}, {"method:pos", "none"}, {"path:/users", "none"}, {"path:*users", "post"},
		{"slow:500ms", "post"}, {"slow:500", "post"}, {"slow:2s", "none"}, {"-slow:500ms", "get"}, {"slow:x", "none"},
		{"user", "both"}, {"user:1", "get"}, {"localhost:3000", "post"}, {"unavail", "post"}, {"protocol:redis", "get"}, {"client:curl", "none"},
		{"body:ann", "post"}, {"ann", "none"}, {"status:9xx", "none"},
	} {
		f := ParseExchanges(c.text)
		got := map[[2]bool]string{{true, true}: "both", {true, false}: "post", {false, true}: "get", {}: "none"}[[2]bool{f.Matches(post), f.Matches(get)}]
		if got != c.want {
			t.Errorf("%q matches %s, want %s", c.text, got, c.want)
		}
		if f.Empty() != (strings.TrimSpace(c.text) == "") {
			t.Errorf("%q: Empty returned %v", c.text, f.Empty())
		}
	}
}
