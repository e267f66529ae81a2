package explain

import (
	"net/netip"
	"strings"
	"testing"

	"porthole/monitor"
)

func TestParse(t *testing.T) {
	address := netip.MustParseAddr
	for text, want := range map[string]Target{
		"62893":                          {Port: 62893},
		" :62893 ":                       {Port: 62893},
		"127.0.0.1:62893":                {Address: address("127.0.0.1"), Port: 62893},
		"0.0.0.0:80":                     {Address: address("0.0.0.0"), Port: 80},
		"[::1]:80":                       {Address: address("::1"), Port: 80},
		"[::]:80":                        {Address: address("::"), Port: 80},
		":::3000":                        {Address: address("::"), Port: 3000},
		"[::ffff:127.0.0.1]:80":          {Address: address("::ffff:127.0.0.1"), Port: 80},
		"[fe80::1%eth0]:80":              {Address: address("fe80::1%eth0"), Port: 80},
		"localhost:3000":                 {Localhost: true, Port: 3000},
		"LocalHost":                      {Localhost: true},
		"shop.localhost:3000":            {Localhost: true, Port: 3000},
		"127.0.0.1":                      {Address: address("127.0.0.1")},
		"::1":                            {Address: address("::1")},
		"[::1]":                          {Address: address("::1")},
		"2001:db8::1":                    {Address: address("2001:db8::1")}, // not the address 2001:db8: with port 1
		"http://localhost:5173/a?b=c:1#": {Localhost: true, Port: 5173},
		"http://127.0.0.1/":              {Address: address("127.0.0.1"), Port: 80},
		"https://[::1]":                  {Address: address("::1"), Port: 443},
		"ssh://127.0.0.1":                {Address: address("127.0.0.1"), Port: 22},
		"ws://user:pw@127.0.0.1:9/x":     {Address: address("127.0.0.1"), Port: 9},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "not an address",
		"http":                    "not an address",
		"example.com":             "not resolved",
		"example.com:80":          "not resolved",
		"notlocalhost:80":         "not resolved",
		"http://example.com/":     "not resolved",
		"http:///x":               "not an address",
		"http://127.0.0.1:http/":  "not an address",
		"http://127.0.0.1:99999/": "1 to 65535",
		"0":                       "1 to 65535",
		"65536":                   "1 to 65535",
		"127.0.0.1:0":             "1 to 65535",
		"127.0.0.1:":              "1 to 65535",
		"127.0.0.1:x":             "1 to 65535",
		"127.0.0.1:80-90":         "one port",
		"127.0.0.256:80":          "not an address",
		"[127.0.0.1":              "not an address",
		"[::1]80":                 "1 to 65535",
		"fe80::1:631":             "write [fe80::1:631] for the address, or [fe80::1]:631 for",
		"3000-3999":               "not an address",
		"fe80::1%\u202ex":         "not an address",
		strings.Repeat("9", 1e5):  "1 to 65535",
		strings.Repeat(":", 1e5):  "1 to 65535",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 || err.Error() != monitor.Clean(err.Error(), 300) {
			t.Errorf("%.40q: got %v, want one sentence with %q", text, err, want)
		}
	}
}

// String of a parsed target parses to the same target, and all texts are safe to
// display.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"62893", "127.0.0.1:62893", "[::1]:80", ":::3000", "localhost:1", "http://[fe80::1%25eth0]:80/", "::1:631", "[::ffff:1.2.3.4%\x00]:1", "]:[", "::%a]b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := Parse(text)
		if err != nil {
			if s := err.Error(); s != monitor.Clean(s, 400) {
				t.Errorf("%q: %q is not safe to display", text, s)
			}
			return
		}
		if again, err := Parse(target.String()); err != nil || again != target {
			t.Errorf("%q: got %+v, formatted %q, parsed again %+v, %v", text, target, target, again, err)
		}
		if s := NewFacts(target, nil, System{}).String(); s == "" || s != monitor.Clean(s, 4000) {
			t.Errorf("%q: %q is not safe to display", text, s)
		}
	})
}
