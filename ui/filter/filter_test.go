package filter

import (
	"testing"

	"porthole/monitor"
	"porthole/ui/uitest"
)

func TestFilterQuery(t *testing.T) {
	type query struct{ ports, text string }
	for text, want := range map[string]query{
		"": {}, "node ACME": {"", "node acme"}, ":80": {"80", ""}, "3000-3999 node": {"3000-3999", "node"},
		"6553": {"", "6553"}, "127.0.0.2 -::1": {"", "127.0.0.2 -::1"}, "3000-3999 :3500": {"3500", ""},
		"http://localhost:8080/a": {"8080", ""}, "EADDRINUSE :::3000": {"3000", ""}, "--port": {"", "--port"}, "-root": {"", "-root"},
		"node -3000-3999": {"1-2999, 4000-65535", "node"}, "-:80": {"1-79, 81-65535", ""}, "-1-65534": {"65535", ""},
		"99999": {"", "99999"}, "007": {"", "007"},
	} {
		q := Parse(text).Query()
		if got := (query{q.Ports.String(), q.Text}); got != want {
			t.Errorf("%q: got query %q, want %q", text, got, want)
		}
	}
	if q := Parse(":80 :81").Query(); q.Ports == nil || len(q.Ports) != 0 {
		t.Errorf("two ports at once: got ports %v, want an empty list that is not nil", q.Ports)
	}
	if q := Parse("").Query(); q.Ports != nil {
		t.Errorf("empty filter: got ports %v, want nil (all)", q.Ports)
	}
}

func TestFilter(t *testing.T) {
	l := uitest.Listening(3000, "node", 4711, "127.0.0.1", "::1")
	l.Project, l.Service, l.User = "shop-api", "Express", "www-data"
	for text, want := range map[string]bool{
		"":                            true,
		"3000":                        true,
		"30":                          true,
		":3000":                       true,
		"3000-3999":                   true,
		"4000-4999":                   false,
		"node":                        true,
		"NODE":                        true,
		"node shop":                   true,
		"node root":                   false,
		"www":                         true,
		"-www-data":                   false,
		"tcp":                         true,
		"tc":                          false,
		"udp":                         false,
		"-root":                       true,
		"[::1]":                       true,
		"-[::1]":                      false,
		"[::2]":                       false,
		"localhost":                   true,
		"-localhost":                  false,
		"local":                       false,
		"node -shop":                  false,
		"4711":                        true,
		"471":                         false,
		"shop-api":                    true,
		"express":                     true,
		"127.0.0.1":                   true,
		"::1":                         true,
		"--port":                      true,
		"http://localhost:3000/":      true,
		"http://127.0.0.1:3001/x?y=1": false,
		"Error: listen EADDRINUSE: address already in use :::3000": true,
		"EADDRINUSE :::3001": false,
		"listen tcp 127.0.0.1:3000: bind: address already in use": true,
		"3000,3001": true, "3001, 4000-4999": false, "3001, 3000": true, "3000,": true, "-3000,3001": false,
		"localhost:3000": true, "127.0.0.1:3000/a?b": true, "[::1]:3000": true, "*:3000": true, ":::3000": true, "localhost:300": false,
		"localhost:3000 node": true, "-localhost:3000": false, "app.example.test:3000": true,
	} {
		if got := Parse(text).Matches(l); got != want {
			t.Errorf("%q matches: got %v, want %v", text, got, want)
		}
	}
	l.Protocol = monitor.UDP
	for text, want := range map[string]bool{"udp": true, "UDP 3000": true, "-udp": false, "tcp": false} {
		if got := Parse(text).Matches(l); got != want {
			t.Errorf("%q matches a UDP listener: got %v, want %v", text, got, want)
		}
	}
}

func TestFilterPort(t *testing.T) {
	for text, want := range map[string]uint16{
		"5432": 5432, " 5432 ": 5432, "http://localhost:8080/a": 8080, "EADDRINUSE :::3000": 3000,
		"54321234": 0, "node": 0, "1 2": 0, "-80": 0, "80-90": 0, "localhost:8080": 8080, "8080,9090": 0,
	} {
		if got := Parse(text).Port(); got != want {
			t.Errorf("%q: got port %d, want %d", text, got, want)
		}
	}
}

// An address with a port is not the row of another address.
func TestFilterDistinguishesAddresses(t *testing.T) {
	v4, v6 := uitest.Listening(8080, "node", 4711, "127.0.0.1"), uitest.Listening(8080, "python3", 4712, "::1")
	all, other := uitest.Listening(8080, "java", 4713, "::"), uitest.Listening(8080, "go", 4714, "192.168.7.2")
	for text, want := range map[string][4]bool{
		"[::1]:8080":                           {false, true, true, false},
		"127.0.0.1:8080":                       {true, false, true, false},
		"http://127.0.0.1:8080/a":              {true, false, true, false},
		"Error: connect ECONNREFUSED ::1:8080": {false, true, true, false},
		"listen EADDRINUSE: 127.0.0.1:8080":    {true, false, true, false},
		"listen EADDRINUSE: :::8080":           {true, true, true, true},
		"bind() to 0.0.0.0:8080 failed":        {true, false, true, true},
		"localhost:8080":                       {true, true, true, false},
		"192.168.7.2:8080":                     {false, false, true, true},
		"-[::1]:8080":                          {true, false, false, true},
		"*:8080":                               {true, true, true, true},
		"[::1]:8081":                           {},
	} {
		f := Parse(text)
		if got := [4]bool{f.Matches(v4), f.Matches(v6), f.Matches(all), f.Matches(other)}; got != want {
			t.Errorf("%q matches 127.0.0.1, ::1, :: and 192.168.7.2: got %v, want %v", text, got, want)
		}
	}
}

// by: finds what started the process, whatever its other texts are.
func TestFilterBy(t *testing.T) {
	l := uitest.Listening(3000, "node", 4711)
	l.Owners[0].Parents = []monitor.Parent{{PID: 7, Name: "npm run dev", Command: []string{"npm run dev"}}, {PID: 6, Name: "bash", Command: []string{"bash"}},
		{PID: 5, Name: "claude", Command: []string{"claude"}}, {PID: 4, Name: "zsh", Command: []string{"zsh"}}}
	for text, want := range map[string]bool{
		"by:claude": true, "by:claude-code": true, "BY:ClaudeCode": true, "by:npm": true, "by:bash": true, "by:codex": false, "-by:claude": false, "-by:codex": true,
		"3000 by:claude": true, "3001 by:claude": false, "claude": false, "by:": false,
	} {
		if got := Parse(text).Matches(l); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
	if Parse("by:claude").Matches(&monitor.Listener{Port: 1}) {
		t.Error("without an owner: found")
	}
}

// A listener is found by its tunnel.
func TestFilterByTunnel(t *testing.T) {
	l := uitest.Listening(3000, "node", 4711, "127.0.0.1")
	l.SetTunnels([]monitor.Tunnel{{Through: "ngrok", Reach: monitor.ReachInternet, URL: "https://9e1f.ngrok.app"}})
	for _, text := range []string{"public", "ngrok", "9e1f"} {
		if !Parse(text).Matches(l) {
			t.Errorf("%q does not match", text)
		}
	}
	if l.SetTunnels(nil); Parse("public").Matches(l) {
		t.Error("a local server is public")
	}
}
