package ipc

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"porthole/internal/testhome"
	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) {
	child.Main(m, map[string]func(){"start": func() {
		c, err := net.Dial("unix", os.Args[1])
		if err != nil {
			child.Fail(err)
		}
		if _, err := c.Write([]byte(`{"kind":"start","build":"other","program":"/bin/false"}` + "\n")); err != nil {
			child.Fail(err)
		}
		answer, err := newReader(c, maxFromAgent).next()
		if err != nil {
			child.Fail(err)
		}
		child.Report(answer.Problem)
	}})
}

// programAgent answers a start with the program that it would start.
type programAgent struct{ *fakeAgent }

func (programAgent) Command(m Message) Message { return Message{Kind: Done, Problem: m.Program} }

// The program of another build comes from the kernel, not from the message, and
// never from a container.
func TestProgramOfAStartIsThePeersExecutable(t *testing.T) {
	dir := openTestDir(t)
	server, err := Listen(dir, programAgent{}, nil, discardLog())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { server.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	answer := func(c *exec.Cmd) string {
		t.Helper()
		var program string
		if err := child.Start(t, c).ReadReport(&program); err != nil {
			t.Fatal(err)
		}
		return program
	}

	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := answer(child.Command("start", dir.socket())); got != own {
		t.Errorf("got program %q, want %q", got, own)
	}

	copied := child.Copy(t, "other build")
	other := child.Command("start", dir.socket())
	other.Path = copied
	if got := answer(other); got != copied {
		t.Errorf("another build: got program %q, want %q", got, copied)
	}

	if os.Getuid() != 0 {
		t.Skip("only root can create a mount namespace")
	}
	confined := child.Command("start", dir.socket())
	confined.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := confined.Start(); err != nil && strings.Contains(err.Error(), "not permitted") {
		t.Skip("mount namespaces are not allowed here")
	} else if err == nil {
		_ = confined.Process.Kill()
		_ = confined.Wait()
	}
	confined = child.Command("start", dir.socket())
	confined.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if got := answer(confined); got != "" {
		t.Errorf("peer in another mount namespace: got program %q, want none", got)
	}
}

// Programs of a shell without the variables of the session find the agent by its
// lock.
func TestOpenRuntimeDirFindsTheRunningAgent(t *testing.T) {
	dir := openTestDir(t)
	unlock, ok, err := dir.Lock()
	if err != nil || !ok {
		t.Fatalf("Lock: got %t, error %v", ok, err)
	}
	testhome.Use(t, testhome.Short(t), testhome.Runtime)
	if found, err := OpenRuntimeDir(); err != nil || found != dir {
		t.Errorf("with a running agent: got %v, %v, want %v", found, err, dir)
	}
	if agent, err := dir.Agent(); err != nil || agent.PID != os.Getpid() {
		t.Errorf("Agent() = %+v, %v, want this process", agent, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if found, err := OpenRuntimeDir(); err != nil || found == dir {
		t.Errorf("without an agent: got %v, %v, want the directory of the environment", found, err)
	}
	if _, err := dir.Agent(); err != ErrNotRunning {
		t.Errorf("Agent() without an agent: got error %v, want %v", err, ErrNotRunning)
	}
}

// Without a writable state folder, for example with a read-only home, the lock is
// in the runtime directory.
func TestLockWithoutAStateFolder(t *testing.T) {
	dir := openTestDir(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testhome.Use(t, file, testhome.State)
	unlock, ok, err := dir.Lock()
	if err != nil || !ok {
		t.Fatalf("Lock: got %t, error %v; want true", ok, err)
	}
	if _, ok, err := dir.Lock(); ok || err != nil {
		t.Errorf("second Lock: got %t, error %v; want false", ok, err)
	}
	if agent, err := dir.Agent(); err != nil || agent.PID != os.Getpid() {
		t.Errorf("Agent() = %+v, %v, want this process", agent, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}
