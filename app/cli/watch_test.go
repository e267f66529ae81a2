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

// The settings file has UDP ports and exclusions too: the commands must not lose them.
func TestWatchUDPAndExclusions(t *testing.T) {
	const before = "watches:\n  - ports: 5353\n  - ports: 40001-40008, -40003\n    name: compose\n"
	setSettings(t, before)
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	for range 2 { // the second does nothing
		if err := runWatchAdd([]string{"5353/udp"}, watchOptions{Options: o}); err != nil {
			t.Fatal(err)
		}
	}
	out.Reset()
	if err := runWatchList(o); err != nil || out.String() != "5353\n40001-40008, -40003, name compose\n5353/udp\n" {
		t.Errorf("list: got %q, %v", out.String(), err)
	}
	out.Reset()
	want := `{"watches":[{"ports":"5353"},{"name":"compose","ports":"40001-40008, -40003"},{"ports":"5353/udp"}]}` + "\n"
	if err := runWatchList(Options{JSON: true, Stdout: &out}); err != nil || out.String() != want {
		t.Errorf("list --json: got %q, %v, want %q", out.String(), err, want)
	}
	if err := runWatchRemove("40001-40008, -40004", o); Status(err) != 1 {
		t.Errorf("remove with another exclusion: got %v, want status 1", err)
	}
	if err := runWatchRemove("5353/udp", o); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(settings.Path()); err != nil || string(text) != before {
		t.Errorf("after remove: got %q, %v, want %q", text, err, before)
	}
	if err := runWatchRemove("40001-40008", o); err != nil {
		t.Errorf("remove without naming the exclusion: %v", err)
	}
	if err := runWatchAdd([]string{"5353/udp", "80"}, watchOptions{Options: o}); Status(err) != 2 {
		t.Errorf("add TCP and UDP ports: got %v, want a UsageError", err)
	}
}

func TestWatchAddOfCoveredPort(t *testing.T) {
	const before = "watches:\n  - ports: 3000-3010, -3007\n"
	setSettings(t, before)
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	if err := runWatchAdd([]string{"3005"}, watchOptions{Options: o}); err != nil || out.String() != "3005 is covered already by the watch \"3000-3010, -3007\".\n" {
		t.Errorf("covered port: got %q, %v", out.String(), err)
	}
	if text, err := os.ReadFile(settings.Path()); err != nil || string(text) != before {
		t.Errorf("covered port: the settings are %q, %v, want %q", text, err, before)
	}
	for _, test := range []struct {
		ports string
		o     watchOptions
	}{
		{"3005", watchOptions{Options: o, Name: "shop"}}, {"3005", watchOptions{Options: o, Match: "vite"}},
		{"3007", watchOptions{Options: o}}, {"3009-3011", watchOptions{Options: o}}, {"3005/udp", watchOptions{Options: o}},
	} {
		setSettings(t, before)
		out.Reset()
		if err := runWatchAdd([]string{test.ports}, test.o); err != nil || !strings.HasPrefix(out.String(), "Watching "+test.ports) {
			t.Errorf("add %s, name %q, match %q: got %q, %v, want a new watch", test.ports, test.o.Name, test.o.Match, out.String(), err)
		}
	}
}

// The help of "watch add" has two examples of an exclusion: both must work.
func TestWatchAddWithExclusion(t *testing.T) {
	for _, args := range [][]string{{"add", "40001-40008,-40003"}, {"add", "--", "40001-40008", "-40003"}} {
		setSettings(t, "watches: []\n")
		c := newWatch()
		c.SetArgs(args)
		if err := c.Execute(); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		s, err := settings.Open(settings.Path()).Load()
		if err != nil || len(s.Watches) != 1 || s.Watches[0].PortsText() != "40001-40008, -40003" {
			t.Errorf("%q: got %+v, %v, want one watch with an exclusion", args, s, err)
		}
	}
}
