package watch

import (
	"encoding/json"
	"testing"

	"porthole/monitor"
)

func TestPatternMatches(t *testing.T) {
	l := newListener("a", 3000, "node", "/home/a/Shop")
	l.Owners = append(l.Owners, monitor.Owner{Name: "python3", Command: []string{"python3", "-m", "http.server"}, Project: "blog"})
	inferred := listener("127.0.0.1", 631)
	inferred.Inferred = &monitor.Owner{Name: "cupsd"}
	for _, test := range []struct {
		pattern string
		l       *monitor.Listener
		want    bool
	}{
		{"", l, true},
		{"  ", l, true},
		{"node", l, true},
		{"NODE shop", l, true},
		{"shop node", l, true},
		{"node blog", l, false}, // words of two different owners
		{"blog", l, true},
		{"^node$", l, true},
		{"http\\.server", l, true},
		{"vite|node", l, true},
		{"vite", l, false},
		{"cups", inferred, true},
		{"x", listener("127.0.0.1", 1), false},
	} {
		p, err := ParsePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Matches(test.l); got != test.want {
			t.Errorf("%q: got %t, want %t", test.pattern, got, test.want)
		}
	}
}

func TestParsePatternErrors(t *testing.T) {
	for text, want := range map[string]string{
		"vite(":      `"vite(" at character 1: missing closing )`,
		"für vite [": `"[" at character 10: missing closing ]`,
		"a)":         `"a)" at character 1: unexpected )`,
		"*":          `"*" at character 1: missing argument to repetition operator`,
	} {
		if p, err := ParsePattern(text); err == nil || err.Error() != want || !p.IsZero() {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestPatternJSON(t *testing.T) {
	p, err := ParsePattern("vite shop")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Rule{Match: p})
	if err != nil || string(b) != `{"match":"vite shop"}` {
		t.Fatalf("got %s, %v; want the words", b, err)
	}
	var back Rule
	if err := json.Unmarshal(b, &back); err != nil || back.Match.String() != "vite shop" || back.Match.IsZero() {
		t.Errorf("got %+v, %v; want the same pattern, usable", back, err)
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"vite", "a(", "a)(b", "(?i)x", "\\", "a|b c", "[", "a{1001}"} {
		f.Add(seed)
	}
	l := newListener("a", 3000, "node", "/home/a/shop")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil && err.Error() == "" {
			t.Error("error without text")
		}
		p.Matches(l)
	})
}
