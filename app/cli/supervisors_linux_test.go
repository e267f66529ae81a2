package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/dockertest"
	"porthole/monitor/process/child"
)

// realSupervisor is a supervisor that runs the command of a server.
type realSupervisor struct {
	name, program string
	files         func(server string) map[string]string // to write before it starts
	command       []string
	who           string // the sentence that names it
	before        string // in what stop prints before
	restarts      bool
}

var realSupervisors = []realSupervisor{
	{"supervisord", "supervisorctl", func(server string) map[string]string {
		return map[string]string{"sup.conf": "[unix_http_server]\nfile=sup.sock\n[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=sup.pid\n" +
			"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://sup.sock\n" +
			"[program:web]\ncommand=" + server + "\nautorestart=true\n"}
	}, []string{"supervisord", "-c", "sup.conf"}, "Started by supervisord", "is run by supervisord as web", true},
	{"runit", "runsvdir", func(server string) map[string]string {
		return map[string]string{"services/web/run": "#!/bin/sh\nexec " + server + "\n"}
	}, []string{"runsvdir", "services"}, "Started by runit", "is run by runsv as web, which starts it again", true},
	{"s6", "s6-svscan", func(server string) map[string]string {
		return map[string]string{"services/web/run": "#!/bin/sh\nexec " + server + "\n"}
	}, []string{"s6-svscan", "services"}, "Started by s6", "is run by s6-supervise as web, which starts it again", true},
	{"foreman", "foreman", func(server string) map[string]string {
		return map[string]string{"Procfile": "web: " + server + "\n"}
	}, []string{"foreman", "start"}, "Started by foreman", "which stops its other processes when this one exits", false},
	{"a loop", "bash", func(server string) map[string]string {
		return map[string]string{"loop.sh": "while true; do\n" + server + "\nsleep 0.05\ndone\n"}
	}, []string{"bash", "loop.sh"}, "Started by loop.sh", "was started by a loop in loop.sh", true},
	{"pm2's title", "node", func(server string) map[string]string {
		return map[string]string{"a-daemon-of-this-length.js": "process.title = 'PM2 v5.4.2: God Daemon (/root/.pm2)'\nconst start = () => require('child_process').spawn('" + server +
			"', { stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, pm_id: '0', name: 'shop' } }).on('exit', () => setTimeout(start, 100))\nstart()\n"}
	}, []string{"node", "a-daemon-of-this-length.js"}, "Started by pm2", "is run by pm2 as shop, which starts it again; to stop that instead: pm2 stop 0", true},
}

// The real programs, where they are installed: who names them, stop says before and
// after that they start the server again, and --manager stops it for good.
func TestRealSupervisors(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	for i, s := range realSupervisors {
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.program); err != nil {
				t.Skipf("needs %s: %v", s.program, err)
			}
			port := fmt.Sprint(8101 + i)
			folder := t.TempDir()
			server := filepath.Join(folder, "server")
			text := "#!/bin/sh\n" + strings.Join(child.Command("listen").Env[len(os.Environ()):], " ") + " PORTHOLE_TEST_ADDRESSES=127.0.0.1:" + port + " exec " + os.Args[0] + " <>/dev/zero\n"
			files := s.files(server)
			files["server"] = text
			for name, text := range files {
				path := filepath.Join(folder, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o700)); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.Command(s.command[0], s.command[1:]...)
			c.Dir, c.SysProcAttr = folder, &syscall.SysProcAttr{Setsid: true}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL); _ = c.Wait() })
			await.Listener(t, "127.0.0.1:"+port)

			var out strings.Builder
			o := Options{Stdout: &out, Stderr: &out}
			if err := runWho(t.Context(), port, o); err != nil || !strings.Contains(out.String(), s.who) {
				t.Errorf("who: got %v\n%s\nwant %q", err, out.String(), s.who)
			}
			text, err := stopOutput(t, port, stopOptions{Yes: true})
			if !strings.Contains(text, s.before) {
				t.Errorf("before: got\n%s\nwant %q", text, s.before)
			}
			if !s.restarts {
				if err != nil {
					t.Errorf("stop: got %v\n%s", err, text)
				}
				return
			}
			if Status(err) != 1 || !strings.Contains(err.Error(), " took "+port+" again, started by ") {
				t.Errorf("after: got %v, want that it was started again\n%s", err, text)
			}
			if s.program == "node" {
				return // pm2's own command is not installed
			}
			text, err = stopOutput(t, port, stopOptions{Yes: true, Manager: true})
			if err != nil || !strings.Contains(text, port+" is free.") {
				t.Errorf("--manager: got %v\n%s", err, text)
			}
			time.Sleep(500 * time.Millisecond) // longer than any of them takes to start it again
			if c, err := net.Dial("tcp4", "127.0.0.1:"+port); err == nil {
				_ = c.Close()
				t.Error("something listens after --manager")
			}
		})
	}
}
