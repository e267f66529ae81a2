package process

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"porthole/monitor/process/child"
)

// roles are the roles of children. "waits" is the default.
var roles = map[string]func(){"waits": waitForEnd}

func TestMain(m *testing.M) { child.Main(m, roles) }

// waitForEnd reports that the child is ready, and waits for the end of its input.
func waitForEnd() {
	fmt.Println("ready")
	child.Wait()
}

// startChild runs program, which is the test program or a copy, until end is called
// or the test ends.
func startChild(t *testing.T, program string, args ...string) (pid int, end func()) {
	t.Helper()
	return startRole(t, "waits", program, args...)
}

// startRole is startChild with another role.
func startRole(t *testing.T, role, program string, args ...string) (pid int, end func()) {
	t.Helper()
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	child.SetRole(c, role)
	started := child.Start(t, c)
	if line := started.Line(t); line != "ready" {
		t.Fatalf("child %d printed %q, want ready", started.PID, line)
	}
	return started.PID, started.End
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
