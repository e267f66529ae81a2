package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/monitor/watch"
)

// Hooks and their children end with the agent, and no connection stays open.
func TestHooksEndWithTheAgent(t *testing.T) {
	started := filepath.Join(t.TempDir(), "pid")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHooks(func(_ watch.Rule, err error) { t.Errorf("got result %v after the end", err) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { h.run(ctx); close(ended) }()
	h.add([]watch.Alert{hookAlert([]string{script(t, `sleep 600 & echo $! >"$1"; wait`), started}, ""), hookAlert([]string{"x"}, "")})
	b, err := os.ReadFile(started) // blocks until the hook writes
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	for end := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(stat), ") Z ") {
			break // killed, and not reaped yet by the first process
		}
		if time.Now().After(end) {
			t.Fatalf("the child %d of a hook runs on", pid)
		}
	}
}
