package process

import (
	"os"
	"os/exec"
	"testing"

	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) { child.Main(m, child.Servers) }

// startChild runs program, which is the test program or a copy, until end is called
// or the test ends.
func startChild(t *testing.T, program string, args ...string) (pid int, end func()) {
	t.Helper()
	c := child.Serve(t, "listen", child.With(args...), func(c *exec.Cmd) { c.Path, c.Args[0] = program, program })
	return c.PID, c.End
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
