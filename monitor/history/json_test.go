package history

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONWriter(t *testing.T) {
	events := []Event{{ID: 1, Owner: Owner{Name: "a\x1b[2J\u009b"}}, {ID: 2}}
	for n := range len(events) + 1 {
		var array, lines strings.Builder
		for _, w := range []Writer{NewJSONArray(&array), NewJSONLines(&lines)} {
			for _, e := range events[:n] {
				if err := w.Write(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		var decoded []struct{ ID int }
		if err := json.Unmarshal([]byte(array.String()), &decoded); err != nil || len(decoded) != n || decoded == nil {
			t.Errorf("array of %d events = %q, %v, want %d objects", n, array.String(), err, n)
		}
		if got := strings.Count(lines.String(), "\n"); got != n {
			t.Errorf("JSON Lines of %d events = %q, want %d lines", n, lines.String(), n)
		}
		for line := range strings.Lines(lines.String()) {
			if !json.Valid([]byte(line)) || strings.ContainsAny(line, "\x1b\u009b") {
				t.Errorf("line = %q, want JSON without control characters", line)
			}
		}
	}
}
