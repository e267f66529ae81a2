package integration

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/service"
)

const (
	nodeServer = `%TITLE%require("net").createServer().listen(0, "127.0.0.1", () => console.log("ready"))`
	perlServer = `$| = 1; %TITLE% print "ready\n"; <STDIN>;`
)

// Real runtimes, with stand-ins for the programs that they run: the names come
// from what the kernel keeps of their titles and command lines.
func TestServicesOfRealRuntimes(t *testing.T) {
	for _, test := range []struct {
		name, file, content string
		command             []string // FILE stands for the file
		process, service    string
		framework           string
	}{
		{"Vite", "node_modules/vite/bin/vite.js", nodeServer, []string{"node", "FILE"}, "node", "Vite", "Vite"},
		{"title of Next.js", "start-server.js", strings.Replace(nodeServer, "%TITLE%", `process.title = "next-server (v15.1.0)";`, 1), []string{"node", "FILE"}, "next-server (v15.1.0)", "Next.js", "Next.js"},
		{"main thread of Node.js", "server.js", strings.Replace(nodeServer, "%TITLE%", `require("fs").writeFileSync("/proc/self/comm", "MainThread");`, 1), []string{"node", "FILE"}, "node", "", ""},
		{"own script with the name of a package", "serve.js", nodeServer, []string{"node", "FILE"}, "node", "", ""},
		{"plackup", "app.psgi", strings.Replace(perlServer, "%TITLE%", `$0 = "/usr/bin/plackup -p 5000 app.psgi";`, 1), []string{"perl", "FILE"}, "plackup", "plackup", "plackup"},
		{"Mojolicious", "app.pl", perlServer, []string{"perl", "FILE", "daemon"}, "perl", "Mojolicious", "Mojolicious"},
		{"NSD", "nsd", strings.Replace(perlServer, "%TITLE%", `$0 = "nsd: xfrd";`, 1), []string{"perl", "FILE"}, "nsd: xfrd", "NSD", ""}, // its program is perl
		{"Django", "manage.py", "import time; print('ready', flush=True); time.sleep(60)", []string{"python3", "FILE", "runserver"}, "python3", "Django", "Django"},
		{"http.server", "", "", []string{"python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"}, "python3", "http.server", "http.server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := exec.LookPath(test.command[0]); err != nil {
				t.Skip(err)
			}
			command := append([]string{}, test.command...)
			if test.file != "" {
				file := filepath.Join(t.TempDir(), test.file)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(strings.Replace(test.content, "%TITLE%", "", 1)), 0o600); err != nil {
					t.Fatal(err)
				}
				command[1] = file
			}
			o := startRuntime(t, command)
			l := &monitor.Listener{Protocol: monitor.TCP, Port: 41234, Owners: []monitor.Owner{o}}
			service.Describe(l)
			if l.Service != test.service || l.Framework != test.framework {
				t.Errorf("got the service %q, framework %q; want %q, %q (%+v)", l.Service, l.Framework, test.service, test.framework, o)
			}
			// python3 may be a link to another name.
			if o.Name != test.process && (test.process != "python3" || !strings.HasPrefix(o.Name, "python")) {
				t.Errorf("got the process name %q, want %q", o.Name, test.process)
			}
		})
	}
}

// startRuntime starts a command, waits for its first line and returns what is read
// of its process.
func startRuntime(t *testing.T, command []string) monitor.Owner {
	t.Helper()
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir = t.TempDir()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Kill() // it may have ended already
		_ = c.Wait()         // killed
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q ended before it was ready: %v", command, err)
	}
	o, err := process.Info(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
