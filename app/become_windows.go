package app

import (
	"fmt"
	"log/slog"
	"os/exec"

	"porthole/app/agent"
)

// become starts the program that takes over.
func become(s agent.Successor, _ *slog.Logger) error {
	cmd := exec.Command(s.Program, fmt.Sprintf("--hidden=%v", s.Hidden))
	if s.Page != "" { // not every build knows it
		cmd.Args = append(cmd.Args, "--page="+s.Page)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.Program, err)
	}
	return cmd.Process.Release()
}
