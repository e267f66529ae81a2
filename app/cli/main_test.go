package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"porthole/app/doctor"
	"porthole/internal/testhome"
	"porthole/monitor/process/child"
)

// roles are the children of the tests. "list" prints the JSON of runList for the ports in
// its arguments, "stop" prints the error of runStop for the port in its argument, "ask"
// as well and asks before it stops. "refuse" listens and closes each connection at once.
// "mcp" is the command mcp, "porthole" the command in its arguments. "wait" only waits.
var roles = child.Roles(map[string]func(){
	"list":     playList,
	"ask":      func() { playStop(stopOptions{Options: standardOptions(), Stdin: terminalInput()}) },
	"stop":     func() { playStop(stopOptions{Options: standardOptions(), Yes: true}) },
	"refuse":   child.Reporting(playRefuse),
	"mcp":      playMCP,
	"porthole": playPorthole,
	"wait":     child.Wait,
})

func TestMain(m *testing.M) {
	child.Play(roles)
	os.Exit(testhome.Main(m))
}

func playMCP() {
	if err := serveMCP(context.Background(), &mcp.StdioTransport{}, "test", false, os.Stderr); err != nil {
		child.Fail(err)
	}
}

// playPorthole runs the command in the arguments.
func playPorthole() {
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.RunE = func(*cobra.Command, []string) error { return nil }
	root.AddCommand(Commands(doctor.Options{})...)
	AddHost(root)
	root.SetArgs(os.Args[1:])
	err := root.ExecuteContext(context.Background())
	if err != nil && !IsPrinted(err) {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(Status(err))
}

func playRefuse() child.Listening {
	ln, err := child.ListenOn("127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return child.Describe(ln)
}

func playList() {
	o := standardOptions()
	o.JSON = true
	if err := runList(context.Background(), os.Args[1:], o); err != nil {
		child.Fail(err)
	}
}

func playStop(o stopOptions) {
	if err := runStop(context.Background(), os.Args[1], o); err != nil {
		fmt.Println(err)
	}
}

// withoutSettings runs a child without settings and history.
func withoutSettings(c *exec.Cmd) {
	c.Env = append(c.Env, "XDG_CONFIG_HOME=/nonexistent", "XDG_STATE_HOME=/nonexistent")
}

// network returns tcp4 for IPv4 addresses: with tcp, Go listens on [::] if the address
// is 0.0.0.0.
func network(address string) string {
	if strings.HasPrefix(address, "[") {
		return "tcp"
	}
	return "tcp4"
}

// server starts a child that listens on address until the test ends. ok is false if this
// machine does not have the address.
func server(t *testing.T, address string, change ...func(*exec.Cmd)) (pid, port int, ok bool) {
	t.Helper()
	if ln, err := net.Listen(network(address), address); err != nil {
		t.Logf("cannot listen on %s: %v", address, err)
		return 0, 0, false
	} else if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	s := child.Serve(t, "listen", append(change, withoutSettings, child.At(address))...)
	return s.PID, s.Port, true
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
	testhome.Use(t, folder, testhome.Config)
}
