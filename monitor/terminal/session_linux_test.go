package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/process"
)

// owner returns the process with that PID and its parents.
func owner(t *testing.T, pid int) monitor.Owner {
	t.Helper()
	o, err := process.Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	o.Parents = process.Parents(o)
	return o
}

// pidIn waits until a file contains a PID.
func pidIn(t *testing.T, path string) (pid int) {
	t.Helper()
	await.Until(t, "the process has written its PID", func() bool {
		text, _ := os.ReadFile(path)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0
	})
	return pid
}

// A process in a real tmux has the name of the session of its pane, also after a rename, and
// none after the server has ended.
func TestSessionOfTmux(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("needs tmux")
	}
	folder, err := os.MkdirTemp("", "tmux") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "s")
	tmux := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", os.DevNull}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("tmux %s: %v: %s", args[0], err, out)
		}
	}
	file := filepath.Join(folder, "pid")
	tmux("new-session", "-d", "-s", "other", "sleep 600")
	tmux("new-session", "-d", "-s", "web \x1b[31mshop", fmt.Sprintf("sh -c 'echo $$ > %s; sleep 600 & wait'", file))
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() })
	o := owner(t, pidIn(t, file))
	if !InMultiplexer(o) {
		t.Fatalf("tmux is not among the parents %+v", o.Parents)
	}
	if got := Session(t.Context(), o); got != "web [31mshop" && got != `web \033[31mshop` {
		t.Errorf("got %q", got)
	}
	known.servers = map[server]panesAt{}
	tmux("rename-session", "-t", "other", "third")
	tmux("list-sessions")
	if got := Session(t.Context(), o); !strings.HasPrefix(got, "web") {
		t.Errorf("after another was renamed: got %q", got)
	}
	if s := owner(t, os.Getpid()); InMultiplexer(s) && os.Getenv("TMUX") == "" && os.Getenv("STY") == "" {
		t.Error("this test runs in a multiplexer")
	}
}

// Two processes of one server ask it once.
func TestPanesAreAskedOnce(t *testing.T) {
	folder := t.TempDir()
	count := filepath.Join(folder, "count")
	script := fmt.Sprintf("#!/bin/sh\necho >> %s\necho '/dev/pts/3 $0 @1 %%2 web'\n", count)
	if err := os.WriteFile(filepath.Join(folder, "tmux"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	c := &paneCache{servers: map[server]panesAt{}}
	for range 3 {
		if panes := c.panes(t.Context(), server{"/x"}); len(panes) != 1 || panes[0].name != "web" {
			t.Errorf("got %+v", panes)
		}
	}
	if text, _ := os.ReadFile(count); len(text) != 1 {
		t.Errorf("tmux ran %d times, want once", len(text))
	}
}

// A process in a real screen has the name of its session.
func TestSessionOfScreen(t *testing.T) {
	if _, err := exec.LookPath("screen"); err != nil {
		t.Skip("needs screen")
	}
	folder, err := os.MkdirTemp("", "screen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, "pid")
	c := exec.Command("screen", "-D", "-m", "-S", "shop", "sh", "-c", fmt.Sprintf("echo $$ > %s; sleep 600 & wait", file))
	c.Env = append(os.Environ(), "SCREENDIR="+folder)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() })
	if got := Session(t.Context(), owner(t, pidIn(t, file))); got != "shop" {
		t.Errorf("got %q, want shop", got)
	}
}
