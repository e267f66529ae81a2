package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheLogIsPrivateAndStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "porthole.log")
	var stderr bytes.Buffer
	log, closeLog := openLog(path, &stderr)
	defer closeLog()
	log.Warn("once")
	if !strings.Contains(stderr.String(), "once") {
		t.Errorf("stderr says %q; want the warning", stderr.String())
	}
	line := strings.Repeat("x", 1000)
	for range 6000 { // 6 MB
		log.Info(line)
	}
	closeLog()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // an old one that goes meanwhile
		}
		size += info.Size()
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v; want 0600", e.Name(), info.Mode())
		}
	}
	if size == 0 || size > 5<<20 { // what is rotated goes a moment later
		t.Errorf("of 6 MB %d bytes are kept", size)
	}
}

func TestALogThatCannotBeWrittenIsSaid(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"a file is in the folder's place": filepath.Join(file, "porthole.log"),
		"the file cannot be made":         filepath.Join(dir, strings.Repeat("x", 300)), // no file system takes such a name
	} {
		var stderr bytes.Buffer
		log, closeLog := openLog(path, &stderr)
		log.Warn("what matters")
		closeLog()
		if got := stderr.String(); !strings.Contains(got, "no log is kept") || !strings.Contains(got, "what matters") {
			t.Errorf("%s: stderr says %q; want that no log is kept, and what matters", what, got)
		}
	}
}
