package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/app/agent"
	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/internal/await"
	"porthole/internal/testhome"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"agent":   func() { playAgent(false) },
		"deaf":    func() { playAgent(true) },
		"signals": playSignals,
		"command": func() { os.Exit(Main(os.Args[1:])) },
		"engine":  playEngine,
	}))
}

// playAgent runs an agent without bus and display, or a process in its place that
// answers nothing and ignores SIGTERM.
func playAgent(deaf bool) {
	ctx, stop := signalContext()
	defer stop()
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		child.Fail(err)
	}
	unlock, locked, err := dir.Lock()
	if err != nil || !locked {
		child.Fail(fmt.Errorf("locked %t, %w", locked, err))
	}
	if deaf {
		signal.Ignore(syscall.SIGTERM)
		if _, err := net.Listen("unix", filepath.Join(dir.String(), "agent.sock")); err != nil {
			child.Fail(err)
		}
		child.Report("ready")
		select {}
	}
	child.Report("ready")
	if _, err := agent.Run(ctx, agent.Options{RuntimeDir: dir, Session: desktop.Session{}, Hidden: true, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		child.Fail(err)
	}
	_ = unlock()
}

// playEngine listens on the Unix socket in its argument and never answers. It creates a
// file with the suffix ".connected" on each connection.
func playEngine() {
	path := os.Args[1]
	ln, err := net.Listen("unix", path)
	if err != nil {
		child.Fail(err)
	}
	child.Report("ready")
	go func() { child.Wait(); os.Exit(0) }()
	for {
		if _, err := ln.Accept(); err != nil {
			return
		}
		_ = os.WriteFile(path+".connected", nil, 0o600)
	}
}

// playSignals hangs while it ends.
func playSignals() {
	ctx, stop := signalContext()
	defer stop()
	child.Report("ready")
	<-ctx.Done()
	time.Sleep(100 * time.Millisecond) // AfterFunc runs on its own goroutine
	child.Report("ending")
	select {}
}

// startAgent starts a child in its own home folder, and waits until it is
// ready.
func startAgent(t *testing.T, role string) (agent child.Child, ended chan struct{}, home string) {
	t.Helper()
	home = testhome.New(t)
	c := child.Command(role)
	agent = child.StartVictim(t, c)
	agent.Line(t)
	ended = make(chan struct{})
	go func() {
		_, _ = agent.Out.ReadString('\n') // until it has exited
		close(ended)
	}()
	return agent, ended, home
}

func wantEnded(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the agent is still running")
	}
}

// waitAnswers waits until the agent answers.
func waitAnswers(t *testing.T, dir ipc.RuntimeDir) {
	t.Helper()
	var err error
	await.Until(t, "the agent answers", func() bool {
		_, err = ipc.Request(dir, ipc.Message{Kind: ipc.Lookup})
		return err == nil
	}, func() any { return err })
}

func openDir(t *testing.T) ipc.RuntimeDir {
	t.Helper()
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestQuitWaitsForTheExit(t *testing.T) {
	_, ended, home := startAgent(t, "agent")
	waitAnswers(t, openDir(t))
	// A shell of "su" or cron has no XDG_RUNTIME_DIR.
	t.Setenv("XDG_RUNTIME_DIR", "")
	dir := openDir(t)
	if want := filepath.Join(home, "porthole"); dir.String() != want {
		t.Fatalf("without XDG_RUNTIME_DIR: got %s, want the agent's %s", dir, want)
	}
	var out strings.Builder
	if err := quit(t.Context(), dir, exitTimeout, &out); err != nil || out.Len() > 0 {
		t.Errorf("quit() = %v, printed %q, want nil and no output", err, out.String())
	}
	select {
	case <-ended:
	case <-time.After(time.Second):
		t.Error("quit returned before the agent had exited")
	}
	if err := quit(t.Context(), dir, exitTimeout, &out); !errors.Is(err, ipc.ErrNotRunning) {
		t.Errorf("second quit() = %v, want %v", err, ipc.ErrNotRunning)
	}
}

func TestQuitEndsASuspendedAgent(t *testing.T) {
	agent, ended, _ := startAgent(t, "agent")
	dir := openDir(t)
	waitAnswers(t, dir)
	child.Suspend(t, agent.PID)
	var out strings.Builder
	err := quit(t.Context(), dir, exitTimeout, &out)
	want := fmt.Sprintf("Porthole (process %d) does not respond.\nEnded process %d with SIGTERM.\n", agent.PID, agent.PID)
	if err != nil || out.String() != want {
		t.Errorf("quit() = %v, printed %q, want %q", err, out.String(), want)
	}
	wantEnded(t, ended)
}

func TestQuitKillsAnAgentThatIgnoresSIGTERM(t *testing.T) {
	agent, ended, _ := startAgent(t, "deaf")
	var out strings.Builder
	err := quit(t.Context(), openDir(t), 300*time.Millisecond, &out)
	want := fmt.Sprintf("Porthole (process %d) does not respond.\nEnded process %d with SIGKILL.\n", agent.PID, agent.PID)
	if err != nil || out.String() != want {
		t.Errorf("quit() = %v, printed %q, want %q", err, out.String(), want)
	}
	wantEnded(t, ended)
}

// The PID in the description of the agent was reused by another process.
func TestQuitNeverEndsAnotherProcess(t *testing.T) {
	agent, ended, home := startAgent(t, "deaf")
	other := child.StartVictim(t, child.Command("signals"))
	other.Line(t)
	info := filepath.Join(home, "porthole", "agent.json")
	b, err := os.ReadFile(info)
	if err != nil {
		t.Fatal(err)
	}
	var description map[string]any
	if err := json.Unmarshal(b, &description); err != nil {
		t.Fatal(err)
	}
	description["pid"] = other.PID
	if b, err = json.Marshal(description); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(info, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := quit(t.Context(), openDir(t), 300*time.Millisecond, &out); err == nil || !strings.Contains(err.Error(), "now belongs to another process") {
		t.Errorf("quit() = %v, printed %q, want a refusal", err, out.String())
	}
	for _, pid := range []int{agent.PID, other.PID} {
		if _, err := process.Identity(pid); err != nil {
			t.Errorf("process %d: %v, want it running", pid, err)
		}
	}
	// Without a description, the kernel knows the process of the socket.
	if err := os.Remove(info); err != nil {
		t.Fatal(err)
	}
	if err := quit(t.Context(), openDir(t), 300*time.Millisecond, &out); err != nil {
		t.Errorf("quit() without a description = %v", err)
	}
	wantEnded(t, ended)
}

func TestSecondSignalKills(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		c := child.Command("signals")
		p := child.StartVictim(t, c)
		p.Line(t)
		for _, report := range []string{"\"ending\"", ""} {
			if err := syscall.Kill(p.PID, s); err != nil {
				t.Fatal(err)
			}
			if report != "" {
				if got := p.Line(t); got != report {
					t.Errorf("%v: got %s, want %s", s, got, report)
				}
			}
		}
		state, err := c.Process.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if status, ok := state.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != s {
			t.Errorf("the second %v: got %v, want that it kills", s, state)
		}
	}
}
