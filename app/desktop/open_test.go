//go:build unix && !darwin

package desktop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeScript writes an executable shell script to dir.
func writeScript(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// recordArgs is the body of a script that writes its arguments to file.
func recordArgs(file string) string { return `for a in "$@"; do echo "<$a>"; done >` + file }

func TestOpenPassesTheTargetAsOneArgument(t *testing.T) {
	dir := t.TempDir()
	args := filepath.Join(dir, "args")
	writeScript(t, dir, "xdg-open", recordArgs(args))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	target := "/tmp/a folder; touch $(x) `y`"
	if err := Open(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(args); err != nil || string(b) != "<"+target+">\n" {
		t.Errorf("xdg-open got %q, error %v; want %q", b, err, target)
	}
	if err := Open(t.Context(), "--help"); err == nil {
		t.Error("Open(--help): got no error")
	}
}

func TestOpenReportsErrors(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if err := Open(t.Context(), "http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "xdg-open") {
		t.Errorf("xdg-open is missing: got error %v, want one that names it", err)
	}
	writeScript(t, dir, "xdg-open", "exit 4")
	if err := Open(t.Context(), "http://127.0.0.1:1"); err == nil {
		t.Error("xdg-open fails: got no error")
	}
}
