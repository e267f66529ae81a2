package app

import (
	"fmt"
	"log/slog"
	"os/exec"

	"porthole/app/agent"
)

// reexec starts the successor's program as a new process, since Windows cannot
// replace a running one.
func reexec(s agent.Successor, _ *slog.Logger) error {
	cmd := exec.Command(s.Program, s.Args()...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.Program, err)
	}
	return cmd.Process.Release()
}
