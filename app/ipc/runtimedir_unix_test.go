//go:build unix

package ipc

import (
	"os"
	"path/filepath"
	"testing"

	"porthole/internal/testhome"
)

func TestRuntimeDirIsPrivate(t *testing.T) {
	base := testhome.Short(t)
	testhome.Use(t, base, testhome.Runtime)
	if err := os.Mkdir(filepath.Join(base, "porthole"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: got mode %v, error %v; want 0700", info.Mode(), err)
	}
	if _, err := dir.listen(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: got mode %v, error %v; want 0600", info.Mode(), err)
	}

	// A symbolic link may have been placed there by another user.
	other := testhome.Short(t)
	testhome.Use(t, other, testhome.Runtime)
	if err := os.Symlink(base, filepath.Join(other, "porthole")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRuntimeDir(); err == nil {
		t.Error("OpenRuntimeDir followed a symbolic link, want an error")
	}
}

func TestListenReplacesAStaleSocket(t *testing.T) {
	dir := openTestDir(t)
	if err := os.WriteFile(dir.socket(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := dir.listen()
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	_ = l.Close()
}
