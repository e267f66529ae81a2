//go:build unix && !darwin

package desktop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenGivesTheTargetAsOneArgument(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	opener := "#!/bin/sh\nfor a in \"$@\"; do echo \"<$a>\"; done >" + said + "\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(opener), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	target := "/tmp/a folder; touch $(x) `y`"
	if err := Open(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(said); err != nil || string(b) != "<"+target+">\n" {
		t.Errorf("the opener got %q, %v; want %q", b, err, target)
	}
	if err := Open(t.Context(), "--help"); err == nil {
		t.Error("an option was opened")
	}
}

func TestOpenSaysWhatWentWrong(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if err := Open(t.Context(), "http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "xdg-open") {
		t.Errorf("without an opener: %v; want an error that names it", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\nexit 4\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Open(t.Context(), "http://127.0.0.1:1"); err == nil {
		t.Error("an opener that fails is no error")
	}
}
