package monitor

import (
	"encoding/json"
	"net/netip"
	"testing"
)

func TestClientText(t *testing.T) {
	for want, c := range map[string]Client{
		"":                            {},
		"psql (PID 812, user ann)":    {Name: "psql", PID: 812, User: "ann"},
		"psql (PID 812)":              {Name: "psql", PID: 812},
		"psql":                        {Name: "psql"},
		"a program of user ann":       {User: "ann"},
		"192.168.1.20":                {Address: netip.MustParseAddr("192.168.1.20")},
		"fe80::1":                     {Address: netip.MustParseAddr("fe80::1")},
		"a (PID 3) (PID 7, user x y)": {Name: "a (PID 3)", PID: 7, User: "x y"},
	} {
		b, err := json.Marshal(c)
		if err != nil || string(b) != `"`+want+`"` {
			t.Errorf("%+v: got %s, %v; want %q", c, b, err, want)
		}
		var back Client
		if err := json.Unmarshal(b, &back); err != nil || back != c {
			t.Errorf("%s: got %+v, %v; want %+v", b, back, err, c)
		}
	}
}

func FuzzClient(f *testing.F) {
	for _, text := range []string{"", "psql (PID 812, user ann)", "a program of user ", " (PID 1)", "x (PID 01)", "x (PID 1, user )", "::1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := ParseClient(text)
		if _, err := netip.ParseAddr(text); err != nil && c.Text() != text {
			t.Errorf("%q: got %+v, which is %q", text, c, c.Text())
		}
		if again := ParseClient(c.Text()); again != c {
			t.Errorf("%q: got %+v and then %+v", text, c, again)
		}
	})
}
