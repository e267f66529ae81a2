package enrich

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/process"
)

// A control master does not name its server if ControlPath does not. The connection does,
// if ssh has it itself.
func TestServerOfControlMaster(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := strings.Replace(l.Addr().String(), ":", "/", 1)
	for _, test := range []struct{ name, script, want string }{
		{"its own connection", "exec 3<>/dev/tcp/" + at, "127.0.0.1"},
		{"with a ProxyCommand", "exec 3</dev/null 4<>/dev/tcp/" + at, ""},
		{"none", "true", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := exec.Command("bash", "-c", test.script+" && echo ready && exec -a 'ssh: /home/ann/.ssh/master [mux]' sleep 60")
			c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Skipf("needs bash: %v", err)
			}
			t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
			if _, err := out.Read(make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			o := monitor.Owner{}
			await.Until(t, "it has its title", func() bool {
				if o, err = process.Info(c.Process.Pid); err != nil {
					t.Fatal(err)
				}
				return len(o.Command) > 0 && strings.HasSuffix(o.Command[0], "[mux]")
			})
			if got := sshServer(identity{o.PID, o.Start}); got != test.want {
				t.Errorf("got the server %q, want %q", got, test.want)
			}
			o.Program, o.Name = "/usr/bin/ssh", "ssh"
			e := New()
			await.Until(t, "the answer is there", func() bool { return e.Owner(&o) == monitor.Complete })
			if o.SSHServer != test.want {
				t.Errorf("got %q from the enricher, want %q", o.SSHServer, test.want)
			}
			if got := sshServer(identity{o.PID, o.Start + 1}); got != "" {
				t.Errorf("another process: got the server %q", got)
			}
		})
	}
}
