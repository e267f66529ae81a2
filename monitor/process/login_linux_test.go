package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"porthole/internal/await"
)

// The file is that of systemd-logind 257 (logind-session.c, session_save).
const loginFile = `# This is private data. Do not parse.
UID=1000
USER=ada
ACTIVE=0
IS_DISPLAY=0
STATE=%s
REMOTE=1
LEADER_FD_SAVED=0
TYPE=tty
ORIGINAL_TYPE=tty
CLASS=user
SCOPE=session-3.scope
FIFO=/run/systemd/sessions/3.ref
REMOTE_HOST=192.0.2.7
SERVICE=sshd
LEADER=812
AUDIT=3
REALTIME=1764530000000000
MONOTONIC=5000000
`

func TestLoginEnded(t *testing.T) {
	dir := t.TempDir()
	for id, state := range map[string]string{"3": "closing", "4": "active", "c2": "closing", "5": "closing-not"} {
		if err := os.WriteFile(filepath.Join(dir, id), fmt.Appendf(nil, loginFile, state), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "6"), []byte(strings.Repeat("x", maxLogin)+"\nSTATE=closing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "7"), 0o600); err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]bool{
		"session-3.scope": true, "session-c2.scope": true, "session-4.scope": false, "session-5.scope": false, "session-6.scope": false, "session-7.scope": false,
		"session-9.scope": false, // unknown here
		"":                false, "3": false, "session-.scope": false, "session-../3.scope": false, "session-3.service": false, "vte-spawn-3.scope": false,
	} {
		if got := loginEnded(dir, unit); got != want {
			t.Errorf("%q: got %v, want %v", unit, got, want)
		}
	}
}

// script(1) gives the shell a pseudo terminal, which closes when script is killed.
func TestTerminalClosed(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("needs script (bsdutils)")
	}
	report := filepath.Join(t.TempDir(), "pid")
	c := exec.Command(script, "-q", "-c", `setsid sh -c 'echo $$ >"$REPORT.new"; mv "$REPORT.new" "$REPORT"; exec sleep 60' & wait`, os.DevNull)
	c.Env = append(os.Environ(), "REPORT="+report)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	await.Until(t, "the process has started", func() bool {
		b, err := os.ReadFile(report)
		if err == nil {
			_, err = fmt.Sscan(string(b), &pid)
		}
		return err == nil
	})
	defer syscall.Kill(pid, syscall.SIGKILL) // its own session
	if terminalClosed(pid) {
		t.Error("the terminal is open: got closed")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	await.Until(t, "the terminal has closed", func() bool { return terminalClosed(pid) })
	o, err := Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	if s := State(o); !s.TerminalClosed || s.Ended {
		t.Errorf("got %+v, want that its terminal has closed", s)
	}
	if terminalClosed(os.Getpid()) {
		t.Error("this test: got closed")
	}
}
