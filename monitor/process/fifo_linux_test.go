package process

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Opening a FIFO waits for a writer.
func TestFIFOInsteadOfManifest(t *testing.T) {
	top := folders(t, map[string]string{"sub/": ""})
	if err := unix.Mkfifo(filepath.Join(top, "sub", "package.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() { got <- Locate(filepath.Join(top, "sub")).Project }()
	select {
	case name := <-got:
		if name != "" {
			t.Errorf("Project = %q, want none", name)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Project blocks on a FIFO")
	}
}

// A FIFO that replaces a manifest after its type was checked.
func TestFIFOReplacesManifest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "package.json")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte, 1)
	go func() { got <- readStart(path) }()
	select {
	case b := <-got:
		if b != nil {
			t.Errorf("readStart = %q, want nothing", b)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("readStart blocks on a FIFO")
	}
}

func TestFIFOInsteadOfGit(t *testing.T) {
	top := folders(t, map[string]string{"a/": "", "b/.git/": ""})
	for _, name := range []string{"a/.git", "b/.git/HEAD"} {
		if err := unix.Mkfifo(filepath.Join(top, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan string, 1)
	go func() { got <- Locate(filepath.Join(top, "a")).Branch + Locate(filepath.Join(top, "b")).Branch }()
	select {
	case name := <-got:
		if name != "" {
			t.Errorf("Branch = %q, want none", name)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Branch blocks on a FIFO")
	}
}
