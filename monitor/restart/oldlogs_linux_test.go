package restart

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Logs that nothing has written to for a month are removed, but not that of a server that still
// runs and says nothing.
func TestOldLogsAreRemoved(t *testing.T) {
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	recipe := &Recipe{Command: []string{"sleep", "60"}, Folder: folder, program: sleep}
	start := func(log string) (end func()) {
		t.Helper()
		ended := make(chan struct{})
		pid, err := recipe.Start(log, func(error) { close(ended) })
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		end = func() { _ = p.Kill(); <-ended }
		t.Cleanup(end)
		return end
	}
	old := time.Now().Add(-keepLogs - time.Hour)
	start(path("quiet.log"))
	start(path("ended.log"))()
	for _, name := range []string{"old.log", "new.log", "old.txt"} {
		if err := os.WriteFile(path(name), []byte("text\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"quiet.log", "ended.log", "old.log", "old.txt"} {
		if err := os.Chtimes(path(name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	start(path("next.log"))
	if err := RemoveOldLogs(path("next.log")); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]bool{"quiet.log": true, "ended.log": false, "old.log": false, "new.log": true, "old.txt": true, "next.log": true} {
		if _, err := os.Stat(path(name)); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", name, err == nil, want)
		}
	}
}
