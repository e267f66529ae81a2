package cli

import (
	"os/exec"

	"porthole/monitor/process/child"
)

// command returns a command that runs the test program in a role, without settings and
// history.
func command(role string, args ...string) *exec.Cmd {
	c := child.Command(role, args...)
	withoutSettings(c)
	return c
}
