package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Two servers share a port at different addresses; each form of an address selects its
// own.
func TestTargetsAreRestrictedToTheirAddress(t *testing.T) {
	first, port := listen(t, "127.0.0.1:0")
	defer first.Close()
	second, _ := listen(t, "127.0.0.2:"+port)
	at := func(address string) string { return "[" + address + "]" }
	list := func(args ...string) string {
		var addresses []string
		for _, l := range listJSON(t, args...)["listeners"].([]any) {
			addresses = append(addresses, fmt.Sprint(l.(map[string]any)["addresses"]))
		}
		return strings.Join(addresses, " ")
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"127.0.0.1:" + port}, at("127.0.0.1")},
		{[]string{"http://127.0.0.2:" + port + "/a"}, at("127.0.0.2")},
		{[]string{"Error: listen EADDRINUSE: address already in use 127.0.0.2:" + port}, at("127.0.0.2")},
		{[]string{"localhost:" + port}, at("127.0.0.1")},
		{[]string{"[::1]:" + port}, ""},
		{[]string{"127.0.0.1:" + port, "127.0.0.2:" + port}, at("127.0.0.1 127.0.0.2")},
		{[]string{"127.0.0.2:" + port, "nosuchword"}, ""},
	} {
		if got := list(test.args...); got != test.want {
			t.Errorf("list %q: got addresses %q, want %q", test.args, got, test.want)
		}
	}
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	if err := runWhoAll(t.Context(), []string{"127.0.0.2:" + port}, o); err != nil || !strings.Contains(out.String(), "127.0.0.2 (") || strings.Contains(out.String(), "127.0.0.1 (") {
		t.Errorf("who 127.0.0.2: got %q, %v, want that address only", out.String(), err)
	}
	out.Reset()
	if err := runWhoAll(t.Context(), []string{"127.0.0.1:" + port, "[::1]:" + port}, o); !errors.Is(err, ErrFree) || !strings.Contains(out.String(), "Nothing listens on [::1]:"+port) {
		t.Errorf("who of two targets: got %q, %v, want both answers and ErrFree", out.String(), err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := runWait(t.Context(), []string{"127.0.0.2:" + port}, waitOptions{Options: o, Closed: true, Timeout: 10 * time.Second}); err != nil {
		t.Errorf("wait --closed 127.0.0.2 while 127.0.0.1 is open: %v", err)
	}
	if err := runWait(t.Context(), []string{port, "127.0.0.2:" + port}, waitOptions{Options: o, Closed: false, Timeout: 300 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "127.0.0.2:"+port+" did not open") {
		t.Errorf("wait for both: got %v, want that 127.0.0.2 did not open", err)
	}
}

func TestParseSelection(t *testing.T) {
	for _, test := range []struct{ args, ports, targets, words string }{
		{"3000", "3000", "", ""},
		{"3000-3999,8080 node", "3000-3999, 8080", "", "node"},
		{":3000", "3000", "", ""},
		{"127.0.0.1:3000 [::1]:4000 5000", "5000", "127.0.0.1:3000 [::1]:4000", ""},
		{"node shop", "", "", "node shop"},
		{"postgres", "", "", "postgres"},
	} {
		s, err := parseSelection(strings.Fields(test.args))
		var targets []string
		for _, x := range s.targets {
			targets = append(targets, x.String())
		}
		if got := strings.Join(targets, " "); err != nil || s.ports.String() != test.ports || got != test.targets || s.words.Query().Text != test.words {
			t.Errorf("%q: got ports %q, targets %q, words %q, %v, want %+v", test.args, s.ports, got, s.words.Query().Text, err, test)
		}
	}
	for _, arg := range []string{"99999", "0", "127.0.0.1:99999", "example.com:80", "http://example.com/", "Error: That port is already in use."} {
		if _, err := parseSelection([]string{arg}); Status(err) != 2 {
			t.Errorf("%q: got %v, want a UsageError", arg, err)
		}
	}
}

// A pasted line needs no quotes: its words are one argument.
func TestUnquotedLine(t *testing.T) {
	for args, want := range map[string]string{
		"Error: listen EADDRINUSE: address already in use 127.0.0.2:3000": "1",
		"port 3000":                    "1",
		"3000 4000":                    "2",
		"127.0.0.1:3000 [::1]:3000":    "2",
		"node 3000":                    "2",
		"bind 3000":                    "2",
		"3000x 127.0.0.1:80":           "2",
		"That port is already in use.": "6",
		"curl: (7) Failed to connect to localhost port 3000 after 0 ms: Couldn't connect to server": "1",
	} {
		if got := joinLine(strings.Fields(args)); fmt.Sprint(len(got)) != want {
			t.Errorf("%q: got %q, want %s arguments", args, got, want)
		}
	}
	_, port := listen(t, "127.0.0.1:0")
	line := strings.Fields("Error: listen EADDRINUSE: address already in use 127.0.0.1:" + port)
	for _, name := range []string{"list", "who", "explain", "wait"} {
		if err := execute(t, append([]string{name}, line...)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := execute(t, append([]string{"stop"}, line[:4]...)...); Status(err) != 2 {
		t.Errorf("stop without a port in the line: got %v, want a UsageError", err)
	}
	if err := execute(t, "explain", "3000", "4000"); Status(err) != 2 || !strings.Contains(err.Error(), "one target") {
		t.Errorf("explain with two targets: got %v, want a UsageError", err)
	}
}
