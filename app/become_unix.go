//go:build unix

package app

import (
	"fmt"
	"log/slog"
	"syscall"

	"porthole/app/agent"
)

// become turns this process into the program that takes over: the pid and the
// parent stay, the lock was given back. It returns only where that fails.
func become(s agent.Successor, log *slog.Logger) error {
	args := []string{"porthole"}
	if s.Hidden {
		args = append(args, "--hidden")
	}
	log.Info("becoming the new build", "program", s.Program)
	if err := syscall.Exec(s.Program, args, s.Session.Environ()); err != nil {
		return fmt.Errorf("start %s: %w", s.Program, err)
	}
	return nil
}
