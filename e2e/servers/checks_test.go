//go:build linux

package main

import (
	"strings"
	"testing"
)

// Each check has commands, and says what is right about them.
func TestChecks(t *testing.T) {
	checks, err := parseChecks(checksText)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, c := range checks {
		if seen[c.name] {
			t.Errorf("%s: two checks have this name", c.name)
		}
		seen[c.name] = true
		texts := 0
		for _, s := range c.commands {
			texts += len(s.with)
		}
		if len(c.commands) == 0 || texts == 0 {
			t.Errorf("%s: %d commands, %d texts that must be printed", c.name, len(c.commands), texts)
		}
	}
}

func TestParseChecks(t *testing.T) {
	checks, err := parseChecks("# a comment\nfirst\n\tpackages a b\n\troot$ false | cat\n\t= 1\n\t+ one\n\t+ two\n\t- three\n\nsecond\n\tdev$ id\n")
	if err != nil || len(checks) != 2 || checks[0].name != "first" || len(checks[0].packages) != 2 || checks[1].commands[0].user != "dev" {
		t.Fatalf("got %+v, %v", checks, err)
	}
	s := checks[0].commands[0]
	for _, test := range []struct {
		out    string
		status int
		want   string // of the error
	}{
		{"one two", 1, ""},
		{"one two", 0, "exit status 0, want 1"},
		{"one", 1, `"two" is missing`},
		{"one two three", 1, `"three" is not right`},
	} {
		got := ""
		if err := s.compare(test.out, test.status); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q, %d: got %q, want %q", test.out, test.status, got, test.want)
		}
	}
	for _, text := range []string{"\troot$ id\n", "a\n\t+ text\n", "a\n\troot$ id\n\t= x\n", "a\n\troot$ id\n\tnonsense\n"} {
		if _, err := parseChecks(text); err == nil || !strings.Contains(err.Error(), "checks.txt:") {
			t.Errorf("%q: got %v, want an error with the line", text, err)
		}
	}
}
