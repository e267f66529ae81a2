package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"porthole/monitor/process/child"
)

// sshScript stands in for ssh: it runs the command of its arguments in a shell of this
// machine, if the host is the one that it knows.
const sshScript = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
[ "$2" = ann@server ] || { echo "ssh: Could not resolve hostname" >&2; exit 255; }
shift 2
exec sh -c "$*"
`

// onHost returns the command porthole with a stand-in for ssh, and for Porthole on the
// other machine.
func onHost(t *testing.T, porthole string, args ...string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	for name, script := range map[string]string{"ssh": sshScript, "porthole": porthole} {
		if script == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := command("porthole", args...)
	c.Stderr = nil
	c.Env = append(c.Env, "PATH="+bin+":/usr/bin:/bin", "HOME="+bin)
	return c
}

// ownScript runs this program as Porthole on the other machine.
func ownScript(t *testing.T) string {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", program)
}

func TestHostList(t *testing.T) {
	server := child.ServeVictim(t, "listen", withoutSettings)
	port := strconv.Itoa(server.Port)
	for _, args := range [][]string{{"--host", "ann@server", "list", port}, {"list", "--host=ann@server", port, "--all"}, {"--host", "ann@server", "list", "--json", port}, {"--host", "ann@server", "who", port}, {"--host", "ann@server", "explain", "127.0.0.1:" + port}} {
		out, err := onHost(t, ownScript(t), args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), port) || !strings.Contains(string(out), strconv.Itoa(server.PID)) {
			t.Errorf("%v: got %v, %s; want the server", args, err, out)
		}
		if table := strings.HasPrefix(string(out), "PORT "); table != (args[len(args)-2] != "--json" && strings.Contains(strings.Join(args, " "), " list") || args[0] == "list") {
			t.Errorf("%v: got %s; a table: %t", args, out, table)
		}
	}
}

// The exit status of the other machine is passed on.
func TestHostStatus(t *testing.T) {
	for _, test := range []struct {
		porthole string
		args     []string
		status   int
		says     string
	}{
		{"#!/bin/sh\necho free; exit 1\n", []string{"--host", "ann@server", "who", "80"}, 1, "free"},
		{"#!/bin/sh\necho 'porthole who: no port' >&2; exit 2\n", []string{"--host", "ann@server", "who", "x"}, 2, "no port"},
		{"", []string{"--host", "ann@server", "list"}, 1, "can't find porthole on ann@server"},
		{"", []string{"--host", "bob@other", "list"}, 1, "ssh can't run a command on bob@other"},
		{"#!/bin/sh\necho hello\n", []string{"--host", "ann@server", "list"}, 1, "is no list of Porthole"},
		{"#!/bin/sh\nprintf 'a\\033[31m  b\\n'\n", []string{"--host", "ann@server", "who", "80"}, 0, "a [31m  b"},
		{"", []string{"--host", "-oProxyCommand=x", "list"}, 2, "expected a host"},
		{"", []string{"--host", "a b", "list"}, 2, "expected a host"},
		{"", []string{"--host", "", "list"}, 2, "expected a host"},
		{"", []string{"--host", "ann@server", "stop", "80"}, 2, "not with stop"},
		{"", []string{"--host", "ann@server"}, 2, "needs a command"},
	} {
		out, _ := onHost(t, test.porthole, test.args...).CombinedOutput()
		c := onHost(t, test.porthole, test.args...)
		_ = c.Run() // its status counts
		if got := c.ProcessState.ExitCode(); got != test.status || !strings.Contains(string(out), test.says) || strings.ContainsRune(string(out), 0x1b) {
			t.Errorf("%v: got status %d, %q; want %d, %q", test.args, got, out, test.status, test.says)
		}
	}
}

// What is typed reaches the other machine as it is.
func TestHostQuotes(t *testing.T) {
	out, err := onHost(t, "#!/bin/sh\nprintf '<%s>' \"$@\"\n", "--host", "ann@server", "explain", "a 'b' $(id) ; c 127.0.0.1:80").CombinedOutput()
	if want := "<explain><--><a 'b' $(id) ; c 127.0.0.1:80>\n"; err != nil || string(out) != want {
		t.Errorf("got %v, %q; want %q", err, out, want)
	}
}
