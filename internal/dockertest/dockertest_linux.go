// Package dockertest runs a Docker engine for one test: in its own namespaces and
// with its own data, so that it neither sees nor touches the machine's engine, and
// nothing of it outlives the test. Only tests import it.
package dockertest

import (
	"golang.org/x/sys/unix"

	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/namespaces"
)

// Isolated reports whether the test may go on: it runs in its own network, mount
// and PID namespaces, as root, with an empty /run. The first call runs the test
// again in such namespaces, passes on the result and returns false.
func Isolated(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to create namespaces")
	}
	// The shell has PID 1 and reaps the processes that the engine leaves.
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS|unix.CLONE_NEWPID, "sh", "-c", `"$0" "$@"; exit $?`) {
		return false
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		t.Skipf("mount /run: %v", err)
	}
	if out, err := exec.Command("ip", "address", "add", "10.7.0.1/8", "dev", "lo").CombinedOutput(); err != nil {
		t.Skipf("needs ip: %v\n%s", err, out)
	}
	return true
}

// Engine is a running Docker engine at its usual socket, /run/docker.sock.
type Engine struct {
	PID int
	t   *testing.T
}

// Start starts an engine, with or without docker-proxy for published ports, and
// imports the image "serve", whose program /serve listens on the address in its
// argument and answers each connection with its second argument. It skips the test
// if Docker is not installed or cannot run here.
func Start(t *testing.T, userlandProxy bool) *Engine {
	t.Helper()
	for _, program := range []string{"dockerd", "docker"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs Docker: %v", err)
		}
	}
	dir, err := os.MkdirTemp("", "dockertest") // t.TempDir is removed before the engine has ended
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config, err := json.Marshal(map[string]any{
		"data-root": filepath.Join(dir, "data"), "storage-driver": "vfs", "log-driver": "none", "userland-proxy": userlandProxy,
	})
	if err != nil {
		t.Fatal(err)
	}
	configFile, logFile := filepath.Join(dir, "daemon.json"), filepath.Join(dir, "log")
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(logFile)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command("dockerd", "--config-file", configFile)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Skipf("dockerd does not start: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	e := &Engine{PID: c.Process.Pid, t: t}
	t.Cleanup(func() {
		if ids := strings.Fields(e.try("ps", "-aq")); len(ids) > 0 { // removes their control groups
			e.try(append([]string{"rm", "-f"}, ids...)...)
		}
		_ = c.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(15 * time.Second):
			_ = c.Process.Kill()
			<-ended
		}
	})
	for deadline := time.Now().Add(30 * time.Second); e.try("info", "--format", "{{.ID}}") == ""; time.Sleep(100 * time.Millisecond) {
		text, _ := os.ReadFile(logFile) // only for the message
		select {
		case <-ended:
			t.Skipf("dockerd does not run here:\n%s", text[max(0, len(text)-2000):])
		default:
		}
		if time.Now().After(deadline) {
			t.Skipf("dockerd is not ready within 30 s:\n%s", text[max(0, len(text)-2000):])
		}
	}
	e.importImage(dir)
	return e
}

// server is the program of the image.
const server = `package main

import (
	"net"
	"os"
)

func main() {
	ln, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte(os.Args[2] + "\n"))
		_ = c.Close()
	}
}
`

// importImage builds the program and imports it as the image "serve".
func (e *Engine) importImage(dir string) {
	e.t.Helper()
	source := filepath.Join(dir, "serve.go")
	if err := os.WriteFile(source, []byte(server), 0o600); err != nil {
		e.t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "serve"), source)
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		e.t.Skipf("cannot build the program of the image: %v\n%s", err, out)
	}
	archive := filepath.Join(dir, "image.tar")
	if out, err := exec.Command("tar", "-cf", archive, "-C", dir, "serve").CombinedOutput(); err != nil {
		e.t.Skipf("cannot archive the image: %v\n%s", err, out)
	}
	e.Docker("import", archive, "serve")
}

// Docker runs the docker command and returns its trimmed output.
func (e *Engine) Docker(args ...string) string {
	e.t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// try is Docker without a failure: "" if the command fails.
func (e *Engine) try(args ...string) string {
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Run starts a container that answers with its name on port 80, published
// according to publish ("127.0.0.1:8080:80"), and returns its ID.
func (e *Engine) Run(name, publish string, flags ...string) string {
	e.t.Helper()
	args := append([]string{"run", "-d", "--name", name, "-p", publish}, flags...)
	return e.Docker(append(args, "serve", "/serve", "0.0.0.0:80", name)...)
}

// Running returns the names of the running containers, separated by spaces, oldest
// first.
func (e *Engine) Running() string {
	names := strings.Fields(e.Docker("ps", "--format", "{{.Names}}"))
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return strings.Join(names, " ")
}
