package child

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// StartLoop runs a shell script, loop.sh, that starts the test program in a role that
// reports something, after the changes to its command, and starts it again whenever it
// exits. It returns the script's process after the first report. Both end with the test.
func StartLoop(t *testing.T, role string, change ...func(*exec.Cmd)) Child {
	t.Helper()
	script := filepath.Join(t.TempDir(), "loop.sh")
	if err := os.WriteFile(script, []byte("while true; do\n\"$1\" server\nsleep 0.05\ndone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/bin/sh", script, program)
	SetRole(c, role)
	for _, f := range change {
		f(c)
	}
	attributes(c).Setpgid = true
	loop := StartVictim(t, c)
	t.Cleanup(func() { _ = syscall.Kill(-loop.PID, syscall.SIGKILL) }) // the server too
	loop.Line(t)
	return loop
}
