//go:build unix && !darwin

package autostart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newEntry returns an entry in a temporary folder for a program that exists.
func newEntry(t *testing.T, name string) Entry {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return Entry{location: filepath.Join(t.TempDir(), "autostart", "porthole.desktop"), program: program}
}

func (e Entry) wantEnabled(t *testing.T, when string, want bool) {
	t.Helper()
	if got, err := e.Enabled(); got != want || err != nil {
		t.Errorf("%s: Enabled() = %v, %v, want %v", when, got, err, want)
	}
}

func TestSetCreatesAndRemovesTheEntry(t *testing.T) {
	for _, name := range []string{"porthole", "a b", `q"u$o` + "`" + `t\e`, "100%"} {
		e := newEntry(t, name)
		e.wantEnabled(t, "before", false)
		if err := e.Set(true); err != nil {
			t.Fatal(err)
		}
		e.wantEnabled(t, name, true)
		b, err := os.ReadFile(e.location)
		if err != nil || !strings.Contains(string(b), " --hidden\n") {
			t.Errorf("the file is %q, %v; want one with --hidden", b, err)
		}
		for range 2 { // removing a missing entry is not an error
			if err := e.Set(false); err != nil {
				t.Error(err)
			}
		}
		e.wantEnabled(t, "removed", false)
	}
}

func TestQuoteFollowsTheSpecification(t *testing.T) {
	if got, want := quote(`/opt/a "b" $c\d 5%`), `"/opt/a \\"b\\" \\$c\\\\d 5%%"`; got != want {
		t.Errorf("quote() = %s, want %s", got, want)
	}
	if got, want := unquote("/usr/bin/porthole --hidden"), "/usr/bin/porthole"; got != want {
		t.Errorf("unquote() without quotes = %s, want %s", got, want)
	}
}

func TestEnabledRespectsChangesByOtherPrograms(t *testing.T) {
	e := newEntry(t, "porthole")
	if err := e.Set(true); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(e.program))
	for _, line := range []string{"Hidden=true", "X-GNOME-Autostart-enabled=false", "Hidden = true", "Exec=/nowhere/porthole", "Exec=other"} {
		if err := os.WriteFile(e.location, []byte(content(e.program)+line+"\n[Other]\nHidden=false\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e.wantEnabled(t, line, false)
	}
	for _, line := range []string{"X-GNOME-Autostart-enabled=true", "Exec=porthole"} {
		if err := os.WriteFile(e.location, []byte(content(e.program)+line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		e.wantEnabled(t, line, true)
	}
}

func TestRepairFollowsAMovedProgram(t *testing.T) {
	old, e := newEntry(t, "old"), newEntry(t, "new")
	if changed, err := e.Repair(); changed || err != nil {
		t.Errorf("without an entry: Repair() = %v, %v, want false", changed, err)
	}
	old.location = e.location
	if err := old.Set(true); err != nil {
		t.Fatal(err)
	}
	if changed, err := e.Repair(); changed || err != nil {
		t.Errorf("while the old program exists: Repair() = %v, %v, want false", changed, err)
	}
	if err := os.Remove(old.program); err != nil {
		t.Fatal(err)
	}
	e.wantEnabled(t, "after the old program was removed", false)
	if changed, err := e.Repair(); !changed || err != nil {
		t.Errorf("after the old program was removed: Repair() = %v, %v, want true", changed, err)
	}
	if program, _, err := e.read(); program != e.program || err != nil {
		t.Errorf("the entry starts %s, %v; want %s", program, err, e.program)
	}
}
