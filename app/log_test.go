package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogFileIsPrivateAndBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "porthole.log")
	var stderr bytes.Buffer
	log, closeLog := openLog(path, &stderr)
	defer closeLog()
	log.Warn("once")
	if !strings.Contains(stderr.String(), "once") {
		t.Errorf("stderr = %q, want the warning", stderr.String())
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
			continue // an old file that is being removed
		}
		size += info.Size()
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s = %v, want 0600", e.Name(), info.Mode())
		}
	}
	if size == 0 || size > 5<<20 { // old files are removed shortly after rotation
		t.Errorf("kept %d bytes of 6 MB, want more than 0 and at most 5 MB", size)
	}
}

func TestUnwritableLogFileIsReported(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"the folder is a file": filepath.Join(file, "porthole.log"),
		"the name is too long": filepath.Join(dir, strings.Repeat("x", 300)), // file systems allow 255 bytes
	} {
		var stderr bytes.Buffer
		log, closeLog := openLog(path, &stderr)
		log.Warn("important")
		closeLog()
		if got := stderr.String(); !strings.Contains(got, "the log file cannot be written") || !strings.Contains(got, "important") {
			t.Errorf("%s: stderr = %q, want the reason and the warning", name, got)
		}
	}
}
