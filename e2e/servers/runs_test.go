//go:build linux

package main

import "testing"

// Each run that has servers needs right values.
func TestRunsHaveRightValues(t *testing.T) {
	runs, err := parseRuns(runsText)
	if err != nil {
		t.Fatal(err)
	}
	expected, err := readExpected("../../monitor/integration/testdata/servers.txt")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{expected: expected}
	seen := make(map[string]bool)
	for _, r := range runs {
		if seen[r.name] {
			t.Errorf("%s: two runs have this name", r.name)
		}
		seen[r.name] = true
		if len(l.of(r)) != 1+len(r.also) {
			t.Errorf("%s: %d lines of right values, want %d", r.name, len(l.of(r)), 1+len(r.also))
		}
		if r.unit == "" && len(r.dev)+len(r.root)+len(r.prepare) == 0 {
			t.Errorf("%s starts nothing", r.name)
		}
	}
	if len(runs) < 180 {
		t.Errorf("%d runs, want at least 180", len(runs))
	}
}
