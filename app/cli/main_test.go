package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/adrg/xdg"

	"porthole/monitor/process/child"
)

// addressVariable is the address of the roles "listen" and "stubborn".
const addressVariable = "PORTHOLE_TEST_ADDRESS"

// roles are the children of the tests:
//
//	listen    listens on the address in addressVariable, prints the port and
//	          stays until its input ends
//	stubborn  like listen, and ignores SIGTERM
//	drain     like listen; on SIGTERM it closes the port and stays
//	family    like listen on 127.0.0.1, and starts a child, whose PID it prints
//	          after the port
//	hold      prints a line and stays until its input ends; holds inherited sockets
//	list      prints the JSON of runList for the ports in its arguments
//	stop      prints the error of runStop for the port in its argument
var roles = map[string]func(){
	"listen":   playListen,
	"stubborn": func() { signal.Ignore(syscall.SIGTERM); playListen() },
	"drain":    playDrain,
	"family":   playFamily,
	"hold":     func() { fmt.Println("ready"); child.Wait() },
	"list":     playList,
	"stop":     playStop,
}

func TestMain(m *testing.M) {
	child.Play(roles)
	os.Exit(runTests(m))
}

func playListen() {
	ln, err := net.Listen(network(os.Getenv(addressVariable)), os.Getenv(addressVariable))
	if err != nil {
		child.Fail(err)
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	child.Wait()
	_ = ln.Close()
}

func playDrain() {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		_ = ln.Close()
	}()
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	child.Wait()
}

func playFamily() {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		child.Fail(err)
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port, c.Process.Pid)
	child.Wait()
	_ = ln.Close()
}

func playList() {
	o := standardOptions()
	o.JSON = true
	if err := runList(context.Background(), os.Args[1:], o); err != nil {
		child.Fail(err)
	}
}

func playStop() {
	if err := runStop(context.Background(), os.Args[1], stopOptions{Options: standardOptions(), Yes: true}); err != nil {
		fmt.Println(err)
	}
}

// runTests runs the tests with empty settings and an empty history.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "porthole-cli")
	if err != nil {
		child.Fail(err)
	}
	defer os.RemoveAll(folder)
	xdg.ConfigHome, xdg.StateHome = folder, folder
	return m.Run()
}

// command returns a command that runs the test program in a role, without settings and
// history.
func command(role string, args ...string) *exec.Cmd {
	c := child.Command(role, args...)
	c.Env = append(c.Env, "XDG_CONFIG_HOME=/nonexistent", "XDG_STATE_HOME=/nonexistent")
	return c
}

// network returns tcp4 for IPv4 addresses: with tcp, Go listens on [::] if the address
// is 0.0.0.0.
func network(address string) string {
	if strings.HasPrefix(address, "[") {
		return "tcp"
	}
	return "tcp4"
}

// server starts a child that listens on address until the test ends. change, if
// not nil, modifies the command before it starts. ok is false if this machine
// does not have the address.
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
		t.Fatalf("runList(%q) = %v, stderr %q, want nil and empty stderr", args, err, stderr.String())
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
