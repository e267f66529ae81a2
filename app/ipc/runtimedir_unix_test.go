//go:build unix

package ipc

import (
	"os"
	"path/filepath"
	"testing"
)

func TestThePlaceIsPrivate(t *testing.T) {
	base := shortTempDir(t)
	t.Setenv("XDG_RUNTIME_DIR", base)
	if err := os.Mkdir(filepath.Join(base, "porthole"), 0o755); err != nil {
		t.Fatal(err)
	}
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(place.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 0700", info.Mode(), err)
	}
	if _, err := place.listen(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(place.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v; want 0600", info.Mode(), err)
	}

	// A link that someone else could have put there is refused.
	other := shortTempDir(t)
	t.Setenv("XDG_RUNTIME_DIR", other)
	if err := os.Symlink(base, filepath.Join(other, "porthole")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRuntimeDir(); err == nil {
		t.Error("a link in the place's stead was taken")
	}
}

func TestASocketOfADeadAgentIsTakenOver(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place.socket(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := place.listen()
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	_ = l.Close()
}
