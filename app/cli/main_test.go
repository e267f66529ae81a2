package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/adrg/xdg"

	"porthole/monitor/process/child"
)

// A test program with this variable is a child of a test. "listen" listens on
// the address in the variable behind it, says the port and stays until its
// input ends, "stubborn" does the same and ignores SIGTERM, "family" has a child; "list" prints what List does for the
// ports in its arguments, "stop" what Stop does for the one.
const (
	roleVariable    = "PORTHOLE_TEST_ROLE"
	addressVariable = "PORTHOLE_TEST_ADDRESS"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(test(m))
	case "listen", "stubborn":
		if os.Getenv(roleVariable) == "stubborn" {
			signal.Ignore(syscall.SIGTERM)
		}
		ln, err := net.Listen(network(os.Getenv(addressVariable)), os.Getenv(addressVariable))
		if err != nil {
			fail(err)
		}
		fmt.Println(ln.Addr().(*net.TCPAddr).Port)
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	case "family": // it says the port and the child's pid, and ends when it is told to
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			fail(err)
		}
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			fail(err)
		}
		fmt.Println(ln.Addr().(*net.TCPAddr).Port, child.Process.Pid)
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	case "hold": // the socket that it inherits
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "stop":
		if err := Stop(context.Background(), os.Args[1], StopOptions{Options: Options{Stdout: os.Stdout, Stderr: os.Stderr}, Yes: true}); err != nil {
			fmt.Println(err)
		}
	case "list":
		if err := List(context.Background(), os.Args[1:], Options{JSON: true, Stdout: os.Stdout, Stderr: os.Stderr}); err != nil {
			fail(err)
		}
	}
}

// test runs the tests without the settings and the activity of whoever runs them.
func test(m *testing.M) int {
	folder, err := os.MkdirTemp("", "porthole-cli")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(folder)
	xdg.ConfigHome, xdg.StateHome = folder, folder
	return m.Run()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// command runs the test program in a role. Its path is one that a user who may
// not enter the folder of the program can use.
func command(role string, args ...string) *exec.Cmd {
	path := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		path = os.Args[0]
	}
	c := exec.Command(path, args...)
	c.Stderr = os.Stderr
	// The race detector would sleep for a second at the end of each child.
	c.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0", "XDG_CONFIG_HOME=/nonexistent", "XDG_STATE_HOME=/nonexistent")
	return c
}

// network is where Go takes 0.0.0.0 for what it says: elsewhere that is [::].
func network(address string) string {
	if strings.HasPrefix(address, "[") {
		return "tcp"
	}
	return "tcp4"
}

// server starts a child that listens on address until the test ends. ok is
// false where this machine has no such address.
func server(t *testing.T, address string, change func(*exec.Cmd)) (pid, port int, ok bool) {
	t.Helper()
	if ln, err := net.Listen(network(address), address); err != nil {
		t.Logf("without %s: %v", address, err)
		return 0, 0, false
	} else if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	c := command("listen")
	c.Env = append(c.Env, addressVariable+"="+address)
	if change != nil {
		change(c)
	}
	started := child.Start(t, c)
	line, err := started.Out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("server on %s said %q, %v", address, line, err)
	}
	if port, err = strconv.Atoi(string(bytes.TrimSpace(line))); err != nil {
		t.Fatal(err)
	}
	return c.Process.Pid, port, true
}

// listen opens a listener in this process and returns its port as an argument.
func listen(t testing.TB, address string) (net.Listener, string) {
	t.Helper()
	ln, err := net.Listen(network(address), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// listed runs List and reads its JSON as a script does.
func listed(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, problems bytes.Buffer
	if err := List(t.Context(), args, Options{JSON: true, Stdout: &out, Stderr: &problems}); err != nil || problems.Len() > 0 {
		t.Fatalf("List(%q): %v, stderr %q", args, err, problems.String())
	}
	return decode(t, out.Bytes())
}

func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%q is no JSON: %v", b, err)
	}
	return v
}

// setSettings gives the command a settings file for one test.
func setSettings(t *testing.T, text string) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "porthole", "settings.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := xdg.ConfigHome
	xdg.ConfigHome = folder
	t.Cleanup(func() { xdg.ConfigHome = before })
}
