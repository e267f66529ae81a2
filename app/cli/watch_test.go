package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"porthole/app/settings"
)

func TestWatchAddListRemove(t *testing.T) {
	const before = "# mine\ntheme:   dark\n\nwatches:\n  - ports: 3000   # the shop\n    name: shop\n"
	setSettings(t, before)
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	if err := runWatchAdd([]string{"5000-5010", "8080"}, watchOptions{Options: o, Name: "backends"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(settings.Path())
	if err != nil || !strings.HasPrefix(string(text), before) || !strings.Contains(string(text), "5000-5010, 8080") {
		t.Errorf("after add: got %q, %v, want the old text and one entry more", text, err)
	}
	out.Reset()
	if err := runWatchList(o); err != nil || out.String() != "3000, name shop\n5000-5010, 8080, name backends\n" {
		t.Errorf("list: got %q, %v", out.String(), err)
	}
	out.Reset()
	if err := runWatchList(Options{JSON: true, Stdout: &out}); err != nil || out.String() != `{"watches":[{"name":"shop","ports":"3000"},{"name":"backends","ports":"5000-5010, 8080"}]}`+"\n" {
		t.Errorf("list --json: got %q, %v", out.String(), err)
	}
	if err := runWatchRemove("backends", o); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(settings.Path()); err != nil || string(text) != before {
		t.Errorf("after remove: got %q, %v, want %q", text, err, before)
	}
	if err := runWatchRemove("5000", o); Status(err) != 1 {
		t.Errorf("remove what is not watched: got %v, want status 1", err)
	}
	for _, args := range [][]string{nil, {"70000"}, {"node"}} {
		if err := runWatchAdd(args, watchOptions{Options: o}); Status(err) != 2 {
			t.Errorf("add %q: got %v, want a UsageError", args, err)
		}
	}
	if err := runWatchAdd([]string{"1"}, watchOptions{Options: o, Match: "("}); Status(err) != 2 {
		t.Errorf("add with an invalid pattern: got %v, want a UsageError", err)
	}
}
