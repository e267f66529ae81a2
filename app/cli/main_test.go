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

// The test program runs as a child of a test if roleVariable is set:
//
//	listen    listens on the address in addressVariable, prints the port and
//	          stays until its input ends
//	stubborn  like listen, and ignores SIGTERM
//	family    like listen on 127.0.0.1, and starts a child, whose PID it prints
//	          after the port
//	hold      prints a line and stays until its input ends; holds inherited sockets
//	list      prints the JSON of runList for the ports in its arguments
//	stop      prints the error of runStop for the port in its argument
const (
	roleVariable    = "PORTHOLE_TEST_ROLE"
	addressVariable = "PORTHOLE_TEST_ADDRESS"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(runTests(m))
	case "listen", "stubborn":
		if os.Getenv(roleVariable) == "stubborn" {
			signal.Ignore(syscall.SIGTERM)
		}
		ln, err := net.Listen(network(os.Getenv(addressVariable)), os.Getenv(addressVariable))
		if err != nil {
			exitWith(err)
		}
		fmt.Println(ln.Addr().(*net.TCPAddr).Port)
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	case "family":
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			exitWith(err)
		}
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			exitWith(err)
		}
		fmt.Println(ln.Addr().(*net.TCPAddr).Port, child.Process.Pid)
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	case "hold":
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "stop":
		if err := runStop(context.Background(), os.Args[1], stopOptions{Options: standardOptions(), Yes: true}); err != nil {
			fmt.Println(err)
		}
	case "list":
		o := standardOptions()
		o.JSON = true
		if err := runList(context.Background(), os.Args[1:], o); err != nil {
			exitWith(err)
		}
	}
}

// runTests runs the tests with empty settings and an empty history.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "porthole-cli")
	if err != nil {
		exitWith(err)
	}
	defer os.RemoveAll(folder)
	xdg.ConfigHome, xdg.StateHome = folder, folder
	return m.Run()
}

func exitWith(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// command returns a command that runs the test program in a role. On Linux it
// uses a path that works for users who cannot access the program's folder.
func command(role string, args ...string) *exec.Cmd {
	path := "/proc/self/exe"
	if runtime.GOOS != "linux" {
		path = os.Args[0]
	}
	c := exec.Command(path, args...)
	c.Stderr = os.Stderr
	// Without GORACE the race detector sleeps for a second when a child exits.
	c.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0", "XDG_CONFIG_HOME=/nonexistent", "XDG_STATE_HOME=/nonexistent")
	return c
}

// network returns tcp4 for IPv4 addresses: with tcp, Go takes 0.0.0.0 for [::].
func network(address string) string {
	if strings.HasPrefix(address, "[") {
		return "tcp"
	}
	return "tcp4"
}

// server starts a child that listens on address until the test ends. change may
// change the command before it starts. ok is false if this machine does not have
// the address.
func server(t *testing.T, address string, change func(*exec.Cmd)) (pid, port int, ok bool) {
	t.Helper()
	if ln, err := net.Listen(network(address), address); err != nil {
		t.Logf("cannot listen on %s: %v", address, err)
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
		t.Fatalf("the server on %s printed %q, %v", address, line, err)
	}
	if port, err = strconv.Atoi(string(bytes.TrimSpace(line))); err != nil {
		t.Fatal(err)
	}
	return c.Process.Pid, port, true
}

// listen opens a listener in this process until the test ends and returns its
// port.
func listen(t testing.TB, address string) (net.Listener, string) {
	t.Helper()
	ln, err := net.Listen(network(address), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// freePort returns a port that was just closed.
func freePort(t *testing.T) string {
	t.Helper()
	ln, port := listen(t, "127.0.0.1:0")
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

// listJSON returns the JSON object that runList prints.
func listJSON(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, stderr bytes.Buffer
	if err := runList(t.Context(), args, Options{JSON: true, Stdout: &out, Stderr: &stderr}); err != nil || stderr.Len() > 0 {
		t.Fatalf("runList(%q) = %v, stderr %q, want neither", args, err, stderr.String())
	}
	return decode(t, out.Bytes())
}

func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%q is not a JSON object: %v", b, err)
	}
	return v
}

// setSettings replaces the settings file until the test ends.
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
