//go:build unix && !darwin

package autostart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// own is an entry of a program that exists, in a folder of the test's own.
func own(t *testing.T, name string) Entry {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return Entry{location: filepath.Join(t.TempDir(), "autostart", "porthole.desktop"), program: program}
}

func (e Entry) want(t *testing.T, when string, want bool) {
	t.Helper()
	if got, err := e.Enabled(); got != want || err != nil {
		t.Errorf("%s: enabled %v, %v; want %v", when, got, err, want)
	}
}

func TestTheEntryIsMadeAndRemoved(t *testing.T) {
	for _, name := range []string{"porthole", "a b", `q"u$o` + "`" + `t\e`, "100%"} {
		e := own(t, name)
		e.want(t, "at first", false)
		if err := e.Set(true); err != nil {
			t.Fatal(err)
		}
		e.want(t, name, true)
		b, err := os.ReadFile(e.location)
		if err != nil || !strings.Contains(string(b), " --hidden\n") {
			t.Errorf("the file is %q, %v; want it to start hidden", b, err)
		}
		for range 2 { // the second finds nothing, which is well
			if err := e.Set(false); err != nil {
				t.Error(err)
			}
		}
		e.want(t, "removed", false)
	}
}

func TestExecIsQuotedAsTheSpecificationSays(t *testing.T) {
	if got, want := quote(`/opt/a "b" $c\d 5%`), `"/opt/a \\"b\\" \\$c\\\\d 5%%"`; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if got := unquote("/usr/bin/porthole --hidden"); got != "/usr/bin/porthole" {
		t.Errorf("without quotes: %s", got)
	}
}

func TestWhatOthersDidToTheEntryIsTheTruth(t *testing.T) {
	e := own(t, "porthole")
	if err := e.Set(true); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(e.program))
	for _, line := range []string{"Hidden=true", "X-GNOME-Autostart-enabled=false", "Hidden = true", "Exec=/nowhere/porthole", "Exec=other"} {
		if err := os.WriteFile(e.location, []byte(content(e.program)+line+"\n[Other]\nHidden=false\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e.want(t, line, false)
	}
	for _, line := range []string{"X-GNOME-Autostart-enabled=true", "Exec=porthole"} {
		if err := os.WriteFile(e.location, []byte(content(e.program)+line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e.want(t, line, true)
	}
}

func TestTheEntryFollowsAProgramThatMoved(t *testing.T) {
	old, e := own(t, "old"), own(t, "new")
	if moved, err := e.Repair(); moved || err != nil {
		t.Errorf("without an entry: %v, %v; want nothing done", moved, err)
	}
	old.location = e.location
	if err := old.Set(true); err != nil {
		t.Fatal(err)
	}
	if moved, err := e.Repair(); moved || err != nil {
		t.Errorf("the other is still there: %v, %v; want nothing done", moved, err)
	}
	if err := os.Remove(old.program); err != nil {
		t.Fatal(err)
	}
	e.want(t, "the other has gone", false)
	if moved, err := e.Repair(); !moved || err != nil {
		t.Errorf("the other has gone: %v, %v; want it followed", moved, err)
	}
	if program, _, err := e.read(); program != e.program || err != nil {
		t.Errorf("it starts %s, %v; want %s", program, err, e.program)
	}
}
